"""The thumbor dialect compared with libthumbor, thumbor's own parser and signer."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from libthumbor import CryptoURL
from libthumbor.url import Url

from darkroom.errors import BadSignature
from darkroom_dialects.common.parsed_url import DialectKey
from darkroom_dialects.common.settings import DialectSettings
from darkroom_dialects.common.sources import Sources
from darkroom_dialects.thumbor import parse, verify
from darkroom_dialects.thumbor.path_segments import PathSegments, split_path
from darkroom_dialects.thumbor.url import collect_options

KEY = "a key of thumbor's"
SETTINGS = DialectSettings(Sources((("//img.example.com/", ""),)), {"logo": "marks/logo.png"})

SIDES = st.integers(1, 4000)
CALLS = st.sampled_from(
    ["blur(2,3)", "quality(40)", "fill(red,1)", "watermark(http://img.example.com/marks/logo.png,-1,2p,30)", "odd(1)"]
)
IMAGES = st.sampled_from(["a.jpg", "f/a b.jpg", "http://img.example.com/a.jpg", "smart.jpg", "trim/a.jpg", "9x9/a"])
POINTS = st.tuples(st.integers(0, 500), st.integers(0, 500))

COMPOSED = st.fixed_dictionaries(
    {"image_url": st.sampled_from(["a.jpg", "f/a.jpg", "img.example.com/a.jpg", "http://img.example.com/a.jpg"])},
    optional={
        "width": SIDES,
        "height": SIDES,
        "flip": st.booleans(),
        "flop": st.booleans(),
        "meta": st.booleans(),
        "smart": st.booleans(),
        "halign": st.sampled_from(["left", "center", "right"]),
        "valign": st.sampled_from(["top", "middle", "bottom"]),
        "trim": st.sampled_from([True, ("top-left", 10), ("bottom-right", 90), ("bottom-right", None)]),
        "crop": st.tuples(POINTS, POINTS),
        "filters": st.lists(CALLS, max_size=3, unique=True),
        "fitting": st.sampled_from(["fit_in", "full_fit_in", "adaptive_fit_in", "adaptive_full_fit_in"]),
    },
)


def options_of(drawn: dict[str, Any]) -> dict[str, Any]:
    """Arguments of CryptoURL, which requires a side with each kind of fitting."""
    fitting = drawn.pop("fitting", None)
    return drawn | ({fitting: True} if fitting and (drawn.get("width") or drawn.get("height")) else {})


def mirrors(options: dict[str, Any]) -> str:
    """The flips that are in a composed URL: one on a side of 0 is lost beside another side, because -0 is 0."""
    width, height = options.get("width"), options.get("height")
    flip = options.get("flip") and (width or not height)
    flop = options.get("flop") and (height or not width)
    return ("h" if flip else "") + ("v" if flop else "")


@given(COMPOSED)
def test_what_it_composes_we_read(drawn: dict[str, Any]) -> None:
    options = options_of(drawn)
    url = CryptoURL(key=KEY).generate(**options)
    asked = parse(url, SETTINGS)
    verify(asked.claim, [DialectKey("another"), DialectKey(KEY)], now_s=0)
    assert asked.plan.key == options["image_url"].removeprefix("http://").removeprefix("img.example.com/")

    wanted = collect_options(split_path(url.split("/", 2)[2]), SETTINGS)
    assert (wanted.width, wanted.height) == (options.get("width", 0), options.get("height", 0))
    assert wanted.flip == mirrors(options)
    assert wanted.meta == options.get("meta", False)
    assert wanted.smart == options.get("smart", False)
    assert (wanted.halign, wanted.valign) == (options.get("halign", "center"), options.get("valign", "middle"))
    assert wanted.fit_in == any("fit_in" in name for name in options)
    assert wanted.full == any("full" in name for name in options)
    assert wanted.adaptive == any("adaptive" in name for name in options)
    trim = options.get("trim")
    distance = trim[1] or 0 if isinstance(trim, tuple) else 0
    assert wanted.values.get("trim") == (trim and max(1, round(distance / 3**0.5)))
    assert ("trimx" in wanted.values) == (isinstance(trim, tuple) and trim[0] == "bottom-right")
    (left, top), (right, bottom) = options.get("crop", ((0, 0), (0, 0)))
    assert wanted.crop == ((left, top, right, bottom) if left < right and top < bottom else None)
    assert ("quality(40)" in options.get("filters", ())) == ("q" in wanted.values)


@given(COMPOSED, st.data())
def test_a_changed_byte_is_no_signature(drawn: dict[str, Any], data: st.DataObject) -> None:
    url = CryptoURL(key=KEY).generate(**options_of(drawn))
    at = data.draw(st.integers(1, len(url) - 1))
    other = data.draw(st.sampled_from("abcxyz019-_=")).replace(url[at], "#")
    signature, _, rest = (url[:at] + other + url[at + 1 :]).removeprefix("/").partition("/")
    claim = parse(url, SETTINGS).claim
    assert claim is not None
    forged = type(claim)(rest.encode(), signature)
    with pytest.raises(BadSignature):
        verify(forged, [DialectKey(KEY)], now_s=0)


@st.composite
def paths(draw: st.DrawFn) -> str:
    """Paths without a signature: parts in thumbor's order, each perhaps, or in any other."""
    side = st.sampled_from(["", "0", "300", "orig", "8000"])
    sign = st.sampled_from(["", "-"])
    parts = [
        "debug",
        "meta",
        draw(st.sampled_from(["trim", "trim:top-left", "trim:bottom-right:20", "trim:9", "trim:left"])),
        draw(st.sampled_from(["1x2:30x40", "0x0:0x0", "1x2:3"])),
        draw(
            st.sampled_from(
                ["fit-in", "full-fit-in", "adaptive-fit-in", "adaptive-full-fit-in", "full-adaptive-fit-in"]
            )
        ),
        f"{draw(sign)}{draw(side)}x{draw(sign)}{draw(side)}",
        draw(st.sampled_from(["left", "right", "center"])),
        draw(st.sampled_from(["top", "middle", "bottom"])),
        "smart",
        "filters:" + ":".join(draw(st.lists(CALLS, min_size=1, max_size=3))),
    ]
    kept = [part for part in parts if draw(st.booleans())]
    return "/".join([*(draw(st.permutations(kept)) if draw(st.integers(0, 3)) == 0 else kept), draw(IMAGES)])


