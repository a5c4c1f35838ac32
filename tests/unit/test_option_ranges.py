"""The range of every option, by a separate table: limits, their neighbours, the number of parts."""

from __future__ import annotations

from typing import Any

from darkroom.errors import BadOption
from darkroom.plan.model import IDENTITY, Gravity, Offset, Padding, Plan, Scale, TrimOptions
from darkroom.plan.native_url import parse_url
from darkroom.plan.options import (
    EXTENDED_OPTIONS,
    FINDINGS_OPTION,
    NATIVE_OPTIONS,
    OPTIONS_BY_SHORT,
    RIGHTS_OPTION,
    uses_extended_options,
)

MATRIX = "0~0~0~0~0~0~0~0~0~0~0"
COMPASS = "center north northeast east southeast south southwest west northwest"
WEIGHTS_48 = "~".join("1" * 48)

# Accepted values and refused values of each option; parts are separated by ``~``, values by spaces.
NATIVE = {
    "w": ("1 2 8191 8192", "0 -1 8193 1.5 1~1"),
    "h": ("1 2 8191 8192", "0 -1 8193 1.5 1~1"),
    "dpr": ("1 1.5 2 2.5 3 3.5 4", "0.5 0.99 1.25 1.51 4.01 4.5 1~1"),
    "up": ("0 1 ai", "-1 2 1~1 AI ai~1"),
    "fit": ("contain cover fill letterbox", "inside cover~cover"),
    "g": (
        f"{COMPASS} attention entropy face text fp~0~0 fp~1~1 obj~car obj~0 obj~{'x' * 32}",
        f"fp fp~0 fp~0~0~0 fp~1.01~0 fp~0~1.01 fp~-0.01~0 top face~1 obj obj~ obj~Car obj~a.b obj~a~b obj~{'x' * 33}",
    ),
    "crop": (
        "0~0~1~1 65535~65535~65535~65535 pct~0~0~0.01~0.01 pct~0~0~100~100 pct~60~70~40~30",
        "0~0~0~1 0~0~1~0 65536~0~1~1 0~65536~1~1 0~0~65536~1 0~0~1~65536 0~0~1 0~0~1~1~1 pct~0~0~1 pct~0~0~1~1~1"
        " pct~0~0~0~1 pct~0~0~1~0 pct~60~0~40.01~1 pct~0~70~1~30.01 pct~100.01~0~1~1 px~0~0~1~1",
    ),
    "rot": ("0 90 180 270", "-90 1 89 91 360 90~90"),
    "flip": ("none h v hv", "vh both h~v"),
    "trim": ("0 1 100", "-1 101 0.5 1~1"),
    "pad": ("0 2048 0~2048 2048~0 0~0~0~0 1~2~3~2048", "-1 2049 0~2049 0~0~0 0~0~0~2049 0~0~0~0~0"),
    "bg": ("abc abcd abcdef abcdef01", "ab abcde abcdef0 abcdef012 abg abc~abc"),
    "radius": ("0 1 4096", "-1 4097 0.5 1~1"),
    "blur": ("0 0.01 100", "-0.01 0.001 100.01 1~1"),
    "sharp": ("0 0.01 10", "-0.01 0.001 10.01 1~1"),
    "denoise": ("0 1 10", "-1 11 0.5 1~1"),
    "equalise": ("0 1", "-1 2 1~1"),
    "bri": ("-100 0 100", "-101 101 0.5 1~1"),
    "con": ("-100 0 100", "-101 101 0.5 1~1"),
    "sat": ("-100 0 100", "-101 101 0.5 1~1"),
    "gam": ("0.1 0.11 4.99 5", "0 0.09 5.01 0.101 1~1"),
    "gray": ("0 1", "-1 2 1~1"),
    "wm": (
        f"a {'a' * 32} a~center a~northwest~1 a~north~100~1 a~north~1~100",
        f"A {'a' * 33} a~middle a~north~0 a~north~101 a~north~1~0 a~north~1~101 a~north~1~1~1",
    ),
    "cutout": ("0 1", "-1 2 1~1"),
    "enh": ("none auto", "Auto 1 auto~1"),
    "wb": ("0 1", "-1 2 1~1"),
    "ov": (
        f"text:a image:a/b.png,at:north anything {'a' * 500} {'é' * 250}",
        f"a\x1f a\x7f {'a' * 501} {'é' * 251}",
    ),
    "redact": (
        f"faces text pii all car faces~plate all~0 {'x' * 32}",
        f"Faces faces~ faces~~text a.b .a a_b {'x' * 33}",
    ),
    "f": ("auto jpeg jpg png webp avif gif json thumbhash", "tiff auto-avif jpeg~png"),
    "q": ("1 2 99 100 auto", "0 -1 101 best 1~1"),
    "anim": ("0 1", "-1 2 1~1"),
    "page": ("0 1 9999", "-1 10000 0.5 1~1"),
    "boxes": ("0 1", "-1 2 1~1"),
    "meta": ("none rights", "all copyright none~rights"),
    "preset": (f"a 0 a- {'a' * 32}", f"- -a A {'a' * 33} a~a"),
    "dl": (f"a {'a' * 64} {'é' * 32}", f"a/b {'a' * 65} {'é' * 33} a~a"),
    "exp": ("1 9999999999", "0 -1 10000000000 1~1"),
    "s": ("a" * 43, f"{'a' * 42} {'a' * 44} {'a' * 42}= {'a' * 43}~a"),
    "fv": (f"a 0 {'z' * 8}", f"{'a' * 9} A a-b a~a"),
    "cr": ("0 1", "-1 2 1~1"),
}
OTHERS = {
    "orient": ("0 1", "-1 2 1~1"),
    "inset": ("0~0~0~0 65535~65535~65535~65535", "0~0~0 0~0~0~0~0 0~0~0~-1 0~0~0~65536 65536~0~0~0 0~0~0~0.5"),
    "cut": (
        "0~0~center~0~0~0~0 65535~65535~northwest~1~1~65535~65535 0.5~0.5~attention~0.5~0.5~-65535~-65535"
        " 1~1~fp~0~0~0~0",
        "-1~0~fp~0~0~0~0 0~-1~fp~0~0~0~0 65536~0~fp~0~0~0~0 0~65536~fp~0~0~0~0 0~0~fp~-0.1~0~0~0 0~0~fp~1.1~0~0~0"
        " 0~0~fp~0~-0.1~0~0 0~0~fp~0~1.1~0~0 0~0~fp~0~0~65536~0 0~0~fp~0~0~-65536~0 0~0~fp~0~0~0~65536"
        " 0~0~fp~0~0~0~-65536 0~0~face~0~0~0~0 0~0~entropy~0~0~0~0 0~0~fp~0~0~0 0~0~fp~0~0~0~0~0",
    ),
    "face": ("0~0 4096~4096", "0 0~0~0 -1~0 0~-1 4097~0 0~4097 0.5~0 0~0.5"),
    "fz": ("0 0.01 1", "-0.01 1.01 0.001 1~1"),
    "trimx": (
        "auto~northwest~none auto~southeast~h abcdef~northwest~v abcdef01~northwest~hv auto~northwest~none~0.0001"
        " auto~northwest~none~255",
        "auto~northeast~none auto~northwest~vh auto~northwest abc~northwest~none abcdef0~northwest~none"
        " ABCDEF~northwest~none ~northwest~none auto~northwest~ auto~northwest~none~"
        " auto~northwest~none~0 auto~northwest~none~255.1 auto~northwest~none~1~1",
    ),
    "tfirst": ("0 1", "-1 2 1~1"),
    "own": ("w h", "wh x w~h"),
    "minw": ("1 2 8192", "0 -1 8193 1.5 1~1"),
    "minh": ("1 2 8192", "0 -1 8193 1.5 1~1"),
    "zoom": ("0.0001~0.0001 100~100", "0~1 1~0 100.0001~1 1~100.0001 1 1~1~1"),
    "prop": ("0.0001~0 1~1 0.5~1", "0~1 1.0001~1 0.5 0.5~2 0.5~-1 0.5~1~1 -0.5~1"),
    "cov": ("clip flex uncut", "cut clip~clip"),
    "adapt": ("0 1", "-1 2 1~1"),
    "off": ("-65535~-65535 65535~65535 0.5~-0.5", "0 0~0~0 -65536~0 0~-65536 65536~0 0~65536 0~65535.1"),
    "focus": ("0~0 65535~65535", "0 0~0~0 -1~0 0~-1 65536~0 0~65536 0.5~0"),
    "ratio": ("0.0001 1 1000", "0 -1 1000.0001 1~1"),
    "most": ("0 1 65535", "-1 65536 0.5 1~1"),
    "even": ("0 1", "-1 2 1~1"),
    "one": ("0 1", "-1 2 1~1"),
    "grow": ("0 1", "-1 2 1~1"),
    "ext": (
        "box~center~0~0 ratio~northwest~65535~65535 box~north~-65535~-65535 box~south~0.5~0.5 box~fp~0~1",
        "side~north~0~0 box~fp~1.1~0 box~fp~0~-0.1 box~face~0~0 box~north~0 box~north~0~0~0 box~north~65536~0"
        " box~north~0~65536 box~north~-65536~0 box~north~0~-65536",
    ),
    "angle": ("0 0.01 359.99", "-0.01 0.001 359.991 359.9999 360 1~1"),
    "med": ("0 1 21", "-1 22 0.5 1~1"),
    "reye": ("0 1", "-1 2 1~1"),
    "lev": ("stretch equal after", "none stretch~equal"),
    "curve": (
        "a.0.0.255.255~r~g~b a~r.0.255.255.0~g.1.1.2.2.3.3~b.0.0.1.1",
        "a.0.0~r~g~b a.0.0.1~r~g~b a.1.0.1.1~r~g~b a.2.0.1.1~r~g~b a.0.0.256.0~r~g~b a.0.0.1.256~r~g~b a.-1.0.1.1~r~g~b"
        " a.0.0.1.1.5~r~g~b a~r~g a~r~g~b~a r~a~g~b a.0.0.1.0a~r~g~b",
    ),
    "mat": (
        f"-100~{MATRIX} 100~{MATRIX} {MATRIX}~-100 {MATRIX}~100 {MATRIX}~0.0001 {'~'.join([f'{MATRIX}~0'] * 4)}",
        f"-100.0001~{MATRIX} 100.0001~{MATRIX} {MATRIX}~-101 {MATRIX}~101 {MATRIX} {MATRIX}~0~0 {MATRIX}~0.00001"
        f" {'~'.join([f'{MATRIX}~0'] * 5)}",
    ),
    "lch": ("-1000~-1000~-1000~-1000 1000~1000~1000~1000 1~1~0~0", "1~1~0 1~1~0~0~0 1000.1~1~0~0 1~1~0~-1001"),
    "clahe": ("0~0~0 65535~65535~65535 3~3~3", "3~3 3~3~3~3 -1~3~3 3~65536~3 3~3~0.5"),
    "tint": ("f80 ff8800 ff880080", "ff880 0000000 red a~b"),
    "late": (f"{MATRIX}~0.5 -100~{MATRIX}", f"{MATRIX} {MATRIX}~101 {MATRIX}~0~0"),
    "alpha": ("invert drop threshold", "keep invert~drop"),
    "thr": ("0 1 255", "-1 256 0.5 1~1"),
    "conv": (
        f"1~0~-1000 1~1~1000 3~0~1~1~1 1~1~1~1~1 3~1~1~1~1~1~1~1~1~1~1 49~1~1~{WEIGHTS_48} 1~0~1~{WEIGHTS_48}"
        f" 7~1~1~{WEIGHTS_48}",
        f"1 1~0 1~0~-1000.1 1~0~1000.1 1~-1~1 1~2~1 1~0.5~1 0~0~1 2~0~1~1 1~0~1~1 3~0~1~1 3~0~1~1~1~1 3~0~1~1~1~1~1~1"
        f" 49~1~{WEIGHTS_48} 51~1~1~1~1~{WEIGHTS_48} 1~1~1~1~1~{WEIGHTS_48} 5~1~1~1~1",
    ),
    "pix": ("0 1 1024", "-1 1025 0.5 1~1"),
    "noise": ("0 1 100", "-1 101 0.5 1~1"),
    "wmx": (
        "0~0~0~0~0 65535~-65535~1~1~1 -65535~65535~0~0.5~0.0001",
        "65536~0~0~0~0 -65536~0~0~0~0 0~65536~0~0~0 0~-65536~0~0~0 0~0~2~0~0 0~0~-1~0~0 0~0~0~1.1~0 0~0~0~-0.1~0"
        " 0~0~0~0~1.1 0~0~0~0~-0.1 0~0~0~0 0~0~0~0~0~0",
    ),
    "rep": ("h v hv", "vh none h~v"),
    "wml": ("0 1", "-1 2 1~1"),
    "wm2": ("logo a~north a~center~1~1 a~southwest~100~100", "a~up a~north~101 a~north~0~0 A~north"),
    "wmx2": ("0~0~0~0~0", "0~0~0~0 0~0~2~0~0"),
    "rep2": ("h v hv", "vh none h~v"),
    "frm": ("0 1", "-1 2 1~1"),
    "ry": ("0 1 4096", "-1 4097 0.5 1~1"),
    "ell": ("0~0~0~0 65535~65535~65535~65535", "0~0~0 0~0~0~0~0 -1~0~0~0 0~0~0~-1 65536~0~0~0 0~0~0~65536 0.5~0~0~0"),
    "bgx": ("blur auto blurall autoall", "none blur~auto all"),
    "bgm": ("fff 1234 aabbcc 11223344", "white 12 12345 1234567 112233445"),
    "skip": (
        "jpeg png webp gif avif heic tiff svg all jpeg~svg jpeg~png~webp~gif~avif~heic~tiff~svg~all",
        "bmp svg~jpeg png~png jpeg~bmp",
    ),
    "mb": ("0 1 2000000000", "-1 2000000001 0.5 1~1"),
    "base": ("0 1", "-1 2 1~1"),
    "dlx": ("0 1", "-1 2 1~1"),
    "inl": ("0 1", "-1 2 1~1"),
}
"""Options that only canonical paths have."""


