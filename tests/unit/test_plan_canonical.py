"""One path per meaning, one meaning per path."""

from __future__ import annotations

import random
import re
from dataclasses import replace
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from darkroom.errors import BadKey, BadOption
from darkroom.image_keys import check_key, unquote
from darkroom.plan.canonical import (
    MAX_OPTIONS_BYTES,
    MAX_REQUEST_BYTES,
    build_plan,
    canonical_path,
    check_length,
    derivative_name,
    parse_path,
)
from darkroom.plan.forced_options import ForcedOptions
from darkroom.plan.model import AUTO_CLASSES, Crop, Gravity, Padding, Plan, Watermark
from darkroom.plan.native_url import parse_url
from darkroom.plan.option_types import Value
from darkroom.plan.options import OPTIONS_BY_NAME
from darkroom.plan.variants import list_variants

from .plans import PLANNED, option_values, plans, url_text

S3_KEY_BYTES = 1024


@given(plan=plans())
def test_a_path_names_its_plan(plan: Plan) -> None:
    path = canonical_path(plan)
    assert parse_path(path) == plan
    assert hash(parse_path(path)) == hash(plan)
    assert re.fullmatch("[A-Za-z0-9/._-]+", path)
    assert derivative_name(plan) == path.removeprefix("/")


@given(one=option_values(), other=option_values())
def test_two_meanings_have_two_paths(one: dict[str, Value], other: dict[str, Value]) -> None:
    plan, second = build_plan("a", one), build_plan("a", other)
    assert (canonical_path(plan) == canonical_path(second)) == (plan == second)


def _spelled(values: dict[str, Value], chance: random.Random) -> str:
    """A query for ``values``, in one of the many ways."""
    defaults = [option for option in PLANNED if option.default not in (None, "") and option.short not in values]
    extra = {o.short: o.default for o in chance.sample(defaults, chance.randint(0, 3)) if o.default is not None}
    pairs = []
    for short, value in chance.sample(list((values | extra).items()), len(values | extra)):
        name = chance.choice([short, OPTIONS_BY_NAME[short].long])
        text = chance.choice([url_text(short, value), _everywhere(unquote(url_text(short, value)))])
        if short == "bg" and len(text) == 6 and chance.random() < 0.5:
            text = text.upper() + "FF"
        if short in ("g", "crop", "pad", "wm"):
            text = text.replace(",", chance.choice([",", ":", "%2C", "%3a"]))
        pairs.append(f"{chance.choice([name, _everywhere(name)])}={text}")
    return chance.choice(["&", "&&"]).join(pairs)


def _everywhere(text: str) -> str:
    return "".join(f"%{byte:02x}" for byte in text.encode())


@given(values=option_values(most=6), chance=st.randoms(use_true_random=False))
def test_urls_that_mean_the_same_have_one_path(values: dict[str, Value], chance: random.Random) -> None:
    plan = build_plan("a/b é.jpg", values)
    for key in ("a/b%20%C3%A9.jpg", "%61%2fb%20%c3%a9%2Ejpg"):
        assert parse_url(f"/{key}?{_spelled(values, chance)}").plan == plan


@pytest.mark.parametrize(
    ("plan", "path"),
    [
        (
            Plan("a", width=1, height=2, fit="cover", gravity=Gravity("north"), format="webp"),
            "fit-cover_g-north_h-2_w-1.webp",
        ),
        (Plan("a", crop=Crop("px", 1, 2, 3, 4)), "crop-1-2-3-4.auto"),
        (Plan("a", crop=Crop("pct", 0.5, 0, 99.5, 12.25), format="png"), "crop-pct-0.5-0-99.5-12.25.png"),
        (Plan("a", padding=Padding(1, 2, 3, 4), background="aabbcc80"), "bg-aabbcc80_pad-1-2-3-4.auto"),
        (Plan("a", watermark=Watermark("logo", "north", 1, 2)), "wm-logo-north-1-2.auto"),
        (Plan("a", rotate=90, flip="h", upscale=True, width=1), "flip-h_rot-90_up-1_w-1.auto"),
        (
            Plan("a", trim=1, radius=2, blur=0.5, sharpen=1.5, denoise=3),
            "blur-0.5_denoise-3_radius-2_sharp-1.5_trim-1.auto",
        ),
        (Plan("a", equalise=True, brightness=-1, contrast=2, saturation=3), "bri--1_con-2_equalise-1_sat-3.auto"),
        (Plan("a", gamma=2.2, grayscale=True, quality=5, animate=False), "anim-0_gam-2.2_gray-1_q-5.auto"),
        (Plan("a", redact="text", format="jpeg"), "redact-text.jpeg"),
        (Plan("a", redact="all", findings="b2"), "fv-b2_redact-all.auto"),
        (Plan("a", redact="faces-plate", findings="b2"), "fv-b2_redact-faces-plate.auto"),
        (Plan("a", format="json", boxes=True, findings="b2"), "boxes-1_fv-b2.json"),
        (
            Plan("a", width=4, height=4, fit="cover", gravity=Gravity("face"), findings="1", format="auto-webp"),
            "fit-cover_fv-1_g-face_h-4_w-4.auto-webp",
        ),
        (Plan("a", page=3, download="a_~é.-b.jpg"), "dl-a.-5F.-7E.-C3A9..-2Db.jpg_page-3.auto"),
        (Plan("a", format="json"), "full.json"),
        (Plan("a", width=2560, height=2560), "h-2560_w-2560.auto"),
        (Plan("a", width=800, quality=50, format="auto-legacy"), "q-50_w-800.auto-legacy"),
    ],
)
def test_spelling(plan: Plan, path: str) -> None:
    assert canonical_path(plan) == f"/a/_/{path}"
    assert parse_path(f"/a/_/{path}") == plan


