"""The DIT dialect in its three forms: the plan of each edit, and errors by name."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from darkroom.errors import BadKey, BadOption, BadSignature, DarkroomError, Expired
from darkroom.plan.canonical import canonical_path, parse_path
from darkroom.plan.geometry.layout import Size, compute_geometry
from darkroom.plan.model import Scale
from darkroom_dialects.common.mapping import count_supported
from darkroom_dialects.common.parsed_url import DialectKey, SignatureClaim
from darkroom_dialects.common.settings import DialectSettings, DitSettings
from darkroom_dialects.common.sources import Sources
from darkroom_dialects.dit import OPTION_MAPPINGS, parse, sign, verify

SETTINGS = DialectSettings(Sources((("s3://pictures/", ""), ("s3://old/", "old/"))), {"logo": "marks/logo.png"})
CASES = Path(__file__).parent.parent / "cases" / "dialects"
KNOWN = json.loads((CASES / "dit.json").read_text(encoding="utf-8"))
BOX = {"width": 300, "height": 200}


def encoded(document: object) -> str:
    return "/" + base64.b64encode(json.dumps(document).encode()).decode()


def named(options: str, key: str = "a.jpg") -> str:
    return f"/{key}/_/{options}" + ("" if options.rpartition(".")[2].isalpha() else ".auto")


def path_of(target: str, settings: DialectSettings = SETTINGS) -> str:
    return canonical_path(parse(target, settings).plan)


@pytest.mark.parametrize(("edits", "options"), KNOWN["edits"], ids=json.dumps)
def test_what_edits_come_to(edits: dict[str, Any], options: str) -> None:
    assert path_of(encoded({"key": "a.jpg", "edits": edits})) == named(options)


@pytest.mark.parametrize(("edits", "message"), KNOWN["refused"], ids=json.dumps)
def test_what_is_refused_is_named(edits: Any, message: str) -> None:
    with pytest.raises(BadOption) as refusal:
        path_of(encoded({"key": "a.jpg", "edits": edits}))
    assert refusal.value.message.startswith(message)
    assert refusal.value.option
    assert refusal.value.status == 400


@pytest.mark.parametrize(("target", "options"), KNOWN["paths"])
def test_what_paths_and_queries_come_to(target: str, options: str) -> None:
    key = target.partition("?")[0].rpartition("/")[2]
    assert path_of(f"/{target}") == named(options, key)


SIZES = json.loads((CASES / "dit-sizes.json").read_text())["cases"]


def has_no_place(edits: dict[str, Any]) -> bool:
    """Whether the page lists these edits as refused: fill that must not enlarge."""
    resize = edits.get("resize", {})
    return resize.get("fit") == "fill" and "withoutEnlargement" in resize


@pytest.mark.parametrize("case", SIZES, ids=lambda case: f"{case['source']} {json.dumps(case['edits'])}")
def test_edits_come_to_the_sizes_that_sharp_gave(case: dict[str, Any]) -> None:
    target = encoded({"key": "a.jpg", "edits": case["edits"]})
    if has_no_place(case["edits"]):
        with pytest.raises(BadOption):
            parse(target, SETTINGS)
        return
    plan = parse(target, SETTINGS).plan
    size, pad = compute_geometry(plan, Size(*case["source"])).size, plan.padding
    across, down = size.width + pad.left + pad.right, size.height + pad.top + pad.bottom
    roughly = 1 if plan.angle or plan.scale != Scale() else 0  # corners of a turned image, and halves of a pixel
    assert abs(across - case["size"][0]) <= roughly and abs(down - case["size"][1]) <= roughly


def test_the_query_goes_before_the_edits() -> None:
    target = encoded({"key": "a.jpg", "edits": {"resize": BOX, "grayscale": True}})
    assert path_of(f"{target}?width=50") == named("gray-1_up-1_w-50")
    assert path_of(f"{target}?greyscale=false&format=webp") == named("fit-cover_h-200_up-1_w-300.webp")


@pytest.mark.parametrize(
    ("document", "key"),
    [
        ({"key": "a b.jpg"}, "a.-20b.jpg"),
        ({"key": "100%.jpg"}, "100.-25.jpg"),
        ({"key": "f/中.jpg", "bucket": "old"}, "old/f/.-E4B8AD.jpg"),
        ({"key": "a?b#c.jpg", "bucket": "pictures"}, "a.-3Fb.-23c.jpg"),
        ({"key": "/a.jpg"}, "a.jpg"),
    ],
)
def test_which_key_a_request_means(document: dict[str, Any], key: str) -> None:
    assert path_of(encoded(document)).partition("/_/")[0] == f"/{key}"


@pytest.mark.parametrize(
    ("path", "key"),
    [
        ("f/a%20b.jpg", "f/a.-20b.jpg"),
        ("fit-in/30x20/f/g/a.jpg", "f/g/a.jpg"),
        ("f/30x20/a.jpg", "f/a.jpg"),
        ("s3:old/f/a.jpg", "old/f/a.jpg"),
        ("fit-in/30x20/s3:old/a.jpg", "old/a.jpg"),
        ("filters:grayscale()/30x20.jpg", "30x20.jpg"),
        ("MTIz", "MTIz"),
    ],
)
def test_which_key_a_path_means(path: str, key: str) -> None:
    assert path_of(f"/{path}").partition("/_/")[0] == f"/{key}"


@pytest.mark.parametrize(
    "target",
    [
        "",
        "/",
        "/%ff",
        "/fit-in/30x20/",
        "/s3:foreign/a.jpg",
        "/filters:blur(%ff)/a.jpg",
        encoded({}),
        encoded({"key": 5}),
        encoded({"key": "a.jpg", "bucket": "foreign"}),
        encoded({"key": "a/_/b.jpg"}),
    ],
)
def test_paths_that_name_no_image(target: str) -> None:
    with pytest.raises(BadKey):
        parse(target, SETTINGS)


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({"key": "a.jpg", "bucket": "no/bucket"}, "bucket: "),
        ({"key": "a.jpg", "outputFormat": "heic"}, "toFormat: "),
        ({"key": "a.jpg", "outputFormat": 5}, "toFormat: "),
        ({"key": "a.jpg", "headers": {"X-Anything": "1"}}, "headers: only Cache-Control"),
        ({"key": "a.jpg", "headers": 5}, "headers: it must be an object"),
    ],
)
def test_invalid_requests(document: dict[str, Any], message: str) -> None:
    with pytest.raises(BadOption) as refusal:
        parse(encoded(document), SETTINGS)
    assert refusal.value.message.startswith(message)


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("width=wide", "width: it must be a whole number"),
        ("width=9000", "w must be"),
        ("format=raw", "toFormat: "),
        ("fit=squeeze&width=1&height=1", "fit: "),
        ("expires=20300102", "expires: "),
        ("expires=20301302T120304Z", "expires: "),
        ("format=%ff", "The query is not percent-encoded UTF-8"),
        ("resize.kernel=cubic", "There is no option 'resize.kernel'"),
        ("smartCrop.labels=cat", "There is no option 'smartCrop.labels'"),
        ("sharpen.m1=2", "There is no option 'sharpen.m1'"),
        ("watermark=images.example.com/logo.png,[0,0]", "watermark is not supported"),
        ("contentModeration=true", "contentModeration is not supported"),
        ("contentModeration.blur=9", "There is no option 'contentModeration.blur'"),
        ("extract=1,2,3", "extract: "),
        ("extract=1,2,3,x", "extract: "),
        ("tint=1,2", "tint: "),
        ("quality=high", "quality: "),
        ("resize.width=x", "width: "),
    ],
)
def test_invalid_queries(query: str, message: str) -> None:
    with pytest.raises(BadOption) as refusal:
        parse(f"/a.jpg?{query}", SETTINGS)
    assert refusal.value.message.startswith(message)


def test_requested_response_headers() -> None:
    document = {
        "key": "a.jpg",
        "headers": {"Cache-Control": "max-age=31536000,public"},
        "outputFormat": "jpeg",
        "effort": 3,
    }
    asked = parse(encoded(document), SETTINGS)
    assert asked.max_age_s == 31_536_000
    assert asked.plan.format == "jpeg"
    assert parse(encoded({"key": "a.jpg", "headers": None}), SETTINGS).max_age_s is None


def test_a_named_format_goes_before_that_of_an_edit() -> None:
    edits = {"jpeg": {"quality": 70}}
    assert path_of(encoded({"key": "a.jpg", "edits": edits, "outputFormat": "webp"})) == named("full.webp")
    assert path_of(encoded({"key": "a.jpg", "edits": {"toFormat": "png"}, "outputFormat": "webp"})) == named("full.png")


def test_a_deployment_that_does_not_negotiate() -> None:
    settings = DialectSettings(dit=DitSettings(auto_webp=False))
    assert path_of("/30x20/a.jpg", settings) == "/a.jpg/_/fit-cover_h-20_up-1_w-30.auto-legacy"
    assert path_of("/30x20/a.jpg?format=webp", settings) == "/a.jpg/_/fit-cover_h-20_up-1_w-30.webp"


SIGNED_PATH = "/eyJidWNrZXQiOiJ2YWxpZEJ1Y2tldCIsImtleSI6InZhbGlkS2V5IiwiZWRpdHMiOnsidG9Gb3JtYXQiOiJwbmcifX0="
VECTOR = "4d41311006641a56de7bca8abdbda91af254506107a2c7b338a13ca2fa95eac3"
KEY = DialectKey("secret")


@pytest.mark.parametrize("cut", [1, 2])
def test_base64_may_be_unpadded(cut: int) -> None:
    document = {"key": "a" * (cut + 2) + ".jpg", "edits": {"rotate": 90}}
    target = encoded(document)
    assert target.endswith("=") and parse(target.rstrip("="), SETTINGS).plan == parse(target, SETTINGS).plan


def test_fields_of_version_8_are_signed() -> None:
    claim = parse("/a.jpg?resize.width=3&signature=ab&utm.source=1", SETTINGS).claim
    assert claim == SignatureClaim(b"/a.jpg?resize.width=3", "ab")


def test_the_signature_of_aws_own_test() -> None:
    """``test/image-request/setup.spec.ts``, "Should pass when the image signature is correct"."""
    asked = parse(f"{SIGNED_PATH}?signature={VECTOR}", DialectSettings(Sources((("s3://validbucket/", ""),))))
    assert asked.claim == SignatureClaim(SIGNED_PATH.encode(), VECTOR)
    verify(asked.claim, [DialectKey("older"), KEY], now_s=0)
    assert canonical_path(asked.plan) == "/validKey/_/full.png"


def test_what_is_signed_of_a_query() -> None:
    claim = parse("/a.jpg?width=3&signature=ab&utm=1&format=jp%67&flip=", SETTINGS).claim
    assert claim == SignatureClaim(b"/a.jpg?flip=&format=jpg&width=3", "ab")


@pytest.mark.parametrize("signature", ["", VECTOR[:-1] + "4", VECTOR.upper(), VECTOR[:32], "é"])
def test_a_signature_by_another_key(signature: str) -> None:
    with pytest.raises(BadSignature):
        verify(SignatureClaim(SIGNED_PATH.encode(), signature), [KEY], now_s=0)


def test_an_empty_key_signs_nothing() -> None:
    with pytest.raises(BadSignature):
        verify(SignatureClaim(b"/a.jpg", sign(b"/a.jpg", DialectKey(""))), [DialectKey("")], now_s=0)


def test_time_that_is_over() -> None:
    asked = parse("/a.jpg?expires=19700101T000010Z", SETTINGS)
    assert (asked.claim, asked.expires_s) == (None, 10)
    verify(None, [KEY], now_s=9, expires_s=asked.expires_s)
    with pytest.raises(Expired):
        verify(None, [KEY], now_s=10, expires_s=asked.expires_s)


ALLOWED = {
    *("removeAlpha", "ensureAlpha", "extractChannel", "joinChannel", "bandbool", "tint", "greyscale", "grayscale"),
    *("pipelineColourspace", "pipelineColorspace", "toColourspace", "toColorspace", "rotate", "flip", "flop", "affine"),
    *("sharpen", "median", "blur", "flatten", "unflatten", "gamma", "negate", "normalise", "normalize", "clahe"),
    *("convolve", "threshold", "boolean", "linear", "recomb", "modulate", "jpeg", "png", "webp", "gif", "avif", "tiff"),
    *("heif", "toFormat", "resize", "extend", "extract", "trim", "overlayWith", "smartCrop", "roundCrop"),
    *("contentModeration", "crop", "animated", "stripExif", "stripIcc"),
}
"""``SHARP_EDIT_ALLOWLIST_ARRAY``, ``ALTERNATE_EDIT_ALLOWLIST_ARRAY`` and edits of ``instantiateSharpImage``, v7.0."""

MAPPED = {
    *("autojpg", "background_color", "blur", "convolution", "equalize", "fill", "format", "grayscale", "no_upscale"),
    *(
        "proportion",
        "quality",
        "rgb",
        "rotate",
        "sharpen",
        "stretch",
        "strip_exif",
        "strip_icc",
        "upscale",
        "watermark",
    ),
    *("animated", "smart_crop"),
}
"""``mapFilter`` in ``thumbor-mapper.ts``."""


def names(group: str) -> set[str]:
    return {name for one in OPTION_MAPPINGS if one.group == group for name in one.names}


def test_everything_of_dit_is_in_the_table() -> None:
    assert names("") == ALLOWED
    assert names("filters") == MAPPED
    assert names("request") == {"bucket", "key", "edits", "outputFormat", "effort", "headers"}
    assert names("query") == {
        "format",
        "fit",
        "width",
        "height",
        "rotate",
        "flip",
        "flop",
        "grayscale",
        "greyscale",
    } | {
        "expires",
        "signature",
    }
    assert count_supported(OPTION_MAPPINGS) == (40, 48)


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-300, 9000)
    | st.floats()
    | st.sampled_from(["", "10", "-5p", "red", "#f80", "jpeg"]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                [
                    "width",
                    "height",
                    "fit",
                    "position",
                    "left",
                    "top",
                    "quality",
                    "sigma",
                    "r",
                    "g",
                    "b",
                    "options",
                    "key",
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=8,
)


def same(target: str) -> None:
    """A URL is parsed to a Plan with a canonical path, or raises a request error."""
    try:
        plan = parse(target, SETTINGS).plan
    except DarkroomError as refusal:
        assert refusal.status == 400
    else:
        assert parse_path(canonical_path(plan)) == plan


@given(st.dictionaries(st.sampled_from(sorted(ALLOWED)), VALUES, max_size=4))
def test_any_edits(edits: dict[str, Any]) -> None:
    same(encoded({"key": "a.jpg", "edits": edits}))


@given(st.lists(st.sampled_from(KNOWN["edits"]), max_size=5))
def test_edits_together(several: list[tuple[dict[str, Any], str]]) -> None:
    same(encoded({"key": "a.jpg", "edits": {name: value for edits, _ in several for name, value in edits.items()}}))


@given(st.text(max_size=60))
def test_any_text(text: str) -> None:
    same(f"/{text}")
    same(text)


@given(st.text("0123456789x:/().,-;&=?filtersquawdhJW%2Ob64", max_size=60))
def test_any_path(text: str) -> None:
    same(f"/filters:{text}/a.jpg")
    same(f"/{text}")


@given(st.binary(max_size=60))
def test_any_bytes_in_base64(content: bytes) -> None:
    same("/" + base64.b64encode(content).decode())


@pytest.mark.parametrize(
    "content",
    [b"[" * 6000, b'{"a":' * 1500, b'{"key":"\\ud800"}', b'{"key":NaN}', b'{"key":"a.jpg","edits":{"blur":1e999}}'],
)
def test_json_that_is_odd(content: bytes) -> None:
    same("/" + base64.b64encode(content).decode())
