"""The imgix dialect: the plan of every parameter, errors by name, and signatures of imgix's own client."""

from __future__ import annotations

import json
import re
from hashlib import md5
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from darkroom.errors import BadKey, BadOption, BadSignature, DarkroomError, DuplicateOption, Expired
from darkroom.plan.canonical import canonical_path, parse_path
from darkroom_dialects.common.parsed_url import DialectKey
from darkroom_dialects.common.settings import DialectSettings
from darkroom_dialects.common.sources import Sources
from darkroom_dialects.imgix import OPTION_MAPPINGS, parse, sign, verify

SOME = DialectSettings(Sources((("//images.example.com/", ""),)))
RECORDED = json.loads((Path(__file__).parents[1] / "cases" / "dialects" / "imgix.json").read_text(encoding="utf-8"))
KEY = DialectKey(RECORDED["token"])


def path_of(target: str) -> str:
    """The canonical path of a URL, which must name its Plan in turn."""
    plan = parse(target, SOME).plan
    path = canonical_path(plan)
    assert parse_path(path) == plan
    return path


MEANINGS = {
    "w=300": "up-1_w-300.auto-legacy",
    "h=200": "h-200_up-1.auto-legacy",
    "w=640&fit=max&auto=format,compress": "w-640.auto",
    "w=300&h=200&fit=crop&crop=top,left&dpr=2": "fit-cover_g-northwest_h-400_up-1_w-600.auto-legacy",
    "w=300&h=200&fit=crop&crop=faces,top": "fit-cover_g-face_h-200_up-1_w-300.auto-legacy",
    "w=300&h=200&fit=crop&crop=entropy": "fit-cover_g-entropy_h-200_up-1_w-300.auto-legacy",
    "w=300&h=200&fit=crop&crop=edges": "fit-cover_g-attention_h-200_up-1_w-300.auto-legacy",
    "w=300&h=200&crop=top": "h-200_up-1_w-300.auto-legacy",
    "w=5000&dpr=3": "up-1_w-8192.auto-legacy",
    "w=300&h=200&fit=min": "fit-cover_h-200_w-300.auto-legacy",
    "w=300&h=200&fit=scale": "fit-fill_h-200_up-1_w-300.auto-legacy",
    "w=400&ar=16:9&fit=crop": "fit-cover_h-225_up-1_w-400.auto-legacy",
    "h=200&ar=1.5:1&fit=fill": "bgm-ffffff_fit-letterbox_h-200_up-1_w-300.auto-legacy",
    "w=400&ar=16:9": "up-1_w-400.auto-legacy",
    "w=400&h=100&ar=16:9&fit=crop": "fit-cover_h-100_up-1_w-400.auto-legacy",
    "w=9&h=9&fit=crop&crop=focalpoint": "fit-cover_g-fp-0.5-0.5_h-9_up-1_w-9.auto-legacy",
    "w=9&h=9&fit=crop&crop=focalpoint&fp-x=0.25&fp-y=1": "fit-cover_g-fp-0.25-1_h-9_up-1_w-9.auto-legacy",
    "w=9&h=9&fit=crop&crop=focalpoint&fp-x=0.1&fp-z=2": (
        "cut-0.5-0.5-fp-0.1-0.5-0-0_fit-cover_g-fp-0.2-0.5_h-9_up-1_w-9.auto-legacy"
    ),
    "w=300&h=300&fit=fill&fill=solid&fill-color=f80": "bgm-ff8800_fit-letterbox_h-300_up-1_w-300.auto-legacy",
    "w=300&h=300&fit=fillmax&fill=blur": "bgx-blur_fit-letterbox_h-300_w-300.auto-legacy",
    "w=300&h=300&fit=fill&bg=8f00": "bg-ff000088_fit-letterbox_h-300_up-1_w-300.auto-legacy",
    "bg=80ff8800": "bg-ff880080.auto-legacy",
    "w=0.5": "zoom-0.5-0.5.auto-legacy",
    "w=0.5&h=0.5&dpr=3": "up-1_zoom-1.5-1.5.auto-legacy",
    "w=1": "full.auto-legacy",
    "rect=10,20,300,200": "crop-10-20-300-200.auto-legacy",
    "rect=0.1,0.2,0.5,0.9": "crop-pct-10-20-50-80.auto-legacy",
    "rect=center,middle,300,200": "cut-300-200-center-0.5-0.5-0-0.auto-legacy",
    "rect=right,top,0.5,full": "cut-0.5-0-northeast-0.5-0.5-0-0.auto-legacy",
    "rect=5,0,full,100": "crop-5-0-65535-100.auto-legacy",
    "rot=180": "rot-180.auto-legacy",
    "rot=90&w=300&h=200&fit=crop&crop=top": "fit-cover_g-east_h-200_rot-270_up-1_w-300.auto-legacy",
    "rot=10&rot-type=pivot": "angle-350.auto-legacy",
    "flip=h": "flip-h.auto-legacy",
    "flip=v&orient=6": "flip-h_orient-0_rot-270.auto-legacy",
    "orient=0": "orient-0.auto-legacy",
    "orient=2": "flip-h_orient-0.auto-legacy",
    "orient=270&rot=180": "orient-0_rot-90.auto-legacy",
    "trim=auto": "trim-11.auto-legacy",
    "trim=auto&trim-md=20": "trim-20.auto-legacy",
    "trim=color&trim-color=fff&trim-tol=5": "trim-5_trimx-ffffff-northwest-none.auto-legacy",
    "trim=alpha": "trim-1_trimx-00000000-northwest-none.auto-legacy",
    "mask=ellipse&mask-bg=fff": "bgm-ffffff_radius-4096_ry-4096.auto-legacy",
    "mask=corners&corner-radius=20,20,20,20": "radius-20.auto-legacy",
    "bg-remove=true": "cutout-1.auto-legacy",
    "pad=10&w=300": "pad-10-10-10-10_up-1_w-280.auto-legacy",
    "pad=10&pad-left=20&pad-top=1&pad-right=2&pad-bottom=3": "pad-1-2-3-20.auto-legacy",
    "blur=200": "blur-10.auto-legacy",
    "sharp=50": "sharp-5.auto-legacy",
    "bri=10&con=-20&sat=30&gam=50": "bri-10_con--20_gam-2_sat-30.auto-legacy",
    "gam=-100": "gam-0.25.auto-legacy",
    "hue=90": "lch-1-1-90-0.auto-legacy",
    "invert=True": "mat--1-0-0-1-0--1-0-1-0-0--1-1.auto-legacy",
    "monochrome=ff4a4a4a": "tint-4a4a4a.auto-legacy",
    "sepia=100": "mat-0.393-0.769-0.189-0-0.349-0.686-0.168-0-0.272-0.534-0.131-0.auto-legacy",
    "duotone=000,f00&duotone-alpha=100": "mat-0.2126-0.7152-0.0722-0-0-0-0-0-0-0-0-0.auto-legacy",
    "px=10": "pix-10.auto-legacy",
    "auto=enhance,redeye": "enh-auto_reye-1.auto-legacy",
    "fm=pjpg": "full.jpeg",
    "fm=png&auto=format": "h-2560_w-2560.auto",
    "fm=json&auto=format&w=5": "full.json",
    "fm=webp&q=40": "q-40.webp",
    "fm=jpg&jpg-progressive=false&dl=a.jpg": "base-1_dl-a.jpg.jpeg",
    "fm=webp&frame=2": "page-1.webp",
    "page=3": "page-2.auto-legacy",
    "iptc=allow&cs=srgb&ch=Save-Data&svg-sanitize=true&expires=1900000000": "full.auto-legacy",
    "bg64=cmVk&ixlib=js-3.8.0&unknown=1": "bg-ff0000.auto-legacy",
}