DEFAULTS = {
    **{"up": False, "equalise": False, "gray": False, "cutout": False, "anim": True, "boxes": False, "wb": False},
    **{"orient": True, "adapt": False, "reye": False, "ov": ""},
    **{"tfirst": False, "even": False, "grow": False, "one": False, "wml": False, "most": 0, "ratio": 1.0},
    **{"frm": False, "base": False, "dlx": False, "inl": False, "cr": False},
    **{"rot": 0, "trim": 0, "radius": 0, "denoise": 0, "bri": 0, "con": 0, "sat": 0, "page": 0, "med": 0, "thr": 0},
    **{"pix": 0, "noise": 0, "ry": 0, "mb": 0},
    **{"blur": 0.0, "sharp": 0.0, "gam": 1.0, "fz": 0.0, "angle": 0.0},
    **{"fit": "contain", "flip": "none", "f": "auto", "enh": "none"},
    **{"bg": "", "redact": "", "dl": "", "fv": "", "cov": "", "lev": "", "bgx": "", "bgm": "", "own": ""},
    **{"rep": "", "rep2": "", "tint": "", "alpha": "", "late": IDENTITY},
    **{"g": Gravity("center", 0.5, 0.5), "pad": Padding(0, 0, 0, 0), "inset": Padding(0, 0, 0, 0), "skip": ()},
    **{"trimx": TrimOptions("", "northwest", ""), "zoom": Scale(1.0, 1.0), "off": Offset(0.0, 0.0), "mat": IDENTITY},
}
"""None for all others."""


