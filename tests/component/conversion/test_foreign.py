"""Files of other projects are served, or refused by a decision that is written down."""

from __future__ import annotations

import warnings
from pathlib import Path

import pi_heif
import pytest
from PIL import Image, ImageOps

from darkroom.errors import DarkroomError
from tests.foreign import DECISIONS, DIFFERENCES, DIFFERENT, FOREIGN, LIBVIPS, MAX_SHOWN_BY_LIBVIPS, REFUSED

from .foreign_uploads import examine, render_cells

pytestmark = [
    pytest.mark.usefixtures("jxl_packages"),
    pytest.mark.skipif(not LIBVIPS, reason=f"no foreign files at {FOREIGN}"),
]

DRAWN = (".svg",)
"""Their size is a matter of definition: libvips takes points."""

pi_heif.register_heif_opener()


def size_by_pillow(path: Path) -> tuple[int, int] | None:
    """The upright size by Pillow and libheif, None where they show nothing."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            with Image.open(path) as image:
                image.load()
                return ImageOps.exif_transpose(image).size
        except (OSError, RuntimeError, ValueError, SyntaxError, Image.DecompressionBombError):
            return None


def test_the_table_is_of_files_that_are_there() -> None:
    files = {path.name for path in FOREIGN.iterdir()} - {"README.md", "manifest.json"}
    assert files == set(LIBVIPS)
    assert set(REFUSED) | set(DIFFERENT) <= files
    assert not set(REFUSED) & set(DIFFERENT)
    assert {one.decision for one in REFUSED.values()} == set(DECISIONS)
    assert set(DIFFERENT.values()) == set(DIFFERENCES)


def test_few_files_that_libvips_shows_are_refused() -> None:
    shown = [name for name in REFUSED if "error" not in LIBVIPS[name]]
    assert len(shown) <= MAX_SHOWN_BY_LIBVIPS
    assert shown == [name for name, refusal in REFUSED.items() if "libvips" in refusal.shown_by]


@pytest.mark.sample(12)
@pytest.mark.parametrize("name", [name for name in sorted(LIBVIPS) if name not in REFUSED])
def test_a_file_is_served_upright_in_its_size(name: str) -> None:
    examined = examine(name)
    size = (examined.header.upright_width, examined.header.upright_height)
    cells = render_cells(examined.master)
    assert cells.shape[2] == 3
    stated = LIBVIPS[name]
    if "error" not in stated and not name.endswith(DRAWN):
        assert sorted(size) == sorted((stated["width"], stated["height"])), "libvips"
    by_pillow = size_by_pillow(FOREIGN / name)
    if by_pillow is not None and DIFFERENT.get(name) != "cropped":
        assert size == by_pillow, "Pillow"


@pytest.mark.sample(8)
@pytest.mark.parametrize("name", REFUSED)
def test_a_file_is_refused_by_a_decision(name: str) -> None:
    with pytest.raises(DarkroomError) as caught:
        render_cells(examine(name).master)
    refusal = REFUSED[name]
    assert (caught.value.code, caught.value.status < 500) == (refusal.code, True)
    assert ("Pillow" in refusal.shown_by) == (size_by_pillow(FOREIGN / name) is not None)
