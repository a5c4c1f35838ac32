"""Mezzanines: which plans may be rendered from one, and which one has every pixel."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from darkroom.errors import BadKey, BadOption
from darkroom.image_keys import mezzanine_name
from darkroom.imaging.formats.image_format import Cicp, Header
from darkroom.plan.canonical import derivative_name, parse_path
from darkroom.plan.geometry.layout import Size, compute_geometry
from darkroom.plan.geometry.mezzanines import is_mezzanine_sufficient, list_mezzanine_sizes
from darkroom.plan.model import Crop, CropTo, Gravity, Plan, Scale
from darkroom.plan.variants import (
    MEZZANINE_QUALITY,
    MEZZANINE_REDUCTION,
    MEZZANINE_SIDES_PX,
    list_mezzanines,
)

from .plans import plans

PHOTO = Size(4000, 3000)
SIDES = st.integers(1, 12_000)


def make(**options: Any) -> Plan:
    return Plan("k", **{"format": "webp", **options})


@pytest.mark.parametrize(
    ("options", "sides"),
    [
        ({"width": 200}, (1280,)),
        ({"width": 568}, (1280,)),
        ({"width": 569}, (1280, 1920)),
        ({"width": 853}, (1280, 1920)),
        ({"width": 854}, (1920,)),
        ({"height": 1280}, (1920,)),
        ({"width": 1281}, ()),
        ({}, ()),
        ({"width": 800, "height": 800}, (1280,)),
        ({"width": 800, "height": 2000}, (1280, 1920)),
        ({"width": 800, "height": 800, "fit": "cover"}, (1280, 1920)),
        ({"width": 200, "height": 200, "fit": "cover"}, (1280,)),
        ({"width": 200, "height": 1281, "fit": "fill"}, ()),
        ({"width": 400, "pixel_ratio": 3.0}, (1920,)),
        ({"width": 800, "scale": Scale(0.5, 0.5)}, (1280,)),
        ({"width": 200, "quality": "auto"}, (1280,)),
        ({"width": 200, "quality": MEZZANINE_QUALITY}, (1280,)),
        ({"width": 200, "crop_to": CropTo(500, 500)}, (1280,)),
        ({"width": 200, "height": 100, "fit": "cover", "gravity": Gravity("fp", 0.1, 0.2)}, (1280,)),
    ],
)
def test_mezzanines_to_read(options: dict[str, Any], sides: tuple[int, ...]) -> None:
    assert list_mezzanines(make(**options)) == sides


@pytest.mark.parametrize(
    "options",
    [
        *({"format": name} for name in ("json", "thumbhash", "png", "gif", "tiff")),
        {"redact": "faces", "findings": "1"},
        {"trim": 10},
        {"page": 1},
        {"orient": False},
        {"passthrough_formats": ("jpeg",)},
        {"enhance": "auto"},
        {"white_balance": True},
        {"quality": MEZZANINE_QUALITY + 1},
        {"red_eye": True, "findings": "1"},
        {"crop_to": CropTo(500, 500, "attention")},
        *({"height": 100, "fit": "cover", "gravity": Gravity(name)} for name in ("attention", "entropy", "face")),
    ],
)
def test_plans_that_need_the_master(options: dict[str, Any]) -> None:
    assert list_mezzanines(make(width=200)) != ()
    assert list_mezzanines(make(width=200, **options)) == ()


@pytest.mark.parametrize(
    ("size", "sides"),
    [
        (PHOTO, [1280, 1920]),
        (PHOTO.transposed, [1280, 1920]),
        (Size(2880, 2000), [1280, 1920]),
        (Size(2879, 2000), [1280]),
        (Size(2000, 1500), [1280]),
        (Size(2000, 1499), []),
        (Size(1919, 1919), []),
        (Size(12_000, 200), []),
    ],
)
def test_mezzanines_of_a_master(size: Size, sides: list[int]) -> None:
    found = list_mezzanine_sizes(size)
    assert list(found) == sides
    assert all(max(one) == side for side, one in found.items())


@pytest.mark.parametrize(
    ("options", "stored", "orientation", "sufficient"),
    [
        ({"width": 853}, PHOTO, 1, (True, True)),
        ({"width": 854}, PHOTO, 1, (False, True)),
        ({"width": 800}, PHOTO, 6, (False, True)),
        ({"height": 800}, PHOTO, 6, (True, True)),
        ({"width": 800, "rotate": 90}, PHOTO, 1, (False, True)),
        ({"width": 1280}, PHOTO, 1, (False, True)),
        ({"width": 1281}, PHOTO, 1, (False, False)),
        ({"width": 400, "crop": Crop("pct", 25, 25, 50, 50)}, PHOTO, 1, (True, True)),
        ({"width": 500, "crop": Crop("pct", 25, 25, 50, 50)}, PHOTO, 1, (False, True)),
        ({"width": 400, "crop": Crop("px", 0, 0, 800, 600)}, PHOTO, 1, (False, False)),
        ({"width": 640, "height": 640, "fit": "cover"}, PHOTO, 1, (True, True)),
        ({"width": 641, "height": 641, "fit": "cover"}, PHOTO, 1, (False, True)),
        ({"width": 400, "height": 700, "fit": "fill"}, PHOTO, 1, (False, True)),
    ],
)
def test_the_pixels_that_a_render_needs(
    options: dict[str, Any], stored: Size, orientation: int, sufficient: tuple[bool, bool]
) -> None:
    geometry = compute_geometry(make(**options), stored, orientation)
    sizes = list_mezzanine_sizes(stored)
    assert tuple(is_mezzanine_sufficient(geometry, sizes[side]) for side in MEZZANINE_SIDES_PX) == sufficient


@given(plans(), SIDES, SIDES, st.integers(1, 8))
def test_no_render_gets_fewer_pixels_than_it_reduces(plan: Plan, width: int, height: int, orientation: int) -> None:
    """On both axes, a chosen mezzanine has 1.5 pixels of the subject for each pixel of the scaled image."""
    stored = Size(width, height)
    try:
        geometry = compute_geometry(plan, stored, orientation)
    except BadOption:
        assume(False)
    for size in list_mezzanine_sizes(stored).values():
        if not is_mezzanine_sufficient(geometry, size):
            continue
        upright = size.transposed if orientation >= 5 else size
        across, down = upright.width / geometry.upright.width, upright.height / geometry.upright.height
        assert geometry.subject.width * across >= geometry.scaled.width * MEZZANINE_REDUCTION * (1 - 1e-9)
        assert geometry.subject.height * down >= geometry.scaled.height * MEZZANINE_REDUCTION * (1 - 1e-9)


@given(plans())
def test_no_hidden_or_exact_image_reads_a_mezzanine(plan: Plan) -> None:
    if list_mezzanines(plan):
        assert not plan.redact and not plan.trim and not plan.page
        assert plan.format in {"webp", "jpeg", "avif", "auto", "auto-webp", "auto-avif", "auto-legacy"}


@pytest.mark.parametrize("side_px", MEZZANINE_SIDES_PX)
def test_the_name_is_no_canonical_path(side_px: int) -> None:
    name = mezzanine_name("röm/1.jpg", side_px)
    assert name == f"derivatives/r.-C3B6m/1.jpg/_/mezzanine-{side_px}.jpg"
    assert name.rpartition("/")[0] == f"derivatives/{derivative_name(Plan('röm/1.jpg'))}".rpartition("/")[0]
    with pytest.raises(BadKey):
        parse_path(name.removeprefix("derivatives"))


HEADERS = [
    Header("jpeg", 4000, 3000),
    Header("png", 1, 1, orientation=6, has_alpha=True, bits=16, colour="gray", progressive=True),
    Header("heic", 4032, 3024, gain_map=True, has_profile=True),
]


@pytest.mark.parametrize("header", HEADERS)
def test_a_header_is_read_as_it_was_written(header: Header) -> None:
    assert Header.parse(header.text) == header
    assert header.text.isascii() and len(header.text) < 200


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "7",
        "{}",
        '{"format": "jpeg"}',
        '{"format": "jpeg", "width": 0, "height": 1}',
        '{"format": "jpeg", "width": "4", "height": 1}',
        '{"format": "jpeg", "width": 4, "height": 1, "depth": 8}',
        Header("avif", 4, 4, cicp=Cicp(12, 13)).text.replace("4", "4.5", 1),
    ],
)
def test_no_other_text_is_a_header(text: str) -> None:
    with pytest.raises(ValueError):
        Header.parse(text)