def is_read(short: str, text: str) -> bool:
    try:
        OPTIONS_BY_SHORT[short].type.parse(text.split("~"))
    except ValueError:
        return False
    return True


def is_served(short: str, text: str) -> bool:
    """Whether a native URL can have the option."""
    try:
        parse_url(f"/a.jpg?{short}={text.replace('~', ',')}")
    except BadOption:
        return False
    return True


def test_options_accept_their_range_and_nothing_else() -> None:
    assert [option.short for option in (*NATIVE_OPTIONS, FINDINGS_OPTION, RIGHTS_OPTION)] == list(NATIVE)
    accepted = [(short, text) for short, (texts, _) in NATIVE.items() for text in texts.split(" ")]
    refused = [(short, text) for short, (_, texts) in NATIVE.items() for text in ["", *texts.split(" ")]]
    assert [case for case in accepted if not is_read(*case)] == []
    assert [case for case in refused if is_read(*case)] == []
    unlike = ("preset", "dl", "ov", "fv", "cr")  # a name that must exist, undivided texts, no options of a URL
    assert [case for case in accepted if case[0] not in unlike and not is_served(*case)] == []
    assert [case for case in refused if case[0] not in unlike and is_served(*case)] == []


def test_options_of_canonical_paths_accept_their_range_and_nothing_else() -> None:
    assert [option.short for option in EXTENDED_OPTIONS] == list(OTHERS)
    accepted = [(short, text) for short, (texts, _) in OTHERS.items() for text in texts.split(" ")]
    refused = [(short, text) for short, (_, texts) in OTHERS.items() for text in ["", *texts.split(" ")]]
    assert [case for case in accepted if not is_read(*case)] == []
    assert [case for case in refused if is_read(*case)] == []
    fields: list[dict[str, Any]] = [
        {OPTIONS_BY_SHORT[short].plan_field: OPTIONS_BY_SHORT[short].type.parse(text.split("~"))}
        for short, text in accepted
    ]
    defaults: list[dict[str, Any]] = [{OPTIONS_BY_SHORT[short].plan_field: DEFAULTS.get(short)} for short in OTHERS]
    assert [one for one in fields if one not in defaults and not uses_extended_options(Plan("a", **one))] == []
    assert not any(uses_extended_options(Plan("a", **one)) for one in defaults)