@pytest.mark.parametrize("query", MEANINGS)
def test_what_parameters_come_to(query: str) -> None:
    assert path_of(f"/a.jpg?{query}") == f"/a.jpg/_/{MEANINGS[query]}"


def test_every_covered_parameter_is_read_here() -> None:
    written = {pair.partition("=")[0].removesuffix("64") for query in MEANINGS for pair in query.split("&")}
    assert {covered.name for covered in OPTION_MAPPINGS if covered.parse} <= written


ALIASES = [(covered.name, alias) for covered in OPTION_MAPPINGS if covered.parse for alias in covered.aliases]


@pytest.mark.parametrize(("name", "alias"), ALIASES)
def test_an_alias_means_the_same(name: str, alias: str) -> None:
    for query, expected in MEANINGS.items():
        renamed = re.sub(f"(^|&){name}=", rf"\1{alias}=", query)
        if renamed != query:
            assert path_of(f"/a.jpg?{renamed}") == f"/a.jpg/_/{expected}"


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("fit=clamp", "fit: clamp is not supported: the edge's pixels are not repeated"),
        ("fit=facearea", "fit: facearea is not supported: use fit=crop with crop=faces"),
        ("mark=logo.png", "mark is not supported: use a configured watermark or an overlay in a native URL"),
        ("txt64=SGk", "txt is not supported: use a text overlay in a native URL"),
        ("video-codec=av1", "video-codec: is not supported: videos are not served in this dialect"),
        ("max-w=300", "max-w is not supported: its result depends on the size of the source"),
        ("ar=16:9&fit=crop", "ar: needs w or h in px"),
        ("w=0.5&h=300", "w: fractions of both sides must be equal, and cannot be combined with px"),
        ("rot=90", "rot: 90 and 270 need fit=crop, w and h, because they keep the frame; use orient"),
        ("rot=10", "rot: other angles than multiples of 90 need rot-type=pivot: nothing is zoomed"),
        ("orient=6&rect=0,0,5,5", "orient: cannot be combined with rect, except 0 and 1"),
        ("fill=gen&fit=fill", "fill: gen is not supported: nothing is generated"),
        ("corner-radius=1,2,3,4", "corner-radius: all corners must have one radius"),
        ("monochrome=804a4a4a", "monochrome: its colour must be opaque"),
        ("rect=0.1,5,5,5", "rect: its numbers must be all px or all fractions, and x and y both words or both numbers"),
        ("fm=jxr", "fm: must be one of jpg, pjpg, png, png8, png32, webp, avif, gif, json, but is 'jxr'"),
        ("bg64=!!", "bg64: it must be base64url of UTF-8"),
        ("w=9999", "w must be a whole number from 1 to 8192, but is '9999'"),
        ("dl=", "dl: it must be a file name"),
    ],
)
def test_what_is_refused_is_named(query: str, expected: str) -> None:
    with pytest.raises(BadOption) as caught:
        parse(f"/a.jpg?{query}", SOME)
    assert caught.value.message == expected


