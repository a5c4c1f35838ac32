"""Every file of the corpus renders correctly or is refused with the expected error."""

from __future__ import annotations

from pathlib import Path

import pytest

from darkroom.errors import DarkroomError
from darkroom.plan.model import Crop
from tests.corpus import EXPECTED, REFUSED
from tests.images.rendering import alike, made, opened, seen

IMAGES = [name for name in EXPECTED if name not in REFUSED]


@pytest.mark.sample(20)
@pytest.mark.parametrize("form", ["auto-avif", "auto-webp", "auto-legacy"])
@pytest.mark.parametrize("name", IMAGES)
def test_an_image_of_every_file(corpus: Path, name: str, form: str) -> None:
    rendered = made((corpus / name).read_bytes(), width=200, height=200, format=form)
    image = opened(rendered.body)
    assert image.size == (rendered.width, rendered.height)
    assert max(image.size) <= 200
    assert not image.getexif()
    allowed = {"xmp"} if name == "ultra-hdr.jpg" else set()
    assert not {"icc_profile", "exif", "xmp", "comment", "photoshop"} & image.info.keys() - allowed


@pytest.mark.parametrize("name", REFUSED)
def test_the_refusals(corpus: Path, name: str) -> None:
    with pytest.raises(DarkroomError) as caught:
        made((corpus / name).read_bytes(), width=200)
    assert caught.value.code == REFUSED[name]


@pytest.mark.parametrize("number", range(2, 9))
def test_the_eight_orientations_of_one_image(corpus: Path, number: int) -> None:
    """They are one landscape with another number in the middle; the left third is alike."""
    left = {"crop": Crop("pct", 0, 0, 35, 100), "width": 100}
    first, other = (seen(made((corpus / f"landscape_{n}.jpg").read_bytes(), **left).body) for n in (1, number))
    assert alike(first, other) > 0.85


COMES_OUT = {".jpg": "jpeg", ".jpeg": "jpeg", ".png": "png", ".webp": "webp", ".gif": "gif", ".avif": "avif"}


@pytest.mark.sample(5)
@pytest.mark.parametrize("name", [name for name in IMAGES if Path(name).suffix in COMES_OUT])
def test_nothing_is_larger_than_its_source(corpus: Path, name: str) -> None:
    source = (corpus / name).read_bytes()
    assert len(made(source, format=COMES_OUT[Path(name).suffix]).body) <= len(source)