def test_the_key_is_encoded_in_the_path_and_in_the_name() -> None:
    plan = build_plan("a b/é+(1).jpg", {})
    assert canonical_path(plan) == "/a.-20b/.-C3A9.-2B.-281.-29.jpg/_/h-2560_w-2560.auto"
    assert derivative_name(plan) == "a.-20b/.-C3A9.-2B.-281.-29.jpg/_/h-2560_w-2560.auto"


@pytest.mark.parametrize(
    "path",
    [
        "/a/_/w-800.bmp",
        "/a/_/w-800",
        "/a/_/w-800.AUTO",
        "/a/_/w-800.auto-jpeg",
        "/a/_/.auto",
        "/a/_/full",
        "/a/_/full.auto",
        "a/_/w-800.auto",
        "//a/_/w-800.auto",
        "/w-800.auto",
        "/_/w-800.auto",
        "/a/w-800.auto",
        "/a//_/w-800.auto",
        "/a/_/b/_/w-800.auto",
        "/%61/_/w-800.auto",
        "/a%2Fb/_/w-800.auto",
        "/a%C3%A9/_/w-800.auto",
        "/a%20b/_/w-800.auto",
        "/a~b/_/w-800.auto",
        "/.-61/_/w-800.auto",
        "/a.-2Fb/_/w-800.auto",
        "/a.-c3a9/_/w-800.auto",
        "/a.-C3.-A9/_/w-800.auto",
        "/a.-b/_/w-800.auto",
        "/é/_/w-800.auto",
        "/a%zz/_/w-800.auto",
        "/a.-FF/_/w-800.auto",
        "/a.-0A/_/w-800.auto",
        "/a/_/w-0800.auto",
        "/a/_/w-0.auto",
        "/a/_/w-800_w-800.auto",
        "/a/_/w-800_h-600.auto",
        "/a/_/width-800.auto",
        "/a/_/w-800_.auto",
        "/a/_/w.auto",
        "/a/_/w-.auto",
        "/a/_/zz-1.auto",
        "/a/_/dpr-2_w-400.auto",
        "/a/_/preset-cover.auto",
        "/a/_/exp-1_w-800.auto",
        "/a/_/redact-None.auto",
        "/a/_/redact-text-faces.auto",
        "/a/_/redact-faces-text.auto",
        "/a/_/redact-plate-faces.auto",
        "/a/_/redact-faces-faces.auto",
        "/a/_/redact-all-pii.auto",
        "/a/_/fit-cover_g-obj_h-1_w-1.auto",
        "/a/_/boxes-1.auto",
        "/a/_/boxes-0.json",
        "/a/_/boxes-1_page-1.json",
        "/a/_/page-1_redact-faces.auto",
        "/a/_/anim-0_redact-faces.auto",
        "/a/_/redact-faces.json",
        "/a/_/fv-1_w-800.auto",
        "/a/_/fv-1.auto",
        "/a/_/fv-1.json",
        "/a/_/findings-1_redact-all.auto",
        "/a/_/fv-_redact-all.auto",
        "/a/_/fv-A_redact-all.auto",
        "/a/_/fv-123456789_redact-all.auto",
        "/a/_/fv-1_g-face_h-1_w-1.auto",
        "/a/_/f-webp_w-800.auto",
        "/a/_/fit-contain_w-800.auto",
        "/a/_/fit-cover_w-800.auto",
        "/a/_/flip-v.auto",
        "/a/_/flip-hv.auto",
        "/a/_/up-1.auto",
        "/a/_/q-80.png",
        "/a/_/anim-0.jpeg",
        "/a/_/w-800.json",
        "/a/_/bg-abc.auto",
        "/a/_/bg-AABBCC.auto",
        "/a/_/blur-1.50.auto",
        "/a/_/crop-pct-0-0-100-100.auto",
        "/a/_/pad-5.auto",
        "/a/_/wm-logo.auto",
        "/a/_/crop-1~2~3~4.auto",
        "/a/_/crop-1-2-3.auto",
        "/a/_/crop-1-2-3--4.auto",
        "/a/_/trim-1_trimx--southeast-h.auto",
        "/a/_/dl-a.-2e.auto",
        "/a/_/dl-a.-2E.auto",
        "/a/_/dl-a%20b.auto",
        "/a/_/dl-a~20b.auto",
        "/a/_/dl-a.-2.auto",
        "/a/_/dl-.-FF.auto",
        "/a/_/dl-.-C3.-A9.auto",
        "/a/_/w-800.auto?exp=1",
        "/a/_/w-800.auto/",
        "",
        "/",
    ],
)
def test_a_second_spelling_is_no_path(path: str) -> None:
    with pytest.raises((BadKey, BadOption)):
        parse_path(path)


