"""Cost protection: the unsigned set is finite, counted and documented."""

from __future__ import annotations

import random
import re
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from darkroom.errors import DarkroomError
from darkroom.plan.canonical import build_plan, canonical_path
from darkroom.plan.forced_options import ForcedOptions
from darkroom.plan.model import AUTO_CLASSES, DATA_FORMATS, IMAGE_FORMATS, Plan
from darkroom.plan.native_url import parse_url
from darkroom.plan.presets import Presets, load_default_presets
from darkroom.plan.variants import (
    LADDER_PX,
    UNSIGNED_SET,
    AccessMode,
    is_preset,
    is_refined,
    list_unsigned_requests,
    list_unsigned_variants,
    list_variants,
    needs_signature,
)

from .plans import plans

ROOT = Path(__file__).parents[2]
GUARDED, OPEN, SIGNED = AccessMode.GUARDED, AccessMode.OPEN, AccessMode.SIGNED
SOME = Presets({"thumb": {"w": "100", "h": "100", "fit": "cover", "f": "webp"}, "auto": {"w": "77"}}, {})


REQUESTS = sorted(list_unsigned_requests("a", SOME), key=canonical_path)
FREE = list_unsigned_requests("a", SOME) | list_unsigned_variants("a", SOME)


def some() -> Presets:
    return SOME


def none() -> Presets:
    return Presets({}, {})


@pytest.mark.parametrize("page", ["README.md", "SECURITY.md", "docs/reference/urls.md"])
def test_the_number_in_the_documents(page: str) -> None:
    found = re.findall(
        r"<!-- unsigned-variants -->(\d+)<!-- /unsigned-variants -->", (ROOT / page).read_text(encoding="utf-8")
    )
    assert found == [str(len(list_unsigned_variants("photo.jpg", load_default_presets())))]


def test_the_number_is_what_it_is_made_of() -> None:
    bare, data = 2 * 3, 2
    ladder = len(LADDER_PX) * (len(IMAGE_FORMATS) + 2 * len(AUTO_CLASSES))
    assert bare + data + ladder == 118
    assert len(list_unsigned_variants("a", none())) == 2 * (bare + ladder) + data == 234
    assert len(list_unsigned_variants("a", SOME)) == 234 + 2 * (1 + 2 * 3)


def test_the_unsigned_set() -> None:
    assert list_unsigned_requests("a", SOME) == {
        build_plan("a", {}),
        Plan("a", format="json"),
        Plan("a", format="thumbhash"),
        *(Plan("a", width=width, format=name) for width in LADDER_PX for name in ("auto", *IMAGE_FORMATS)),
        Plan("a", width=100, height=100, fit="cover", format="webp"),
        Plan("a", width=77),
    }


def test_what_needs_no_signature() -> None:
    for plan in list_unsigned_requests("any/key", SOME) | list_unsigned_variants("any/key", SOME):
        assert not needs_signature(plan, GUARDED, some)


@given(plan=plans())
def test_all_else_needs_one(plan: Plan) -> None:
    assert needs_signature(plan, GUARDED, some) == (replace(plan, key="a", rights=False) not in FREE)
    assert needs_signature(plan, SIGNED, some)
    assert not needs_signature(plan, OPEN, some)


@pytest.mark.parametrize("text", ["=faces", "a=text", "a=faces,a=text", ":logo", "a=faces,a/:logo-center"])
def test_what_is_forced_costs_no_signature_and_no_variant(text: str) -> None:
    always = ForcedOptions.parse(text)
    variants = list_unsigned_variants("a/key", load_default_presets(), always)
    assert len(variants) == len(list_unsigned_variants("a/key", load_default_presets()))
    for plan in variants:
        assert plan.redact == ("" if plan.format in DATA_FORMATS else always.find("a/key").redact)
        assert not needs_signature(plan, GUARDED, always=always)
        assert needs_signature(plan, SIGNED, always=always)
        if plan.redact:
            assert not needs_signature(replace(plan, findings="b2"), GUARDED, always=always)


@given(plan=plans(), text=st.sampled_from(["=faces", "=text", "=all", ":logo", "=text,:logo-center"]))
def test_all_else_needs_one_where_something_is_forced_too(plan: Plan, text: str) -> None:
    always = ForcedOptions.parse(text)
    free = {always.apply(known) for known in FREE}
    chosen = replace(plan, key="a", findings="", rights=False)
    assert needs_signature(plan, GUARDED, some, always) == (chosen not in free)
    made = always.apply(plan)
    assert needs_signature(made, GUARDED, some, always) == (always.apply(chosen) not in free)


@pytest.mark.parametrize(
    "plan",
    [
        Plan("a", width=800),
        Plan("a", width=800, redact="text"),
        Plan("a", width=800, redact="all"),
        Plan("a", width=801, redact="faces"),
        Plan("a", redact="faces"),
        Plan("a", width=800, redact="faces", quality=50),
        Plan("a", width=800, redact="faces", quality=50, format="webp"),
    ],
)
def test_near_the_forced_set_is_outside(plan: Plan) -> None:
    assert needs_signature(plan, GUARDED, some, ForcedOptions.parse("a=faces"))


