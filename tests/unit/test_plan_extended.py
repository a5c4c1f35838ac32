"""Options that only dialects set: one spelling each, one Plan for each meaning, and none in native URLs."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given

from darkroom.errors import BadOption, DarkroomError
from darkroom.plan.canonical import build_plan, canonical_path, parse_path
from darkroom.plan.model import Extension, FaceCrop, Gravity, Offset, Plan, TrimOptions, Watermark, WatermarkLayout
from darkroom.plan.native_url import parse_url
from darkroom.plan.option_types import Value, join_parts, split_parts
from darkroom.plan.options import EXTENDED_OPTIONS, OPTIONS_BY_SHORT
from darkroom.plan.redaction import add_redaction, get_followed_tasks, needs_findings

from .extended_plans import extended_plans, extended_values

SPELLINGS = [
    ("orient", "0"),
    ("inset", "1-2-3-4"),
    ("cut", "0.5-300-attention-0.5-0.5-0-0"),
    ("cut", "640-0-northwest-0.5-0.5--10-0.25"),
    ("face", "1-20"),
    ("minw", "300"),
    ("minh", "1"),
    ("zoom", "0.5-2"),
    ("ratio", "0.75"),
    ("most", "1000"),
    ("prop", "0.5-0"),
    ("angle", "12.5"),
    ("med", "3"),
    ("lev", "stretch"),
    ("curve", "a.0.0.255.200-r-g-b.0.10.128.90.255.255"),
    ("mat", "1-0-0-0.1-0-1-0--0.1-0-0-1-0"),
    ("mat", "1-0-0-0.1-0-1-0--0.1-0-0-1-0-2-0-0-0-0-2-0-0-0-0-2-0"),
    ("thr", "128"),
    ("lch", "1.2-0.5-90--10"),
    ("clahe", "30-40-3"),
    ("tint", "ff8800"),
    ("late", "-1-0-0-1-0--1-0-1-0-0--1-1"),
    ("alpha", "invert"),
    ("alpha", "drop"),
    ("conv", "3-1-0--1-0--1-5--1-0--1-0"),
    ("pix", "8"),
    ("noise", "40"),
    ("ell", "10-20-0-5"),
    ("reye", "1"),
    ("bgx", "blur"),
    ("bgx", "autoall"),
    ("skip", "gif-svg"),
    ("mb", "20000"),
    ("base", "1"),
]
NEEDY = [
    ("fz", "0.5", "fit-cover_{}_g-face_h-10_w-10"),
    ("trimx", "ff8800-southeast-hv", "trim-10_{}"),
    ("trimx", "auto-southeast-none", "trim-10_{}"),
    ("trimx", "auto-northwest-none-150.5", "trim-100_{}"),
    ("even", "1", "{}_fit-cover_h-10_w-10"),
    ("even", "1", "cut-10-10-north-0.5-0.5-0-0_{}"),
    ("grow", "1", "{}_up-1_w-10"),
    ("one", "1", "{}_w-10"),
    ("ext", "box-fp-0.25-1", "{}_h-10_w-10"),
    ("tfirst", "1", "cut-10-10-northwest-0.5-0.5-0-0_{}_trim-10"),
    ("cov", "clip", "{}_fit-cover_h-10_w-10"),
    ("cov", "flex", "{}_fit-cover_h-10_w-10"),
    ("cov", "uncut", "{}_fit-cover_h-10_w-10"),
    ("adapt", "1", "{}_h-20_w-10"),
    ("off", "-10-0.25", "fit-cover_h-10_{}_w-10"),
    ("focus", "120-80", "fit-cover_{}_h-10_w-10"),
    ("ext", "box-north-0-5", "{}_h-10_w-10"),
    ("ext", "ratio-center-0-0", "{}_h-10_w-10"),
    ("wmx", "10--10-0-0.5-0", "wm-logo-southeast-100-25_{}"),
    ("own", "w", "fit-cover_h-10_{}_up-1"),
    ("own", "h", "{}_w-10"),
    ("rep", "hv", "{}_wm-logo-southeast-100-25_wmx-0-0-0-0-0"),
    ("wm2", "logo-north-50-25", "wm-logo-southeast-100-25_{}"),
    ("wmx2", "1-2-0-0.5-0", "wm-logo-southeast-100-25_wm2-logo-north-50-25_{}"),
    ("rep2", "v", "{}_wm-logo-southeast-100-25_wm2-logo-north-50-25_wmx2-1-2-0-0-0"),
    ("wml", "1", "pad-1-1-1-1_wm-logo-southeast-100-25_{}_wmx-0-0-0-0-0"),
    ("frm", "1", "{}_wm-logo-southeast-100-25"),
    ("ry", "20", "radius-10_{}"),
    ("bgm", "ff0000", "{}_pad-1-2-3-4"),
    ("bgm", "ff000080", "angle-45_{}"),
    ("bgm", "ff0000", "{}_radius-9"),
    ("bgm", "ff0000", "{}_fit-letterbox_h-9_w-9"),
    ("bgm", "ff0000", "{}_ext-ratio-center-0-0_h-10_w-10"),
    ("dlx", "1", "dl-a.jpg_{}"),
    ("inl", "1", "dl-a.jpg_{}"),
]


@pytest.mark.parametrize(("name", "text"), SPELLINGS)
def test_a_spelling_stands_alone(name: str, text: str) -> None:
    path = f"/a.jpg/_/{name}-{text}.jpeg"
    plan = parse_path(path)
    assert canonical_path(plan) == path
    assert plan != parse_path("/a.jpg/_/full.jpeg")


@pytest.mark.parametrize(("name", "text", "place"), NEEDY)
def test_a_spelling_beside_the_option_it_requires(name: str, text: str, place: str) -> None:
    path = f"/a.jpg/_/{place.format(f'{name}-{text}')}.jpeg"
    assert canonical_path(parse_path(path)) == path
    with pytest.raises(BadOption):
        parse_path(f"/a.jpg/_/{name}-{text}.jpeg")


def test_every_extended_option_has_a_case() -> None:
    assert {option.short for option in EXTENDED_OPTIONS} == {name for name, *_ in (*SPELLINGS, *NEEDY)}


@pytest.mark.parametrize("option", EXTENDED_OPTIONS, ids=lambda option: option.short)
def test_native_urls_know_none(option: Any) -> None:
    with pytest.raises(DarkroomError, match="no option"):
        parse_url(f"/a.jpg?{option.short}=1")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("orient", "2"),
        ("inset", "1-2-3"),
        ("inset", "1-2-3--4"),
        ("inset", "1-2-3-4.0"),
        ("cut", "1-1-fp-2-0-0-0"),
        ("cut", "1-1-up-0-0-0-0"),
        ("zoom", "0-1"),
        ("zoom", "1.00001-1"),
        ("angle", "360"),
        ("angle", "1.234"),
        ("curve", "a.0.0-r-g-b"),
        ("curve", "a.5.0.5.9-r-g-b"),
        ("curve", "a.0.0.256.0-r-g-b"),
        ("mat", "1-0-0"),
        ("mat", join_parts("1" * 60)),
        ("prop", "0-1"),
        ("prop", "0.5-2"),
        ("own", "x"),
        ("conv", "2-1-0--1-0--1"),
        ("conv", "3"),
        ("conv", "3-1-" + join_parts("1" * 51)),
        ("skip", "svg-gif"),
        ("skip", "gif-gif"),
        ("ext", "box-up-0-0"),
        ("ext", "box-fp-2-0"),
        ("ratio", "0"),
        ("ratio", "1-2"),
        ("trimx", "auto-northwest-none-0"),
        ("trimx", "F80-northwest-none"),
        ("trimx", "-northwest-"),
        ("wmx", "0-0-2-0-0"),
    ],
)
def test_other_values_are_none(name: str, text: str) -> None:
    with pytest.raises(ValueError):
        OPTIONS_BY_SHORT[name].type.parse(split_parts(text))


def test_equal_meanings_are_equal_plans() -> None:
    box = {"w": 10, "h": 20}
    assert build_plan("a", {"ratio": 2.0, "q": 50}) == build_plan("a", {"q": 50})
    assert build_plan("a", {**box, "even": True}) == build_plan("a", box)
    assert build_plan("a", {**box, "grow": True}) == build_plan("a", {**box, "grow": True, "up": True})
    assert build_plan("a", {**box, "fit": "fill", "grow": True}) == build_plan("a", {**box, "fit": "fill"})
    assert build_plan("a", {**box, "ext": Extension()}) == build_plan("a", {**box, "fit": "letterbox"})
    assert build_plan("a", {"angle": 270.0, "rot": 180}) == build_plan("a", {"rot": 90})
    assert build_plan("a", {"angle": 90.0, "flip": "h"}) == build_plan("a", {"rot": 270, "flip": "h"})
    assert build_plan("a", {"trimx": TrimOptions("ff0000"), "w": 5}) == build_plan("a", {"w": 5})
    assert build_plan("a", {"mb": 5, "f": "png"}) == build_plan("a", {"f": "png"})
    assert build_plan("a", {"ext": Extension("ratio"), "w": 5}) == Plan("a", width=5)
    assert build_plan("a", {"orient": False, "skip": ("gif",), "redact": "faces"}) == build_plan(
        "a", {"redact": "faces"}
    )
    assert build_plan("a", {"wm": Watermark("m", scale=70), "wmx": WatermarkLayout(1)}) == build_plan(
        "a", {"wm": Watermark("m"), "wmx": WatermarkLayout(1)}
    )
    assert build_plan(
        "a", {"wm": Watermark("m", "north", 50, 70), "wmx": WatermarkLayout(1), "frm": True}
    ) == build_plan("a", {"wm": Watermark("m"), "frm": True})
    assert build_plan("a", {"frm": True}) == Plan("a", width=2560, height=2560)


def test_gravity_is_kept_if_the_box_crops() -> None:
    box = {"w": 10, "h": 10, "g": Gravity("north"), "off": Offset(3)}
    kept = build_plan("a", {**box, "minw": 50})
    assert (kept.gravity, kept.offset) == (Gravity("north"), Offset(3))
    assert build_plan("a", box) == build_plan("a", {"w": 10, "h": 10})


def test_an_extension_needs_the_sides_that_it_is_about() -> None:
    one = build_plan("a", {"w": 10, "ext": Extension()})
    assert (one.extension, one.fit) == (Extension(), "contain")
    assert build_plan("a", {"ext": Extension(), "q": 50}) == build_plan("a", {"q": 50})


def test_forced_redaction_renders_upright() -> None:
    plan = build_plan("a", {"orient": False, "skip": ("all",), "w": 5})
    assert add_redaction(plan, "faces") == build_plan("a", {"redact": "faces", "w": 5})


def test_red_eye_correction_needs_findings() -> None:
    assert get_followed_tasks(build_plan("a", {"reye": True})) == ("faces",)


def test_a_face_crop_needs_findings() -> None:
    plan = build_plan("a", {"face": FaceCrop(0, 5), "fv": "2"})
    assert (plan.findings, needs_findings(plan), get_followed_tasks(plan)) == ("2", True, ("faces",))
    assert not needs_findings(build_plan("a", {"fz": 0.5}))


@given(extended_plans())
def test_a_path_names_its_plan(plan: Plan) -> None:
    path = canonical_path(plan)
    assert parse_path(path) == plan
    assert hash(parse_path(path)) == hash(plan)
    assert re.fullmatch("[A-Za-z0-9/._-]+", path)


@given(extended_values(), extended_values())
def test_two_meanings_have_two_paths(one: dict[str, Value], other: dict[str, Value]) -> None:
    plan, second = build_plan("a", one), build_plan("a", other)
    assert (canonical_path(plan) == canonical_path(second)) == (plan == second)
    assert build_plan("a", _spelled(plan)) == plan, "the normal form is its own"


def _spelled(plan: Plan) -> dict[str, Value]:
    return {option.short: getattr(plan, option.plan_field) for option in OPTIONS_BY_SHORT.values() if option.plan_field}
