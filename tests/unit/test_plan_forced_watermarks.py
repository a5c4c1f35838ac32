"""Forced watermarks: no unsigned request avoids one."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from darkroom.errors import BadOption, DarkroomError
from darkroom.image_keys import quote_key
from darkroom.plan.canonical import MAX_OPTIONS_BYTES, build_plan, canonical_path, options_text, parse_path
from darkroom.plan.forced_options import Forced, ForcedOptions, is_unmarked
from darkroom.plan.model import DATA_FORMATS, Plan, Watermark, WatermarkLayout
from darkroom.plan.native_url import parse_url
from darkroom.plan.presets import load_default_presets, parse_presets
from darkroom.plan.variants import AccessMode, is_preset, list_variants, needs_signature

from .plans import KEYS, plans

RULES = ForcedOptions.parse("previews/:logo-center-50,caf%C3%A9/:logo,previews/press/:a1,previews/=faces")
LOGO = Watermark("logo", "center", 50, 25)


@pytest.mark.parametrize(
    ("key", "forced"),
    [
        ("previews/a.jpg", Forced("faces", LOGO)),
        ("previews/press/a.jpg", Forced("faces", Watermark("a1"))),
        ("caf\u00e9/a.jpg", Forced("", Watermark("logo"))),
        ("cafe\u0301/a.jpg", Forced()),
        ("Previews/a.jpg", Forced()),
        ("previews", Forced()),
    ],
)
def test_what_is_forced_in_a_key(key: str, forced: Forced) -> None:
    assert RULES.find(key) == forced


def test_the_text_form_names_the_longest_prefix_last() -> None:
    marks = "previews/:logo-center-50-25,caf%C3%A9/:logo-southeast-100-25,previews/press/:a1-southeast-100-25"
    text = f"previews/=faces,{marks}"
    assert RULES.text == text
    assert ForcedOptions.parse(text) == RULES


def test_the_tables_of_two_settings_merge() -> None:
    redacts, marks = (
        ForcedOptions.from_tables({"a/": "faces,text"}, {}),
        ForcedOptions.from_tables({}, {"": "logo,north"}),
    )
    assert redacts.merge(marks).find("a/b.jpg") == Forced("all", Watermark("logo", "north"))
    assert marks.merge(redacts) == redacts.merge(marks)


@pytest.mark.parametrize(
    "text", [":", ":none", ":none-center", ":Logo", ":logo-middle", ":logo-north-0", "/a:logo", "a:b:c"]
)
def test_a_rule_that_would_mark_nothing_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        ForcedOptions.parse(text)


@given(plan=plans())
def test_every_plan_below_the_prefix_has_the_mark_in_normal_form(plan: Plan) -> None:
    rules = ForcedOptions.parse(":logo-center-50")
    assume(not is_unmarked(plan))
    forced = rules.apply(plan)
    assert rules.apply(forced) == forced
    if plan.format in DATA_FORMATS:
        assert forced == plan
        return
    assert forced.watermark == LOGO
    assert parse_path(canonical_path(forced)) == forced


@given(plan=plans())
def test_an_image_without_its_mark_needs_a_signature_in_every_mode(plan: Plan) -> None:
    assume(plan.format not in DATA_FORMATS)
    unmarked = build_plan(plan.key, {"w": 800, "wm": Watermark("none")})
    for mode in AccessMode:
        assert needs_signature(unmarked, mode, always=ForcedOptions.parse(":logo"))
    assert ForcedOptions.parse(":logo").apply(unmarked) == unmarked


@given(key=KEYS, cut=st.integers(1, 20), width=st.sampled_from([320, 801]))
def test_no_spelling_of_an_unsigned_url_has_no_mark(key: str, cut: int, width: int) -> None:
    rules = ForcedOptions.parse(f"{quote_key(key[:cut])}:logo-center-50")
    try:
        request = parse_url(f"/{quote_key(key)}?w={width}")
    except DarkroomError:
        assume(False)
    assert {variant.watermark for variant in list_variants(request.plan, always=rules)} == {LOGO}


def test_the_place_of_a_dialect_does_not_move_the_mark() -> None:
    asked = build_plan("a.jpg", {"w": 800, "wm": Watermark("a1"), "wmx": WatermarkLayout(9000, 9000, 0, 0)})
    assert asked.watermark_layout
    assert ForcedOptions.parse(":logo-center-50").apply(asked) == build_plan("a.jpg", {"w": 800, "wm": LOGO})


def test_the_mark_counts_as_an_option_of_the_request() -> None:
    rules = ForcedOptions.parse(":logo-center-50")
    long = build_plan("a.jpg", {"w": 800, "dl": "x" * (MAX_OPTIONS_BYTES - 15)})
    assert len(options_text(long)) <= MAX_OPTIONS_BYTES < len(options_text(rules.apply(long)))
    with pytest.raises(BadOption, match="longer than"):
        rules.check(long)
    rules.check(build_plan("a.jpg", {"w": 800, "dl": "x" * 50}))


def test_a_marked_preset_is_a_preset() -> None:
    rules = ForcedOptions.parse("previews/:logo-center-50")
    plans = load_default_presets().build_plans("previews/a.jpg")
    assert all(is_preset(rules.apply(plan), always=rules) for plan in plans.values() if plan.format != "auto")


@pytest.mark.parametrize(
    "document",
    [{"watermarks": {"none": "watermarks/a.png"}}, {"presets": {"clean": {"w": 800, "wm": "none"}}}],
)
def test_no_preset_and_no_watermark_is_named_none(document: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="none"):
        parse_presets(document)