def test_images_of_the_set_are_re_encoded_and_no_data() -> None:
    refined = {plan for plan in FREE if is_refined(plan, some)}
    assert refined == {plan for plan in FREE if plan.format not in DATA_FORMATS}
    assert not is_refined(Plan("a", width=801, format="webp"), some)
    always = ForcedOptions.parse("a=faces")
    assert is_refined(Plan("a", width=800, redact="faces", findings="2", format="webp"), some, always)


def test_a_preset_may_redact() -> None:
    hidden = Presets({"hidden": {"w": "90", "redact": "text", "anim": "0"}, "still": {"w": "91", "anim": "0"}}, {})
    wanted = hidden.build_plans("a")["hidden"]
    assert wanted == Plan("a", width=90, redact="text")
    assert not needs_signature(wanted, GUARDED, lambda: hidden)
    assert not needs_signature(replace(wanted, findings="2"), GUARDED, lambda: hidden)
    always = ForcedOptions.parse("a=faces")
    assert not needs_signature(replace(wanted, redact="all"), GUARDED, lambda: hidden, always)
    assert not needs_signature(Plan("a", width=91, redact="faces"), GUARDED, lambda: hidden, always)


@pytest.mark.parametrize(
    "plan",
    [
        Plan("a", width=801),
        Plan("a", height=800),
        Plan("a", width=800, height=800),
        Plan("a", width=800, quality=50),
        Plan("a", width=800, quality=51, format="auto-avif"),
        Plan("a", width=800, quality=50, format="webp"),
        Plan("a", width=800, redact="faces"),
        Plan("a", redact="faces"),
        Plan("a", format="webp"),
        Plan("a", format="auto-avif"),
        Plan("a", width=2560, height=2560, format="webp"),
        Plan("a", format="json", page=1),
        Plan("a", width=100, height=100, fit="cover", format="auto-webp"),
        Plan("a", width=77, format="webp"),
    ],
)
def test_near_the_set_is_outside(plan: Plan) -> None:
    assert needs_signature(plan, GUARDED, some)


def test_presets_are_those_of_the_deployment_by_default() -> None:
    for plan in load_default_presets().build_plans("a").values():
        assert not needs_signature(plan, GUARDED)


@pytest.mark.parametrize("request_plan", REQUESTS, ids=canonical_path)
def test_without_hints_no_request_leaves_the_set(request_plan: Plan) -> None:
    for variant in list_variants(request_plan, ratios=(1.0,)):
        assert not needs_signature(variant, GUARDED, some)


@pytest.mark.slow
def test_ten_thousand_unsigned_requests_make_no_more_than_the_number() -> None:
    chance = random.Random(2)
    texts = {
        "w": [str(width) for width in (*LADDER_PX, 160, 200, 400, 801)],
        "f": ["auto", "jpg", "jpeg", *IMAGE_FORMATS, "json", "thumbhash"],
        "dpr": ["1", "1.0", "1.5", "2", "3", "4"],
        "preset": [*load_default_presets().options, "none"],
        "h": ["800", "2560"],
        "fit": ["cover", "contain"],
        "g": ["attention", "center"],
        "q": ["50", "80"],
        "up": ["0", "1", "ai"],
        "anim": ["0", "1"],
        "rot": ["0", "90"],
        "page": ["0", "1"],
        "dl": ["a.jpg"],
        "redact": ["faces"],
        "fv": ["1"],
    }
    variants = list_unsigned_variants("photo.jpg", load_default_presets())
    free = {canonical_path(plan) for plan in variants if not plan.rights}
    made: set[str] = set()
    for _ in range(10_000):
        names = chance.sample(list(texts), chance.choice([0, 1, 1, 2, 2, 3, 4]))
        query = "&".join(f"{name}={chance.choice(texts[name])}" for name in names)
        try:
            plan = parse_url(f"/photo.jpg?{query}").plan
        except DarkroomError:
            continue
        if not needs_signature(plan, GUARDED):
            made |= {canonical_path(v) for v in list_variants(plan) if not needs_signature(v, GUARDED)}
    assert made <= free
    assert len(made) > len(free) * 0.9, "unsigned requests prove nothing"


def test_the_error_lists_the_widths() -> None:
    assert all(str(width) in UNSIGNED_SET for width in LADDER_PX)


HARD_TIMES = {
    "/a.jpg?preset=thumb": True,
    "/a.jpg?w=100&h=100&fit=cover&f=webp": True,  # the same image by other options
    "/a.jpg?preset=thumb&q=50": False,
    "/a.jpg?w=77&f=avif": False,
    "/a.jpg": False,
    "/a.jpg?w=320&f=webp": False,
    "/a.jpg?f=json": False,
}


@pytest.mark.parametrize("url", HARD_TIMES)
def test_what_is_a_preset(url: str) -> None:
    plan = parse_url(url, SOME).plan
    assert is_preset(plan, some) == HARD_TIMES[url]


def test_a_preset_stays_one_by_negotiation_and_by_what_is_forced() -> None:
    always = ForcedOptions.parse("a=faces")
    for plan in list_variants(build_plan("a", {"w": 77}), ratios=(1.0,)):
        assert is_preset(plan, some)
        assert is_preset(replace(always.apply(plan), findings="7"), some, always)
        assert not is_preset(plan, some, always)
    assert {plan.format for plan in FREE if is_preset(plan, some)} == {*AUTO_CLASSES, "webp"}
