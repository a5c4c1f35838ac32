"""Overlays in the URLs of other services."""

from __future__ import annotations

import json
from base64 import b64encode, urlsafe_b64encode

import pytest

from darkroom.errors import BadOption, BadSignature, Unsigned
from darkroom.plan.canonical import canonical_path, parse_path
from darkroom.plan.forced_options import NOTHING_FORCED
from darkroom.plan.model import Plan
from darkroom.plan.native_url import parse_url
from darkroom.plan.presets import Presets, parse_presets
from darkroom.plan.variants import AccessMode
from darkroom_dialects import dit, imgproxy, thumbor
from darkroom_dialects.common.parsed_url import DialectKey, ParsedUrl, SignatureClaim
from darkroom_dialects.common.settings import DialectSettings
from darkroom_dialects.common.sources import Sources
from darkroom_dialects.serving.access import authorise
from tests.fixed_keys import FixedKeys

SETTINGS = DialectSettings(Sources((("//img.example.com/", ""),)), {"logo": "watermarks/logo.png"})


def encode(text: str) -> str:
    return urlsafe_b64encode(text.encode()).decode().rstrip("=")


def overlays_of(plan: Plan) -> str:
    """The overlays of ``plan``, whose path is read back."""
    assert parse_path(canonical_path(plan)) == plan
    return plan.overlays


@pytest.mark.parametrize(
    ("options", "overlays"),
    [
        (f"wm:1:noea/wmt:{encode('Größe, 限时')}", r"text:Größe\, 限时,at:northeast,x:0,y:0,size:16px,color:000000"),
        (
            f"wm:0.5:soea:10:-0.1:0.3/wmt:{encode('a')}",
            "text:a,x:10px,y:-10,width:30,height:30,fit:1,color:000000,opacity:50",
        ),
        (f"wm:1:ce/wms:100:50/wmt:{encode('a')}", "text:a,at:center,width:100px,height:50px,fit:1,color:000000"),
        (f"wm:1:ce/wmu:{encode('https://img.example.com/overlays/x/y.png')}", "image:x/y.png,at:center,own:1"),
        (f"wm:1:re:5:6/wmu:{encode('/overlays/y.png')}/wms:40", "image:y.png,x:5px,y:6px,width:40px,tile:1"),
        (f"wm:1:ce/wmu:{encode('/overlays/y.png')}/wmr:-90", "image:y.png,at:center,own:1,rotate:270"),
        (f"wm:1:ce/wmt:{encode('Fish &amp; Chips &#169;')}", "text:Fish & Chips ©,at:center,size:16px,color:000000"),
        (f"wmt:{encode('a')}", ""),
        (f"wm:1/wmu:{encode('/overlays/y.png')}/wmt:{encode('b')}", "text:b,at:center,size:16px,color:000000"),
    ],
)
def test_imgproxy(options: str, overlays: str) -> None:
    plan = imgproxy.parse(f"/x/w:300/{options}/plain/a.jpg", SETTINGS).plan
    assert overlays_of(plan) == overlays
    assert plan.watermark is None


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (f"wm:1/wmt:{encode('<b>a</b>')}", "Pango's markup"),
        (f"wm:1/wmt:{encode('Fish & Chips')}", "Pango's markup"),
        (f"wm:1/wmt:{encode('&copy; Ann')}", "Pango's markup"),
        ("wm:1/wmt:_", "base64"),
        (f"wm:1/wmu:{encode('/watermarks/logo.png')}", "below overlays/"),
        ("wm:1/wms:10:10", "it needs watermark_url or watermark_text"),
        (f"wm:1/wmt:{encode('a' * 201)}", "1 to 200 characters"),
    ],
)
def test_imgproxy_refuses(options: str, message: str) -> None:
    with pytest.raises(BadOption, match=message):
        imgproxy.parse(f"/x/{options}/plain/a.jpg", SETTINGS)