def as_libthumbor(parts: PathSegments) -> dict[str, Any]:
    """Our parts in the form of ``Url.parse_decrypted``."""
    across, _, down = parts.size.partition("x")
    edges = parts.crop.replace(":", "x").split("x") if parts.crop else [0] * 4
    return {
        "debug": bool(parts.debug),
        "meta": bool(parts.meta),
        "trim": parts.trim or None,
        "crop": dict(zip(("left", "top", "right", "bottom"), map(int, edges), strict=True)),
        "adaptive": parts.fit.startswith("adaptive"),
        "full": "full" in parts.fit,
        "fit_in": bool(parts.fit),
        "width": _side(across),
        "height": _side(down),
        "horizontal_flip": across.startswith("-"),
        "vertical_flip": down.startswith("-"),
        "halign": parts.halign or "center",
        "valign": parts.valign or "middle",
        "smart": bool(parts.smart),
        "filters": parts.filters,
        "image": parts.image,
    }


def _side(text: str) -> int | str:
    digits = text.removeprefix("-")
    return digits if digits == "orig" else int(digits or 0)


@given(paths())
def test_what_we_split_it_splits_alike(path: str) -> None:
    assert as_libthumbor(split_path(path)) == Url.parse_decrypted(path)


@given(st.text("abx0123456789:/-().,filterstrimsmartorig", min_size=1, max_size=40))
def test_any_path_is_split_alike(path: str) -> None:
    parsed = Url.parse_decrypted(path)
    if parsed is not None:
        assert as_libthumbor(split_path(path)) == parsed


def test_its_signature_is_padded_base64_of_sha1() -> None:
    signature = CryptoURL(key=KEY).generate(image_url="a.jpg").split("/")[1]
    assert len(base64.urlsafe_b64decode(signature)) == 20