def test_messages_have_the_bounds_of_the_types() -> None:
    assert {
        short: OPTIONS_BY_SHORT[short].type.allowed_values
        for short in ("q", "dpr", "pad", "crop", "conv", "mat", "zoom", "angle")
    } == {
        "q": "a whole number from 1 to 100, or auto",
        "dpr": "a number from 1 to 4 in steps of 0.5",
        "pad": "1, 2 or 4 whole numbers (t,r,b,l) from 0 to 2048",
        "crop": "x,y,w,h in pixels up to 65535, or pct:x,y,w,h in percent with x+w and y+h up to 100",
        "conv": "the columns of a matrix, 0 or 1, and at most 49 weights",
        "mat": "12 numbers from -100 to 100, up to 4 times",
        "zoom": "2 numbers from 0.0001 to 100",
        "angle": "a number from 0 to 359.99 in steps of 0.01",
    }


def test_options_have_their_defaults() -> None:
    named: tuple[Any, ...] = (*NATIVE_OPTIONS, FINDINGS_OPTION, RIGHTS_OPTION, *EXTENDED_OPTIONS)
    parse_url("/a.jpg?w=1")
    assert {option.short: option.default for option in named if option.default is not None} == DEFAULTS
    assert [
        option.short for option in named if option.plan_field and option.default != getattr(Plan(""), option.plan_field)
    ] == []