@pytest.mark.parametrize("query", ["w=1&width=2", "bg=red&bg64=cmVk", "s=a&s=b"])
def test_a_parameter_is_given_once(query: str) -> None:
    with pytest.raises(DuplicateOption):
        parse(f"/a.jpg?{query}", SOME)


def test_sources_are_paths_and_escaped_addresses() -> None:
    assert parse("/f/caf%C3%A9.jpg", SOME).plan.key == "f/café.jpg"
    assert parse("/https%3A%2F%2Fimages.example.com%2Fa%2520b.jpg?w=5", SOME).plan.key == "a b.jpg"
    assert parse("/https://images.example.com/a.jpg", SOME).plan.key == "a.jpg"
    for target in ("", "/", "/?w=5", "/https%3A%2F%2Fother.example.com%2Fa.jpg"):
        with pytest.raises(BadKey):
            parse(target, SOME)


@pytest.mark.parametrize("url", RECORDED["urls"])
def test_urls_of_imgixs_client_are_valid(url: str) -> None:
    asked = parse(url, SOME)
    assert asked.claim is not None
    verify(asked.claim, [DialectKey("an older token"), KEY], 0.0, asked.expires_s)
    for forged in (url.replace("&s=", "&blur=9&s="), url.replace("&s=", "&ixid=9&s="), url.replace("photo", "other")):
        if forged != url:
            with pytest.raises(BadSignature):
                verify(parse(forged, SOME).claim, [KEY], 0.0)


@pytest.mark.parametrize(
    ("message", "signature"),
    [
        (b"/users/1.png", "6797c24146142d5b40bde3141fd3600c"),
        (b"/http%3A%2F%2Favatars.com%2Fjohn-smith.png", "493a52f008c91416351f8b33d4883135"),
        (b"/users/1.png?w=400&h=300", "c7b86f666a832434dd38577e38cf86d1"),
    ],
)
def test_signatures_of_imgixs_documentation(message: bytes, signature: str) -> None:
    assert sign(message, DialectKey("FOO123bar")) == signature


def test_a_link_expires() -> None:
    asked = parse("/a.jpg?expires=1800000000&w=300", SOME)
    assert asked.expires_s == 1_800_000_000
    verify(None, [], 1_799_999_999, asked.expires_s)
    with pytest.raises(Expired):
        verify(None, [], 1_800_000_000, asked.expires_s)


def test_a_continuation_of_a_signed_url_has_no_signature() -> None:
    """MD5 over token and message can be continued without the token, after the bytes that pad the message."""
    url = "/a.jpg?ixid=1"
    known = len(KEY.key) + len(url)
    padded = b"\x80" + b"\0" * ((55 - known) % 64) + (known * 8).to_bytes(8, "little")
    message = url.encode() + padded + b"&w=301"
    spelled = message.decode("latin-1")
    asked = parse(f"{spelled}&s={md5(KEY.key.encode() + message).hexdigest()}", SOME)
    assert asked.claim is not None
    for claim in (asked.claim, type(asked.claim)(message, asked.claim.signature)):
        with pytest.raises(BadSignature):
            verify(claim, [KEY], 0.0)


VALUES = st.sampled_from(["", "1", "0.5", "300", "-5", "true", "fff", "crop", "top,left", "0,0,9,9", "16:9", "%", "é"])
NAMES = st.sampled_from([name for covered in OPTION_MAPPINGS for name in covered.names])


@given(st.dictionaries(NAMES, VALUES, max_size=4), st.booleans())
def test_any_query_has_a_plan_or_an_error_of_the_client(query: dict[str, str], is_encoded: bool) -> None:
    target = "/a.jpg?" + "&".join(f"{name}{'64' * is_encoded}={value}" for name, value in query.items())
    try:
        path_of(target)
    except DarkroomError as error:
        assert 400 <= error.status < 500