@given(plan=plans(), data=st.data())
def test_a_changed_path_names_another_plan_or_none(plan: Plan, data: st.DataObject) -> None:
    path = canonical_path(plan)
    at = data.draw(st.integers(1, len(path)))
    changed = path[:at] + data.draw(st.sampled_from(["~", "-", "_", "0", "a", "%", "/", ".", ".-", "-2D"])) + path[at:]
    try:
        found = parse_path(changed)
    except (BadKey, BadOption):
        return
    assert canonical_path(found) == changed


def _longest() -> dict[str, Value]:
    values: dict[str, Value] = {
        "dl": "é" * 32,
        "crop": Crop("pct", 12.34, 12.34, 12.34, 12.34),
        "wm": Watermark("w" * 2, "southwest", 10, 10),
        "ov": "text:" + "é" * 87 + "aaaa",
        "w": 999,
        "h": 999,
    }
    assert len(canonical_path(build_plan("a", values)).split("/_/")[1].removesuffix(".auto")) == MAX_OPTIONS_BYTES
    return values


LONG_KEY_BYTES = MAX_REQUEST_BYTES - MAX_OPTIONS_BYTES - len("//_/")
"""Of the longest key without escapes that leaves room for the longest options."""

SHORT = {"crop": Crop("pct", 12.34, 12.34, 12.34, 12.34), "dl": "a" * 32, "h": 999, "w": 999}
"""Options of as many characters as the longest encoding of a key leaves."""


@pytest.mark.parametrize(("key", "values"), [("a" * LONG_KEY_BYTES, _longest()), ("é" * 144 + "abc", SHORT)])
def test_every_derivative_of_the_longest_request_is_a_key_that_s3_takes(key: str, values: dict[str, Value]) -> None:
    plan = build_plan(check_key(key), values)
    check_length(plan)
    with pytest.raises(BadOption, match="longer than"):
        check_length(build_plan(key, values | {"w": 1000}))
    variants = {
        replace(variant, findings="generate", rights=True)
        for variant in list_variants(plan, always=ForcedOptions.parse("=faces-objects1-plate"))
    }
    sizes = [len(f"derivatives/{derivative_name(variant)}".encode()) for variant in variants]
    assert max(sizes) == S3_KEY_BYTES
    assert {parse_path(canonical_path(variant)) for variant in variants} == variants
    assert {variant.format for variant in variants} == set(AUTO_CLASSES)


def test_a_longer_request_is_refused() -> None:
    plan = build_plan("a", _longest() | {"w": 1000})
    with pytest.raises(BadOption, match=f"longer than {MAX_OPTIONS_BYTES} characters") as refusal:
        check_length(plan)
    assert refusal.value.option == ""
    pairs = (f"{short}={url_text(short, value)}" for short, value in (_longest() | {"w": 1000}).items())
    with pytest.raises(BadOption, match="longer than"):
        parse_url("/a?" + "&".join(pairs))


@given(key=st.text(st.characters(exclude_categories=["Cs"]), max_size=12))
def test_an_encoded_key_is_read_back(key: str) -> None:
    try:
        request = parse_url("/" + quote(key, safe="/"))
    except BadKey:
        return
    assert request.plan.key == key
    assert parse_path(request.path).key == key