@pytest.mark.parametrize(
    ("filters", "overlays"),
    [
        ("watermark(/overlays/b.png,-10,20p,30,25,none)", "image:b.png,at:northeast,x:10px,y:20,width:25,opacity:70"),
        ("watermark(img.example.com/overlays/b.png,center,center,0)", "image:b.png,at:center,own:1"),
        ("watermark(overlays/b.png,center,center,0,none,100)", "image:b.png,at:center,height:100"),
        ("label(Sale,left,bottom,30,red)", "text:Sale,at:southwest,x:0,y:0,size:30px,color:ff0000"),
        ("text('a, b',-5,10p,20,fff,25)", r"text:a\, b,at:northeast,x:5px,y:10,size:20px,opacity:75"),
        (
            "label(a,center,top,9,000):watermark(overlays/b.png,0,0,0):label(c,right,0,9,000)",
            "text:a,at:north,y:0,size:9px,color:000000;image:b.png,at:northwest,x:0,y:0,own:1;"
            "text:c,at:northeast,x:0,y:0,size:9px,color:000000",
        ),
        ("watermark(overlays/b.png,0,0,100)", ""),
    ],
)
def test_thumbor(filters: str, overlays: str) -> None:
    assert overlays_of(thumbor.parse(f"/unsafe/300x200/filters:{filters}/a.jpg", SETTINGS).plan) == overlays


def test_thumbor_keeps_configured_watermarks_below_overlays() -> None:
    path = "/unsafe/filters:watermark(overlays/b.png,0,0,0):watermark(watermarks/logo.png,0,0,0)/a.jpg"
    plan = thumbor.parse(path, SETTINGS).plan
    assert (plan.watermark and plan.watermark.name, plan.overlays) == ("logo", "image:b.png,at:northwest,x:0,y:0,own:1")


@pytest.mark.parametrize(
    ("filters", "message"),
    [
        ("watermark(overlays/b.png,repeat,0,0)", "repeat needs a configured watermark"),
        ("watermark(elsewhere/b.png,0,0,0)", "no watermark is configured"),
        ("label(a,0,0,9,nocolour)", "colour"),
        ("label(a,0,0,0,red)", "size must be from 1"),
        (":".join(["label(a,0,0,9,red)"] * 6), "at most 5 overlays"),
    ],
)
def test_thumbor_refuses(filters: str, message: str) -> None:
    with pytest.raises(BadOption, match=message):
        thumbor.parse(f"/unsafe/filters:{filters}/a.jpg", SETTINGS)


def dit_url(overlay: dict[str, object]) -> str:
    return "/" + b64encode(json.dumps({"key": "a.jpg", "edits": {"overlayWith": overlay}}).encode()).decode()


@pytest.mark.parametrize(
    ("overlay", "overlays"),
    [
        (
            {"alpha": "20", "wRatio": "30", "options": {"gravity": "southeast", "blend": "multiply"}},
            "image:b.png,x:0,y:0,width:30,opacity:80,blend:multiply",
        ),
        ({"options": {"left": "10", "top": "-5p"}}, "image:b.png,at:southwest,x:10px,y:5,own:1"),
        ({"options": {"tile": True, "blend": "colour-burn"}}, "image:b.png,x:0,y:0,own:1,blend:color-burn,tile:1"),
    ],
)
def test_dit(overlay: dict[str, object], overlays: str) -> None:
    assert overlays_of(dit.parse(dit_url({"key": "overlays/b.png"} | overlay), SETTINGS).plan) == overlays


@pytest.mark.parametrize(
    ("overlay", "message"),
    [
        ({"key": "overlays/b.png", "options": {"blend": "dest-out"}}, "blend must be one of over, multiply"),
        ({"key": "watermarks/logo.png", "options": {"blend": "multiply"}}, "blend must be over$"),
    ],
)
def test_dit_refuses(overlay: dict[str, object], message: str) -> None:
    with pytest.raises(BadOption, match=message):
        dit.parse(dit_url(overlay), SETTINGS)


def admit(overlays: str, mode: AccessMode, *, claim: bool, valid: bool = True) -> None:
    """Authorise a request in a dialect, whose signature is ``valid``."""
    plan = parse_url(f"/a.jpg?w=300&f=webp&ov={overlays}").plan
    presets: Presets = parse_presets({"presets": {"badge": {"w": "300", "f": "webp", "ov": "text:SALE"}}})

    def verify(*_: object) -> None:
        if not valid:
            raise BadSignature

    parsed = ParsedUrl(plan, SignatureClaim(b"", "") if claim else None)
    authorise(
        parsed,
        plan,
        mode,
        lambda: presets,
        NOTHING_FORCED,
        verify,
        FixedKeys([DialectKey("key")]),
        0,
        is_private=False,
    )


def test_a_dialect_serves_overlays_with_a_signature_or_as_a_preset() -> None:
    for mode in (AccessMode.OPEN, AccessMode.GUARDED):
        admit("text:SALE", mode, claim=False)
        admit("text:other", mode, claim=True)
        with pytest.raises(Unsigned):
            admit("text:other", mode, claim=False)
        with pytest.raises(BadSignature):
            admit("text:other", mode, claim=True, valid=False)