def test_js_args_have_the_bounds_of_the_types() -> None:
    rules: dict[str, dict[str, Any]] = {
        option.short: option.type.js_args() for option in (*NATIVE_OPTIONS, FINDINGS_OPTION)
    }
    whole = {short: (rule["low"], rule["high"]) for short, rule in rules.items() if "low" in rule}
    assert whole == {
        **{"w": (1, 8192), "h": (1, 8192), "dpr": (1, 4), "trim": (0, 100), "radius": (0, 4096), "blur": (0, 100)},
        **{"sharp": (0, 10), "denoise": (0, 10), "bri": (-100, 100), "con": (-100, 100), "sat": (-100, 100)},
        **{"gam": (0.1, 5), "q": (1, 100), "page": (0, 9999), "exp": (1, 9_999_999_999)},
    }
    assert {short: rule["step"] for short, rule in rules.items() if "step" in rule} == {
        **{"dpr": 0.5, "blur": 0.01, "sharp": 0.01, "gam": 0.01},
    }
    assert {short: rule["word"] for short, rule in rules.items() if "word" in rule} == {"q": "auto"}
    assert [rules[short]["high"] for short in ("crop", "pad", "ov", "dl")] == [65_535, 2048, 500, 64]
    assert rules["up"] == {"words": ["0", "1", "ai"]}
    assert rules["rot"] == {"words": ["0", "90", "180", "270"]}
    assert rules["wm"] == {"words": COMPASS.split(), "position": "southeast", "opacity": 100, "scale": 25}
    bare = {short for short, rule in rules.items() if not rule}
    assert bare == {"bg", "equalise", "gray", "cutout", "wb", "redact", "anim", "boxes"}
    assert [
        option.short
        for option in EXTENDED_OPTIONS
        if option.type.js_args() and option.type.name not in ("whole", "fixed", "choice", "watermark")
    ] == []
