"""The thumbor dialect: the plan of each part and filter, and errors by name."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from darkroom.errors import BadKey, BadOption, BadSignature, DarkroomError, Expired
from darkroom.plan.canonical import canonical_path, parse_path
from darkroom.plan.geometry.layout import Size, compute_geometry
from darkroom_dialects.common.mapping import count_supported
from darkroom_dialects.common.parsed_url import DialectKey, SignatureClaim
from darkroom_dialects.common.settings import DialectSettings, ThumborSettings
from darkroom_dialects.common.sources import Sources
from darkroom_dialects.thumbor import OPTION_MAPPINGS, parse, sign, verify

SETTINGS = DialectSettings(
    Sources((("//img.example.com/", ""), ("https://old.example.com/photos/", "old/"))),
    {"logo": "marks/logo.png"},
    detects_faces=True,
)

CASES = Path(__file__).parent.parent / "cases"
KNOWN = json.loads((CASES / "dialects" / "thumbor.json").read_text(encoding="utf-8"))
FILTERS = [call for call, _ in KNOWN["filters"]]


def path_of(url: str, settings: DialectSettings = SETTINGS) -> str:
    return canonical_path(parse(f"/unsafe/{url}", settings).plan)


@pytest.mark.parametrize(("url", "options"), KNOWN["parts"] + KNOWN["together"])
def test_what_parts_come_to(url: str, options: str) -> None:
    assert path_of(url) == f"/a.jpg/_/{options}" + ("" if options == "full.json" else ".auto")


@pytest.mark.parametrize(("call", "options"), KNOWN["filters"])
def test_what_filters_come_to(call: str, options: str) -> None:
    assert path_of(f"filters:{call}/a.jpg") == f"/a.jpg/_/{options}" + ("" if options.startswith("full.") else ".auto")


@pytest.mark.parametrize(("url", "message"), KNOWN["refused"])
def test_what_is_refused_is_named(url: str, message: str) -> None:
    with pytest.raises(BadOption) as refusal:
        path_of(url)
    assert refusal.value.message.startswith(message) or message in refusal.value.message
    assert refusal.value.option
    assert refusal.value.status == 400


def test_without_face_detection_red_eyes_stay() -> None:
    assert (
        path_of("filters:red_eye():quality(40)/a.jpg", replace(SETTINGS, detects_faces=False)) == "/a.jpg/_/q-40.auto"
    )


def test_a_deployment_that_leaves_images_as_they_are_stored() -> None:
    settings = DialectSettings(thumbor=ThumborSettings(respect_orientation=False))
    assert path_of("30x20/a.jpg", settings) == "/a.jpg/_/fit-cover_h-20_orient-0_up-1_w-30.auto"


def test_the_metadata_document_of_a_lying_source() -> None:
    source = {"width": 60, "height": 90, "frames": 1, "orientation": 6}
    for respected, size in ((True, (60, 90)), (False, (90, 60))):
        settings = DialectSettings(thumbor=ThumborSettings(respect_orientation=respected))
        describe = parse("/unsafe/meta/a.jpg", settings).document
        assert describe is not None
        document: Any = describe(source)
        assert (document["thumbor"]["source"]["width"], document["thumbor"]["source"]["height"]) == size


def test_a_deployment_whose_smart_crop_keeps_faces() -> None:
    settings = DialectSettings(thumbor=ThumborSettings("face"))
    assert path_of("30x20/smart/a.jpg", settings) == "/a.jpg/_/fit-cover_g-face_h-20_up-1_w-30.auto"
    assert path_of("origx20/smart/a.jpg", settings) == "/a.jpg/_/fit-cover_g-face_h-20_own-w_up-1.auto"


@pytest.mark.parametrize(
    ("image", "key"),
    [
        ("a.jpg", "a.jpg"),
        ("folder/a%20b.jpg", "folder/a.-20b.jpg"),
        ("https://img.example.com/a.jpg", "a.jpg"),
        ("http://img.example.com/x/a.jpg", "x/a.jpg"),
        ("http:/img.example.com/a.jpg", "a.jpg"),
        ("img.example.com/some/a.jpg", "some/a.jpg"),
        ("https%3A%2F%2Fold.example.com%2Fphotos%2Fa%2520b.jpg", "old/a.-20b.jpg"),
        ("https%3a//img.example.com/a.jpg", "a.jpg"),
        ("300x200.jpg", "300x200.jpg"),
        ("filters.jpg", "filters.jpg"),
        ("smart", "smart"),
    ],
)
def test_which_key_an_image_means(image: str, key: str) -> None:
    assert path_of(image).partition("/_/")[0] == f"/{key}"


@pytest.mark.parametrize(
    "path", ["", "/", "/a.jpg", "/unsafe", "/unsafe/", "/unsafe/https://other.example.com/a.jpg", "/unsafe/%ff"]
)
def test_paths_that_name_no_image(path: str) -> None:
    with pytest.raises(BadKey):
        parse(path, SETTINGS)


BRIGHT, GREY = "1-0-0-0.4-0-1-0-0.4-0-0-1-0.4", "0.299-0.587-0.114-0"
MARK = "wm-logo-northwest-100-25_wmx-0-0-0-0-0"


@pytest.mark.parametrize(
    ("calls", "options"),
    [
        ("equalize():brightness(40)", f"lev-equal_mat-{BRIGHT}"),
        ("brightness(40):equalize()", f"lev-after_mat-{BRIGHT}"),
        ("brightness(40):equalize():brightness(40)", f"late-{BRIGHT}_lev-after_mat-{BRIGHT}"),
        ("blur(7):brightness(40)", f"blur-4_late-{BRIGHT}"),
        ("brightness(40):blur(7)", f"blur-4_mat-{BRIGHT}"),
        ("blur(7):grayscale()", f"blur-4_late-{GREY}-{GREY}-{GREY}"),
        ("blur(7):equalize()", "blur-4_lev-after"),
        ("watermark(marks/logo.png,0,0,0):brightness(40)", f"late-{BRIGHT}_{MARK}"),
        ("brightness(40):watermark(marks/logo.png,0,0,0)", f"mat-{BRIGHT}_{MARK}"),
        ("blur(7):brightness(40):watermark(marks/logo.png,0,0,0)", f"blur-4_mat-{BRIGHT}_{MARK}"),
        ("brightness(40):equalize():watermark(marks/logo.png,0,0,0)", f"lev-equal_mat-{BRIGHT}_{MARK}"),
    ],
)
def test_tones_stand_where_the_url_has_them(calls: str, options: str) -> None:
    assert path_of(f"filters:{calls}/a.jpg") == f"/a.jpg/_/{options}.auto"


def test_a_query_is_ignored() -> None:
    assert parse("/unsafe/30x20/a.jpg?v=2", SETTINGS) == parse("/unsafe/30x20/a.jpg", SETTINGS)


def test_how_long_an_answer_may_be_kept() -> None:
    assert parse("/unsafe/filters:max_age(360)/a.jpg", SETTINGS).max_age_s == 360
    assert parse("/unsafe/a.jpg", SETTINGS).max_age_s is None


VECTOR = "8ammJH8D-7tXy6kU3lTvoXlhu4o="
KEY = DialectKey("my-security-key")


def test_the_signature_of_thumbors_own_documentation() -> None:
    settings = DialectSettings(Sources((("//my.server.com/", ""),)))
    asked = parse(f"/{VECTOR}/300x200/my.server.com/some/path/to/image.jpg", settings)
    assert asked.claim == SignatureClaim(b"300x200/my.server.com/some/path/to/image.jpg", VECTOR)
    assert asked.plan.key == "some/path/to/image.jpg"
    assert sign(asked.claim.message, KEY) == VECTOR
    verify(asked.claim, [DialectKey("an-older-key"), KEY], now_s=0)


def test_an_escaped_signature_is_the_same() -> None:
    claim = parse(f"/{VECTOR.replace('=', '%3D')}/a.jpg", SETTINGS).claim
    assert claim is not None and claim.signature == VECTOR


@pytest.mark.parametrize("keys", [[], [DialectKey("")], [DialectKey("another")]])
def test_a_signature_by_an_unknown_key(keys: list[DialectKey]) -> None:
    with pytest.raises(BadSignature):
        verify(SignatureClaim(b"300x200/my.server.com/some/path/to/image.jpg", VECTOR), keys, now_s=0)


def test_time_that_is_over() -> None:
    claim = SignatureClaim(b"a.jpg", sign(b"a.jpg", KEY))
    verify(claim, [KEY], now_s=9, expires_s=10)
    with pytest.raises(Expired):
        verify(claim, [KEY], now_s=10, expires_s=10)


def test_what_is_unsafe_claims_nothing() -> None:
    assert parse("/unsafe/a.jpg", SETTINGS).claim is None


PAGE = json.loads((CASES / "moving" / "thumbor.json").read_text())
ANSWERED = [case for case in PAGE["cases"] if case["expect"]["status"] == 200]


@pytest.mark.parametrize("case", ANSWERED, ids=[case["name"] for case in ANSWERED])
def test_a_page_comes_to_the_sizes_that_thumbor_gave(case: dict[str, Any]) -> None:
    settings = DialectSettings(Sources(tuple(PAGE["hosts"].items())))
    asked = parse(case["url"], settings)
    if case["signed"]:
        verify(asked.claim, [DialectKey(PAGE["keys"]["security_key"])], now_s=0)
    assert asked.plan.key == case["source"]
    size = compute_geometry(asked.plan, Size(*case["source_size"])).size
    assert size == (case["expect"]["width"], case["expect"]["height"])
    assert asked.plan.format in ("auto", case["expect"]["format"])


BUILT_IN = {
    *("brightness", "colorize", "contrast", "rgb", "round_corner", "quality", "noise", "watermark", "equalize"),
    *("fill", "sharpen", "strip_exif", "strip_icc", "frame", "grayscale", "rotate", "format", "max_bytes"),
    *("convolution", "blur", "extract_focal", "focal", "no_upscale", "saturation", "max_age", "curve"),
    *("background_color", "upscale", "proportion", "stretch", "autojpg", "red_eye", "cover", "gifv"),
}
"""``BUILTIN_FILTERS`` of thumbor 7.8.0, and further filters of its documentation."""

PART_NAMES = ["meta", "trim", "crop", "fit", "size", "halign", "valign", "smart", "debug"]


def test_every_filter_and_part_of_thumbor_is_in_the_table() -> None:
    assert {one.name for one in OPTION_MAPPINGS if not one.group} == BUILT_IN
    assert [one.name for one in OPTION_MAPPINGS if one.group == "path"] == PART_NAMES
    assert count_supported(OPTION_MAPPINGS) == (34, 34)


WORDS = st.sampled_from(
    [
        *("unsafe", "meta", "debug", "trim", "trim:bottom-right:9", "1x2:30x40", "fit-in", "adaptive-full-fit-in"),
        *("300x200", "-0x-0", "origx9", "9xorig", "left", "bottom", "smart", "a.jpg", "http://img.example.com/a.jpg"),
        *(f"filters:{call}" for call in FILTERS),
        "filters:" + ":".join(call for call in FILTERS[:8]),
    ]
)


def same(url: str) -> None:
    """A URL is parsed to a Plan with a canonical path, or raises a request error."""
    try:
        plan = parse(url, SETTINGS).plan
    except DarkroomError as refusal:
        assert refusal.status == 400
    else:
        assert parse_path(canonical_path(plan)) == plan


@given(st.lists(WORDS, max_size=8))
def test_any_order_of_parts(words: list[str]) -> None:
    same("/unsafe/" + "/".join(words))


@given(st.text(max_size=60))
def test_any_text(text: str) -> None:
    same(f"/unsafe/{text}")
    same(text)


@given(
    st.sampled_from(sorted({call.partition("(")[0] for call in FILTERS})),
    st.text("0123456789.,;|-p()[]'atrue\u0660 ", max_size=40),
)
def test_any_arguments(name: str, arguments: str) -> None:
    same(f"/unsafe/300x200/filters:{name}({arguments})/a.jpg")
