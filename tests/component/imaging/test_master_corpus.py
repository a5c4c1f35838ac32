"""Every file of the corpus becomes a clean master or is refused with the expected error."""

from __future__ import annotations

from functools import cache

import pytest

from darkroom.errors import DarkroomError
from darkroom.imaging.colour.icc import identify_profile
from darkroom.imaging.formats.probe import probe
from darkroom.imaging.source import Source
from darkroom.plan.limits import Limits
from darkroom_pipeline.imaging.master import Master, make_master
from tests.corpus import CORPUS
from tests.images.masters import header, loaded, look_alike
from tests.images.rendering import frames, made, opened

from .test_corpus import REFUSED, SHOWN

pytestmark = pytest.mark.usefixtures("corpus")

ENCODED = {
    "Channel_digital_image_CMYK_color.jpg",
    "Channel_digital_image_CMYK_color_no_profile.jpg",
    "iphone.heic",
    "sample-xyb.jpg",
    "small.heif",
}
PYRAMIDS = {"cielab-dagams.tiff", "fogra-0-100-100-0.tif", "sample.tif", "subsampled.tif"}
CLEANED = [name for name in SHOWN if name not in ENCODED | PYRAMIDS | {"logo.svg"}]


@cache
def upload(name: str) -> bytes:
    return (CORPUS / name).read_bytes()


@cache
def master(name: str) -> Master:
    return make_master(upload(name), header(upload(name)), limits=Limits())


@pytest.mark.slow
def test_how_each_is_made() -> None:
    how: dict[str, set[str]] = {}
    for name in SHOWN:
        how.setdefault(master(name).method, set()).add(name)
    assert how == {"encoded": ENCODED, "pyramid": PYRAMIDS, "sanitised": {"logo.svg"}, "cleaned": set(CLEANED)}


@pytest.mark.parametrize("name", REFUSED)
def test_the_right_refusal(name: str) -> None:
    """Damage within the pixels of a complete file is found by decoding."""
    with pytest.raises(DarkroomError) as caught:
        make_master(upload(name), probe(Source.from_bytes(upload(name)), Limits()), limits=Limits())
    assert caught.value.code == REFUSED[name]


@pytest.mark.sample(15)
@pytest.mark.parametrize("name", CLEANED)
def test_cleaned_pixels_are_the_same(name: str) -> None:
    assert header(master(name).body) == header(upload(name))
    assert loaded(master(name).body) == loaded(upload(name))
    before, after = (opened(body) for body in (upload(name), master(name).body))
    assert ("icc_profile" in after.info) == ("icc_profile" in before.info)
    if getattr(before, "n_frames", 1) == getattr(after, "n_frames", 1) == 1:
        assert after.tobytes() == before.tobytes()
    elif after.format in ("GIF", "WEBP"):
        assert all(
            (one == other).all() for one, other in zip(frames(upload(name)), frames(master(name).body), strict=True)
        )


@pytest.mark.sample(20)
@pytest.mark.parametrize("name", SHOWN)
def test_it_renders_like_the_upload(name: str) -> None:
    if min(made(upload(name), width=320).width, made(upload(name), width=320).height) >= 7:
        look_alike(upload(name), master(name).body, width=320)


@pytest.mark.slow
def test_a_photograph_from_a_phone_keeps_its_colours_and_stands_upright() -> None:
    phone = opened(master("iphone.heic").body)
    assert phone.size == (3024, 4032)
    assert identify_profile(phone.info["icc_profile"]) == "Display P3"
