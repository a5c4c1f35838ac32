"""Normalize plans: options that cannot change the image are dropped."""

from __future__ import annotations

import pytest

from darkroom.plan.canonical import build_plan, scale_length
from darkroom.plan.model import AUTO_CLASSES, Crop, Gravity, Padding, Plan
from darkroom.plan.option_types import Value
from darkroom.plan.options import NATIVE_OPTIONS


@pytest.mark.parametrize(
    ("values", "fields"),
    [
        ({}, {"width": 2560, "height": 2560}),
        ({"f": "auto"}, {"width": 2560, "height": 2560}),
        ({"dpr": 3}, {"width": 2560, "height": 2560}),
        ({"fit": "cover", "g": Gravity("north"), "up": True}, {"width": 2560, "height": 2560}),
        ({"f": "webp"}, {"format": "webp"}),
        ({"q": 80}, {"quality": 80}),
        ({"w": 1}, {"width": 1}),
        ({"w": 100, "h": 50, "dpr": 2}, {"width": 200, "height": 100}),
        ({"h": 3, "dpr": 1.5}, {"height": 5}),
        ({"w": 8000, "dpr": 4}, {"width": 8192}),
        ({"w": 1, "fit": "cover"}, {"width": 1}),
        ({"h": 1, "fit": "fill"}, {"height": 1}),
        ({"w": 1, "h": 1, "fit": "fill"}, {"width": 1, "height": 1, "fit": "fill"}),
        ({"w": 1, "h": 1, "fit": "contain"}, {"width": 1, "height": 1}),
        ({"w": 1, "up": True}, {"width": 1, "upscale": True}),
        ({"h": 1, "up": True}, {"height": 1, "upscale": True}),
        ({"w": 1, "h": 1, "g": Gravity("north")}, {"width": 1, "height": 1}),
        ({"w": 1, "g": Gravity("north"), "fit": "cover"}, {"width": 1}),
        (
            {"w": 1, "h": 1, "g": Gravity("north"), "fit": "cover"},
            {"width": 1, "height": 1, "gravity": Gravity("north"), "fit": "cover"},
        ),
        ({"crop": Crop("pct", 0, 0, 100, 100), "w": 1}, {"width": 1}),
        ({"crop": Crop("px", 0, 0, 100, 100), "w": 1}, {"width": 1, "crop": Crop("px", 0, 0, 100, 100)}),
        ({"rot": 180, "flip": "v"}, {"flip": "h"}),
        ({"rot": 0, "flip": "v"}, {"flip": "h", "rotate": 180}),
        ({"rot": 90, "flip": "v"}, {"flip": "h", "rotate": 270}),
        ({"rot": 270, "flip": "hv"}, {"rotate": 90}),
        ({"rot": 180, "flip": "hv", "w": 1}, {"width": 1}),
        ({"rot": 270, "flip": "h"}, {"flip": "h", "rotate": 270}),
        ({"rot": 90}, {"rotate": 90}),
        ({"q": 80, "f": "png"}, {"format": "png"}),
        ({"q": 80, "f": "gif"}, {"format": "gif"}),
        ({"q": 80, "f": "webp"}, {"format": "webp", "quality": 80}),
        ({"anim": False, "f": "jpeg"}, {"format": "jpeg"}),
        ({"anim": False, "f": "avif"}, {"format": "avif"}),
        ({"anim": False, "f": "webp"}, {"format": "webp", "animate": False}),
        ({"anim": False, "f": "gif"}, {"format": "gif", "animate": False}),
        ({"anim": False}, {"animate": False}),
        ({"anim": False, "page": 1}, {"page": 1}),
        ({"anim": False, "page": 0}, {"animate": False}),
        ({"anim": False, "redact": "all"}, {"redact": "all"}),
        ({"redact": "faces", "fv": "2", "f": "webp"}, {"redact": "faces", "findings": "2", "format": "webp"}),
        ({"redact": "faces", "fv": "2", "f": "json"}, {"format": "json"}),
        ({"w": 1, "fv": "2"}, {"width": 1}),
        ({"fv": "2"}, {"width": 2560, "height": 2560}),
        ({"w": 1, "g": Gravity("face"), "fit": "cover", "fv": "2"}, {"width": 1}),
        ({"w": 1, "h": 1, "g": Gravity("face"), "fv": "2"}, {"width": 1, "height": 1}),
        (
            {"w": 1, "h": 1, "g": Gravity("face"), "fit": "cover", "fv": "2", "anim": False},
            {
                "width": 1,
                "height": 1,
                "fit": "cover",
                "gravity": Gravity("face"),
                "findings": "2",
                "animate": False,
            },
        ),
        ({"f": "json", "w": 5, "q": 5, "rot": 90, "dpr": 2}, {"format": "json"}),
        ({"f": "json", "page": 5, "anim": False}, {"format": "json", "page": 5}),
        ({"f": "thumbhash", "crop": Crop("px", 0, 0, 1, 1)}, {"format": "thumbhash"}),
        ({"pad": Padding(), "bg": "", "gam": 1.0, "blur": 0.0, "anim": True, "page": 0, "w": 1}, {"width": 1}),
    ],
)
def test_normal_form(values: dict[str, Value], fields: dict[str, object]) -> None:
    assert build_plan("a", values) == Plan("a", **fields)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", AUTO_CLASSES)
def test_a_class_keeps_what_any_of_its_types_can_show(name: str) -> None:
    assert build_plan("a", {"f": name, "q": 5, "anim": False}) == Plan("a", format=name, quality=5, animate=False)


def test_eight_symmetries_have_eight_plans() -> None:
    symmetries = {
        build_plan("a", {"rot": turn, "flip": flip}) for turn in (0, 90, 180, 270) for flip in ("none", "h", "v", "hv")
    }
    assert len(symmetries) == 8


@pytest.mark.parametrize(
    "option", [o for o in NATIVE_OPTIONS if o.default not in (None, "")], ids=lambda option: option.short
)
def test_a_default_is_the_same_as_nothing(option: object) -> None:
    assert build_plan("a", {"w": 9, option.short: option.default}) == build_plan("a", {"w": 9})  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("length", "ratio", "result"),
    [
        (100, 1.0, 100),
        (1, 1.5, 2),
        (3, 1.5, 5),
        (2, 1.5, 3),
        (5, 2.5, 13),
        (8192, 1, 8192),
        (8191, 1.5, 8192),
        (2048, 4, 8192),
    ],
)
def test_scaled(length: int, ratio: float, result: int) -> None:
    assert scale_length(length, ratio) == result
