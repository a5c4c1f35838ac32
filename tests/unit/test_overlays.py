"""The language of the option ``ov``, and what needs a signature for it."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from darkroom.errors import BadOption
from darkroom.overlays.language import (
    ALIGNMENTS,
    BLEND_MODES,
    IMAGE,
    MAX_OVERLAYS,
    PARAMETERS,
    TEXT,
    Measure,
    Overlay,
    format_overlays,
    parse_overlays,
)
from darkroom.plan.canonical import build_plan, canonical_path, check_length, parse_path
from darkroom.plan.model import COMPASS_POINTS, Plan
from darkroom.plan.native_url import parse_url
from darkroom.plan.option_plugins import list_plugin_files
from darkroom.plan.presets import Presets, parse_presets
from darkroom.plan.url_builder import build_target, sign_target
from darkroom.plan.variants import AccessMode, list_unsigned_variants, needs_signature

KEY = "k" * 32


@pytest.mark.parametrize(
    ("text", "overlays"),
    [
        ("text:SALE", [Overlay(TEXT, "SALE")]),
        ("text:a:b", [Overlay(TEXT, "a:b")]),
        (r"text:a\, b\; c\\,at:north", [Overlay(TEXT, "a, b; c\\", at="north")]),
        (r"text:one\ntwo,align:center", [Overlay(TEXT, "one\ntwo", align="center")]),
        ("text:עברית,lang:he", [Overlay(TEXT, "עברית", lang="he")]),
        ("text:a,size:12px,color:ff000080,back:000000,pad:10", [
            Overlay(TEXT, "a", size=Measure(12, True), color="ff000080", back="000000", pad=10)
        ]),
        ("text:a,width:50,height:20,fit:1,bold:1", [
            Overlay(TEXT, "a", width=Measure(50), height=Measure(20), fit=True, bold=True)
        ]),
        ("image:a/b.png", [Overlay(IMAGE, "a/b.png")]),
        ("image:a.png,x:-5px,y:2.25,width:10,rotate:359,opacity:1,blend:multiply", [
            Overlay(
                IMAGE, "a.png", x=Measure(-5, True), y=Measure(2.25), width=Measure(10), rotate=359, opacity=1,
                blend="multiply",
            )
        ]),
        ("image:a.png,own:1,tile:1", [Overlay(IMAGE, "a.png", own=True, tile=True)]),
        ("text:a;image:b;text:c", [Overlay(TEXT, "a"), Overlay(IMAGE, "b"), Overlay(TEXT, "c")]),
    ],
)  # fmt: skip
def test_overlays_are_read_and_written(text: str, overlays: list[Overlay]) -> None:
    assert list(parse_overlays(text)) == overlays
    assert format_overlays(overlays) == text


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("SALE", "begins with text: or image:"),
        ("text:a;", "begins with text: or image:"),
        ("text: ", "1 to 200 characters"),
        ("text:" + "a" * 201, "1 to 200 characters"),
        ("text:a" + r"\na" * 10, "at most 10 lines"),
        ("image:../a.png", "segment"),
        ("image:", "no image"),
        ("text:a,own:1", "no 'own' of text"),
        ("image:a,bold:1", "no 'bold' of image"),
        ("image:a,color:fff", "no 'color' of image"),
        ("text:a,at:north,at:south", "at was given twice"),
        ("text:a,at:top", "at must be one of"),
        ("text:a,size:0", "size must be percent from 0.1 to 50"),
        ("text:a,size:8193px", "up to 8192px"),
        ("text:a,x:1.234", "x must be percent"),
        ("text:a,blend:dissolve", "blend must be one of"),
        ("text:a,rotate:360", "rotate must be a whole number"),
        ("text:a,lang:x y", "lang must be a language"),
        (";".join(["text:a"] * (MAX_OVERLAYS + 1)), "at most 5 overlays"),
        ("text:a,color:fff", "write it as 'text:a'"),
        ("text:a,at:southeast", "write it as 'text:a'"),
        ("text:a,x:1,at:north", "write it as 'text:a,at:north,x:1'"),
        ("text:a,x:0,at:north", "write it as 'text:a,at:north'"),
        ("text:a,pad:5", "write it as 'text:a'"),
        (r"text:\a", "write it as 'text:a'"),
        ("image:a,own:1,width:5", "write it as 'image:a,own:1'"),
        ("text:a,at:north,tile:1", "write it as 'text:a,tile:1'"),
    ],
)
def test_a_mistake_is_named(text: str, message: str) -> None:
    with pytest.raises(BadOption, match=r"\Aov: ") as refusal:
        parse_overlays(text)
    assert message in refusal.value.message
    assert refusal.value.option == "ov"


def test_files_are_below_the_prefix_and_read_once() -> None:
    plan = build_plan("a", {"ov": "image:a/b.png;text:c;image:a/b.png,at:north"})
    assert list_plugin_files(plan) == ("overlays/a/b.png",)
    assert list_plugin_files(Plan("a")) == ()


MEASURES = st.one_of(
    st.integers(10, 5000).map(lambda number: Measure(number / 100)),
    st.integers(1, 8192).map(lambda number: Measure(number, True)),
)
TEXTS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=20).filter(str.strip)
OVERLAYS = st.builds(
    Overlay,
    kind=st.just(TEXT),
    content=TEXTS,
    at=st.sampled_from(COMPASS_POINTS),
    x=st.none() | MEASURES,
    y=st.none() | MEASURES,
    width=st.none() | MEASURES,
    height=st.none() | MEASURES,
    own=st.just(False),
    fit=st.booleans(),
    pad=st.integers(0, 200),
    lang=st.sampled_from(["", "ja", "zh-tw"]),
    size=MEASURES,
    color=st.sampled_from(["ffffff", "00000080"]),
    back=st.sampled_from(["", "ff8800"]),
    align=st.sampled_from(ALIGNMENTS),
    rotate=st.integers(0, 359),
    opacity=st.integers(1, 100),
    blend=st.sampled_from(list(BLEND_MODES)),
    bold=st.booleans(),
    tile=st.booleans(),
)


@given(st.lists(OVERLAYS, min_size=1, max_size=3))
def test_every_overlay_is_read_back_and_has_one_path(overlays: list[Overlay]) -> None:
    text = format_overlays(overlays)
    assert format_overlays(parse_overlays(text)) == text
    if len(text.encode()) > 500:
        return
    plan = parse_url(f"/a.jpg?w=300&ov={quote(text)}&s={'A' * 43}").plan if _fits(text) else None
    if plan is not None:
        assert plan.overlays == text
        assert parse_path(canonical_path(plan)) == plan


def _fits(text: str) -> bool:
    try:
        check_length(build_plan("a.jpg", {"ov": text, "w": 300}))
    except BadOption:
        return False
    return True


@given(st.text(max_size=40))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        overlays = parse_overlays(text)
    except BadOption:
        return
    assert format_overlays(overlays) == text


def test_a_path_with_another_spelling_is_refused() -> None:
    plan = build_plan("a.jpg", {"ov": "text:a,color:fff", "w": 300})
    with pytest.raises(BadOption, match="write it as 'text:a'"):
        parse_path(canonical_path(plan))


def test_urls_are_built_and_signed_with_overlays_in_one_spelling() -> None:
    target = build_target("a.jpg", {"w": 300, "ov": "text:50 %,at:north"})
    assert parse_url(sign_target(target, KEY)).plan.overlays == "text:50 %,at:north"
    with pytest.raises(BadOption, match="write it as"):
        build_target("a.jpg", {"ov": "text:a,opacity:100"})
    with pytest.raises(BadOption, match="write it as"):
        sign_target("/a.jpg?ov=text:a,opacity:100", KEY)


def badge_presets() -> Presets:
    return parse_presets({"presets": {"badge": {"w": 300, "f": "webp", "ov": "text:SALE,at:north"}}})


def test_presets_with_overlays_are_parsed_and_do_not_add_to_the_finite_set() -> None:
    presets = badge_presets()
    plain = list_unsigned_variants("a.jpg", Presets({}, {}))
    assert {plan.overlays for plan in list_unsigned_variants("a.jpg", presets) - plain} == {"text:SALE,at:north"}
    with pytest.raises(ValueError, match="preset 'badge': ov: write it as 'text:a'"):
        parse_presets({"presets": {"badge": {"ov": "text:a,opacity:100"}}})


def unsigned_cases() -> Iterator[tuple[Plan, AccessMode, bool]]:
    preset = badge_presets().build_plans("a.jpg")["badge"]
    other = build_plan("a.jpg", {"w": 300, "f": "webp", "ov": "text:FREE,at:north"})
    for mode, needs_preset in ((AccessMode.OPEN, False), (AccessMode.GUARDED, False), (AccessMode.SIGNED, True)):
        yield preset, mode, needs_preset
        yield other, mode, True


@pytest.mark.parametrize(("plan", "mode", "needed"), list(unsigned_cases()))
def test_only_presets_have_overlays_without_a_signature(plan: Plan, mode: AccessMode, needed: bool) -> None:
    assert needs_signature(plan, mode, badge_presets) is needed


def test_every_parameter_is_a_field_in_its_order() -> None:
    assert [name for name in Overlay._fields if name in PARAMETERS] == list(PARAMETERS)
    assert set(Overlay._fields) - set(PARAMETERS) == {"kind", "content"}
