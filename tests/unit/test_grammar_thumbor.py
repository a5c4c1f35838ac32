"""thumbor's URL language: what each part and each filter comes to, and what is refused by name."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from darkroom.errors import BadKey, BadOption, BadSignature, DarkroomError, Expired
from darkroom.plan.canonical import canonical_path, parse_path
from darkroom.plan.geometry import Size, arrange
from darkroom.plan.grammar.asked import Claim, Key
from darkroom.plan.grammar.coverage import counted
from darkroom.plan.grammar.settings import LanguageSettings, ThumborSettings
from darkroom.plan.grammar.sources import Sources
from darkroom.plan.grammar.thumbor import COVERAGE, check, read, sign

SETTINGS = LanguageSettings(
    Sources((("//img.example.com/", ""), ("https://old.example.com/photos/", "old/"))), {"logo": "marks/logo.png"}
)

PARTS = [
    ("a.jpg", "h-2560_w-2560"),
    ("0x0/a.jpg", "h-2560_w-2560"),
    ("x/a.jpg", "h-2560_w-2560"),
    ("300x200/a.jpg", "fit-cover_h-200_up-1_w-300"),
    ("300x/a.jpg", "up-1_w-300"),
    ("300x0/a.jpg", "up-1_w-300"),
    ("x200/a.jpg", "h-200_up-1"),
    ("-300x200/a.jpg", "fit-cover_flip-h_h-200_up-1_w-300"),
    ("300x-200/a.jpg", "fit-cover_flip-h_h-200_rot-180_up-1_w-300"),
    ("-300x-200/a.jpg", "fit-cover_h-200_rot-180_up-1_w-300"),
    ("-0x-0/a.jpg", "rot-180"),
    ("-x/a.jpg", "flip-h"),
    ("fit-in/300x200/a.jpg", "h-200_w-300"),
    ("fit-in/300x0/a.jpg", "w-300"),
    ("full-fit-in/300x200/a.jpg", "cov-uncut_fit-cover_h-200_up-1_w-300"),
    ("full-fit-in/300x0/a.jpg", "up-1_w-300"),
    ("adaptive-fit-in/300x200/a.jpg", "adapt-1_h-200_w-300"),
    ("adaptive-full-fit-in/300x200/a.jpg", "adapt-1_cov-uncut_fit-cover_h-200_up-1_w-300"),
    ("300x200/left/a.jpg", "fit-cover_g-west_h-200_up-1_w-300"),
    ("300x200/center/a.jpg", "fit-cover_h-200_up-1_w-300"),
    ("300x200/top/a.jpg", "fit-cover_g-north_h-200_up-1_w-300"),
    ("300x200/middle/a.jpg", "fit-cover_h-200_up-1_w-300"),
    ("300x200/right/bottom/a.jpg", "fit-cover_g-southeast_h-200_up-1_w-300"),
    ("300x200/smart/a.jpg", "fit-cover_g-attention_h-200_up-1_w-300"),
    ("300x200/left/smart/a.jpg", "fit-cover_g-attention_h-200_up-1_w-300"),
    ("fit-in/300x200/smart/a.jpg", "h-200_w-300"),
    ("10x20:110x220/a.jpg", "crop-10~20~100~200"),
    ("10x20:110x220/50x/a.jpg", "crop-10~20~100~200_up-1_w-50"),
    ("110x20:10x220/300x/a.jpg", "up-1_w-300"),
    ("0x0:0x0/300x/a.jpg", "up-1_w-300"),
    ("0x0:999999x10/a.jpg", "crop-0~0~65535~10"),
    ("trim/a.jpg", "trim-1"),
    ("trim:top-left/a.jpg", "trim-1"),
    ("trim:30/a.jpg", "trim-30"),
    ("trim:bottom-right/a.jpg", "trim-1_trimx-~southeast~"),
    ("trim:bottom-right:50/a.jpg", "trim-50_trimx-~southeast~"),
    ("origxorig/a.jpg", "h-2560_w-2560"),
    ("origx200/a.jpg", "cut-0~200~center~0.5~0.5~0~0"),
    ("300xorig/top/a.jpg", "cut-300~0~north~0.5~0.5~0~0"),
    ("300xorig/smart/a.jpg", "cut-300~0~attention~0.5~0.5~0~0"),
    ("fit-in/origx200/a.jpg", "h-200"),
    ("full-fit-in/300xorig/a.jpg", "minw-300"),
    ("meta/300x200/smart/filters:blur(3)/a.jpg", "full.json"),
    ("meta/filters:format(png)/a.jpg", "full.json"),
]

FILTERS = [
    ("autojpg()", "h-2560_w-2560"),
    ("autojpg(False)", "h-2560_w-2560"),
    ("background_color(red)", "bg-ff0000"),
    ("background_color(fff)", "bg-ffffff"),
    ("background_color(ff880080)", "bg-ff880080"),
    ("background_color(transparent)", "bg-00000000"),
    ("blur(1)", "blur-0.74"),
    ("blur(7)", "blur-4"),
    ("blur(30, 2)", "blur-2"),
    ("blur(400)", "blur-86.07"),
    ("blur(30,3):blur(30,4)", "blur-5"),
    ("brightness(40)", "mat-1~0~0~0.4~0~1~0~0.4~0~0~1~0.4"),
    ("brightness(-1)", "mat-1~0~0~-0.0078~0~1~0~-0.0078~0~0~1~-0.0078"),
    ("brightness(0)", "h-2560_w-2560"),
    ("contrast(20)", "mat-1.44~0~0~-0.2209~0~1.44~0~-0.2209~0~0~1.44~-0.2209"),
    ("contrast(-100)", "mat-0~0~0~0.502~0~0~0~0.502~0~0~0~0.502"),
    ("rgb(20,-20,40)", "mat-1~0~0~0.2~0~1~0~-0.2~0~0~1~0.4"),
    ("colorize(40,0,100,ff0000)", "mat-0.6~0~0~0.4~0~1~0~0~0~0~0~0"),
    ("saturation(0)", "mat-0.299~0.587~0.114~0~0.299~0.587~0.114~0~0.299~0.587~0.114~0"),
    ("saturation(1.0)", "h-2560_w-2560"),
    ("grayscale()", "gray-1_mat-0.299~0.587~0.114~0~0.299~0.587~0.114~0~0.299~0.587~0.114~0"),
    ("brightness(20):grayscale()", "gray-1_mat-0.299~0.587~0.114~0.2~0.299~0.587~0.114~0.2~0.299~0.587~0.114~0.2"),
    ("grayscale():rgb(20,0,0)", "mat-0.299~0.587~0.114~0.2~0.299~0.587~0.114~0~0.299~0.587~0.114~0"),
    ("brightness(20):contrast(-100)", "mat-0~0~0~0.502~0~0~0~0.502~0~0~0~0.502"),
    ("contrast(-100):brightness(20)", "mat-0~0~0~0.702~0~0~0~0.702~0~0~0~0.702"),
    ("convolution(1;2;1;2;4;2;1;2;1,3,true)", "conv-3~1~1~2~1~2~4~2~1~2~1"),
    ("convolution(-1;-1;-1;-1;8.5;-1;-1;-1;-1,3,false)", "conv-3~0~-1~-1~-1~-1~8.5~-1~-1~-1~-1"),
    ("convolution(1;2;1,3)", "conv-3~1~1~2~1"),
    ("cover()", "anim-0"),
    (
        "curve([(0,0),(128,150),(255,255)],[],[(0,0),(255,255)],[(0,9),(255,200)])",
        "curve-a.0.0.128.150.255.255~r~g~b.0.9.255.200",
    ),
    ("curve([(0,0),(255,255)],[],[],[])", "h-2560_w-2560"),
    ("equalize()", "lev-equal"),
    ("extract_focal()", "h-2560_w-2560"),
    ("fill(blue)", "h-2560_w-2560"),
    ("fill(blue,1)", "bg-0000ff"),
    ("focal(10x10:30x30)", "h-2560_w-2560"),
    ("format(jpg)", "full.jpeg"),
    ("format(JPEG)", "full.jpeg"),
    ("format(png)", "full.png"),
    ("format(webp)", "full.webp"),
    ("format('webp')", "full.webp"),
    ("format(avif)", "full.avif"),
    ("format(gif)", "full.gif"),
    ("format(png):format(bmp)", "h-2560_w-2560"),
    ("max_age(360)", "h-2560_w-2560"),
    ("max_bytes(40000)", "mb-40000"),
    ("no_upscale()", "h-2560_w-2560"),
    ("noise(40)", "noise-40"),
    ("noise(40, 7)", "noise-40"),
    ("proportion(0.5)", "zoom-0.5~0.5"),
    ("proportion(0.5):proportion(0.5)", "zoom-0.25~0.25"),
    ("proportion(1.5)", "h-2560_w-2560"),
    ("quality(40)", "q-40"),
    ("quality(0)", "q-1"),
    ("quality(400)", "q-100"),
    ("quality(40):quality(50)", "q-50"),
    ("rotate(90)", "rot-270"),
    ("rotate(-90)", "rot-90"),
    ("rotate(90):rotate(180)", "rot-90"),
    ("rotate(45)", "h-2560_w-2560"),
    ("round_corner(20,255,128,0)", "bg-ff8000_radius-20"),
    ("round_corner(20|30,0,0,0,true)", "radius-20_ry-30"),
    ("round_corner(20|20,0,0,0,1)", "radius-20"),
    ("round_corner(9000,0,0,0,1)", "radius-4096"),
    ("sharpen(2,1.0,true)", "sharp-1.5"),
    ("sharpen(0,1.0,true)", "h-2560_w-2560"),
    ("stretch()", "h-2560_w-2560"),
    ("strip_exif()", "h-2560_w-2560"),
    ("strip_icc()", "h-2560_w-2560"),
    ("upscale()", "h-2560_w-2560"),
    ("watermark(marks/logo.png,0,0,0)", "wm-logo~northwest~100~25_wmx-0~0~0~0~0"),
    ("watermark(http://img.example.com/marks/logo.png,-10,-10,50)", "wm-logo~southeast~50~25_wmx-10~10~0~0~0"),
    ("watermark(img.example.com/marks/logo.png,10p,-20p,50)", "wm-logo~southwest~50~25_wmx-0.1~0.2~0~0~0"),
    ("watermark(marks/logo.png,center,center,20,30)", "wm-logo~center~80~25_wmx-0~0~0~0.3~0"),
    ("watermark(marks/logo.png,center,100p,20,none,15)", "wm-logo~north~80~25_wmx-0~0.9999~0~0~0.15"),
    ("watermark(marks/logo.png,repeat,repeat,20)", "wm-logo~northwest~80~25_wmx-0~0~1~0~0"),
    ("watermark(marks/logo.png,0,0,100)", "h-2560_w-2560"),
]
"""By 7.8's own documentation where it has an example. 0.502 is 128 / 255, thumbor's middle of contrast."""

TOGETHER = [
    ("fit-in/300x200/filters:fill(blue)/a.jpg", "bg-0000ff_fit-letterbox_h-200_w-300"),
    ("fit-in/300x200/filters:fill(auto)/a.jpg", "bgx-auto_fit-letterbox_h-200_w-300"),
    ("fit-in/300x200/filters:fill(blur)/a.jpg", "bgx-blur_fit-letterbox_h-200_w-300"),
    ("fit-in/300x200/filters:fill(transparent)/a.jpg", "fit-letterbox_h-200_w-300"),
    ("fit-in/300x200/filters:fill(red):upscale()/a.jpg", "bg-ff0000_fit-letterbox_h-200_up-1_w-300"),
    ("full-fit-in/300x200/filters:fill(red)/a.jpg", "cov-uncut_fit-cover_h-200_up-1_w-300"),
    ("adaptive-fit-in/300x200/filters:fill(red)/a.jpg", "adapt-1_bg-ff0000_fit-letterbox_h-200_w-300"),
    ("fit-in/300x200/filters:upscale()/a.jpg", "h-200_up-1_w-300"),
    ("fit-in/300x200/filters:upscale():no_upscale()/a.jpg", "h-200_w-300"),
    ("fit-in/300x0/filters:upscale()/a.jpg", "w-300"),
    ("300x200/filters:no_upscale()/a.jpg", "cov-clip_fit-cover_h-200_w-300"),
    ("300x/filters:no_upscale()/a.jpg", "w-300"),
    ("full-fit-in/300x200/filters:no_upscale()/a.jpg", "cov-uncut_fit-cover_h-200_w-300"),
    ("300x200/filters:stretch()/a.jpg", "fit-fill_h-200_up-1_w-300"),
    ("fit-in/300x200/filters:stretch()/a.jpg", "h-200_w-300"),
    ("300x200/filters:proportion(0.5)/a.jpg", "fit-cover_h-200_up-1_w-300_zoom-0.5~0.5"),
    ("300x200/filters:rotate(90)/a.jpg", "fit-cover_h-300_rot-270_up-1_w-200"),
    ("-300x200/filters:rotate(90)/a.jpg", "fit-cover_flip-h_h-300_rot-90_up-1_w-200"),
    ("300x-200/filters:rotate(90)/a.jpg", "fit-cover_flip-h_h-300_rot-270_up-1_w-200"),
    ("full-fit-in/300xorig/filters:rotate(270)/a.jpg", "minh-300_rot-90"),
    ("300x200/filters:focal(10x10:30x30)/a.jpg", "fit-cover_focus-20~20_h-200_up-1_w-300"),
    ("300x200/smart/filters:focal(10x10:30x30)/a.jpg", "fit-cover_focus-20~20_h-200_up-1_w-300"),
    ("300x200/filters:focal(0x0:10x10):focal(100x100:120x120)/a.jpg", "fit-cover_focus-89~89_h-200_up-1_w-300"),
    (
        "0x0:50x50/300x200/filters:focal(10x10:30x30):focal(90x90:99x99)/a.jpg",
        "crop-0~0~50~50_fit-cover_focus-20~20_h-200_up-1_w-300",
    ),
    ("300x200/filters:focal(30x30:10x10)/a.jpg", "fit-cover_h-200_up-1_w-300"),
    (
        "300x200/filters:extract_focal()/t.example.com/unsafe/10x20:30x40/9x9/a.jpg",
        "fit-cover_focus-20~30_h-200_up-1_w-300",
    ),
    (
        "300x200/filters:extract_focal()/t.example.com/unsafe/9x9/u.example.com/unsafe/10x20:30x40/a.jpg",
        "fit-cover_focus-20~30_h-200_up-1_w-300",
    ),
    ("filters:background_color(red):round_corner(9,255,0,0)/a.jpg", "bg-ff0000_radius-9"),
    ("filters:bogus(1):quality(40):strange(a,b)/a.jpg", "q-40"),
    ("filters:quality(good):blur():noise(-3)/a.jpg", "h-2560_w-2560"),
    ("filters:quality%2840)/a.jpg", "q-40"),
    ("filters:fill(%62lue,1)/a.jpg", "bg-0000ff"),
]
"""Parts and filters that mean more, or less, together. What thumbor leaves out is left out."""

REFUSED = [
    ("debug/300x200/a.jpg", "debug is not served here"),
    ("filters:frame(x.png)/a.jpg", "frame is not served here"),
    ("filters:red_eye()/a.jpg", "red_eye is not served here"),
    ("filters:distributed_collage(h,smart,a|b)/a.jpg", "distributed_collage is not served here"),
    ("filters:format(heic)/a.jpg", "format: heic"),
    ("9000x10/a.jpg", "w must be a whole number from 1 to 8192, but is '9000'"),
    ("9999999999x10/a.jpg", "size: a number has at most 9 digits"),
    ("trim:400/a.jpg", "trim must be"),
    ("filters:noise(200)/a.jpg", "noise must be a whole number from 0 to 100"),
    ("filters:noise(20):noise(30)/a.jpg", "noise: there can be only one noise"),
    ("filters:fill(nocolour)/a.jpg", "fill: its colour must be a name of CSS"),
    ("filters:background_color(xyz)/a.jpg", "background_color: its colour"),
    ("fit-in/9x9/filters:fill(red):background_color(blue)/a.jpg", "fill: there can be only one bg"),
    ("filters:colorize(1,2,3,red)/a.jpg", "colorize: its colour must be six hex digits"),
    ("filters:round_corner(9,300,0,0)/a.jpg", "round_corner: a channel"),
    ("filters:curve([(0,0)],[],[],[])/a.jpg", "curve must be"),
    ("filters:curve([(9,0),(3,4)],[],[],[])/a.jpg", "curve must be"),
    ("filters:convolution(1;2,2,true)/a.jpg", "conv must be"),
    ("filters:convolution(1;2;1;1,3,true)/a.jpg", "conv must be"),
    ("filters:contrast(99999)/a.jpg", "mat must be"),
    ("filters:watermark(other.png,0,0,0)/a.jpg", "no watermark is configured"),
    ("filters:watermark(marks/logo.png,repeat,0,0)/a.jpg", "watermark: it can be repeated on both axes"),
    ("filters:watermark(marks/logo.png,101p,0,0)/a.jpg", "watermark: its place"),
    ("filters:watermark(marks/logo.png,0,0,0,150)/a.jpg", "wmx must be"),
    ("9x9/filters:stretch():no_upscale()/a.jpg", "no_upscale: it does not go together with stretch"),
    ("origx9/filters:stretch()/a.jpg", "size: orig does not go together"),
    ("adaptive-fit-in/origx9/a.jpg", "size: orig does not go together"),
]


def path_of(url: str, settings: LanguageSettings = SETTINGS) -> str:
    return canonical_path(read(f"/unsafe/{url}", settings).plan)


@pytest.mark.parametrize(("url", "options"), PARTS + TOGETHER)
def test_what_parts_come_to(url: str, options: str) -> None:
    assert path_of(url) == f"/a.jpg/_/{options}" + ("" if options == "full.json" else ".auto")


@pytest.mark.parametrize(("call", "options"), FILTERS)
def test_what_filters_come_to(call: str, options: str) -> None:
    assert path_of(f"filters:{call}/a.jpg") == f"/a.jpg/_/{options}" + ("" if options.startswith("full.") else ".auto")


@pytest.mark.parametrize(("url", "message"), REFUSED)
def test_what_is_refused_is_named(url: str, message: str) -> None:
    with pytest.raises(BadOption) as refusal:
        path_of(url)
    assert refusal.value.message.startswith(message) or message in refusal.value.message
    assert refusal.value.option
    assert refusal.value.status == 400


def test_a_deployment_whose_smart_crop_keeps_faces() -> None:
    settings = LanguageSettings(thumbor=ThumborSettings("face"))
    assert path_of("30x20/smart/a.jpg", settings) == "/a.jpg/_/fit-cover_g-face_h-20_up-1_w-30.auto"
    with pytest.raises(BadOption, match="smart: it keeps no faces together with orig"):
        path_of("origx20/smart/a.jpg", settings)


@pytest.mark.parametrize(
    ("image", "key"),
    [
        ("a.jpg", "a.jpg"),
        ("folder/a%20b.jpg", "folder/a%20b.jpg"),
        ("https://img.example.com/a.jpg", "a.jpg"),
        ("http://img.example.com/x/a.jpg", "x/a.jpg"),
        ("http:/img.example.com/a.jpg", "a.jpg"),
        ("img.example.com/some/a.jpg", "some/a.jpg"),
        ("https%3A%2F%2Fold.example.com%2Fphotos%2Fa%2520b.jpg", "old/a%20b.jpg"),
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
def test_what_names_no_picture_of_ours(path: str) -> None:
    with pytest.raises(BadKey):
        read(path, SETTINGS)


def test_a_query_says_nothing() -> None:
    assert read("/unsafe/30x20/a.jpg?v=2", SETTINGS) == read("/unsafe/30x20/a.jpg", SETTINGS)


def test_how_long_an_answer_may_be_kept() -> None:
    assert read("/unsafe/filters:max_age(360)/a.jpg", SETTINGS).max_age_s == 360
    assert read("/unsafe/a.jpg", SETTINGS).max_age_s is None


VECTOR = "8ammJH8D-7tXy6kU3lTvoXlhu4o="
KEY = Key("my-security-key")


def test_the_signature_of_thumbors_own_documentation() -> None:
    settings = LanguageSettings(Sources((("//my.server.com/", ""),)))
    asked = read(f"/{VECTOR}/300x200/my.server.com/some/path/to/image.jpg", settings)
    assert asked.claim == Claim(b"300x200/my.server.com/some/path/to/image.jpg", VECTOR)
    assert asked.plan.key == "some/path/to/image.jpg"
    assert sign(asked.claim.message, KEY) == VECTOR
    check(asked.claim, [Key("an-older-key"), KEY], now_s=0)


def test_an_escaped_signature_is_the_same() -> None:
    claim = read(f"/{VECTOR.replace('=', '%3D')}/a.jpg", SETTINGS).claim
    assert claim is not None and claim.signature == VECTOR


@pytest.mark.parametrize("keys", [[], [Key("")], [Key("another")]])
def test_a_signature_by_no_key_of_ours(keys: list[Key]) -> None:
    with pytest.raises(BadSignature):
        check(Claim(b"300x200/my.server.com/some/path/to/image.jpg", VECTOR), keys, now_s=0)


def test_time_that_is_over() -> None:
    claim = Claim(b"a.jpg", sign(b"a.jpg", KEY))
    check(claim, [KEY], now_s=9, expires_s=10)
    with pytest.raises(Expired):
        check(claim, [KEY], now_s=10, expires_s=10)


def test_what_is_unsafe_claims_nothing() -> None:
    assert read("/unsafe/a.jpg", SETTINGS).claim is None


PAGE = json.loads((Path(__file__).parent.parent / "cases" / "moving" / "thumbor.json").read_text())
ANSWERED = [case for case in PAGE["cases"] if case["expect"]["status"] == 200]


@pytest.mark.parametrize("case", ANSWERED, ids=[case["name"] for case in ANSWERED])
def test_a_page_comes_to_the_sizes_that_thumbor_gave(case: dict[str, Any]) -> None:
    settings = LanguageSettings(Sources(tuple(PAGE["hosts"].items())))
    asked = read(case["url"], settings)
    if case["signed"]:
        check(asked.claim, [Key(PAGE["keys"]["security_key"])], now_s=0)
    assert asked.plan.key == case["source"]
    size = arrange(asked.plan, Size(*case["source_size"])).size
    assert size == (case["expect"]["width"], case["expect"]["height"])
    assert asked.plan.format in ("auto", case["expect"]["format"])


BUILT_IN = {
    *("brightness", "colorize", "contrast", "rgb", "round_corner", "quality", "noise", "watermark", "equalize"),
    *("fill", "sharpen", "strip_exif", "strip_icc", "frame", "grayscale", "rotate", "format", "max_bytes"),
    *("convolution", "blur", "extract_focal", "focal", "no_upscale", "saturation", "max_age", "curve"),
    *("background_color", "upscale", "proportion", "stretch", "autojpg", "red_eye", "cover"),
}
"""``BUILTIN_FILTERS`` of thumbor 7.8.0, and what its documentation has beside."""

PART_NAMES = ["debug", "meta", "trim", "crop", "fit", "size", "halign", "valign", "smart"]


def test_every_filter_and_part_of_thumbor_is_in_the_table() -> None:
    assert {one.name for one in COVERAGE if not one.group} == BUILT_IN
    assert [one.name for one in COVERAGE if one.group == "path"] == PART_NAMES
    assert counted(COVERAGE) == (31, 33)
    for one in COVERAGE:
        assert bool(one.refused) != bool(one.read)
        assert one.to or one.note or one.refused


WORDS = st.sampled_from(
    [
        *("unsafe", "meta", "debug", "trim", "trim:bottom-right:9", "1x2:30x40", "fit-in", "adaptive-full-fit-in"),
        *("300x200", "-0x-0", "origx9", "9xorig", "left", "bottom", "smart", "a.jpg", "http://img.example.com/a.jpg"),
        *(f"filters:{call}" for call, _ in FILTERS),
        "filters:" + ":".join(call for call, _ in FILTERS[:8]),
    ]
)


def same(url: str) -> None:
    """What is read is a Plan that its canonical path names, or a refusal of ours."""
    try:
        plan = read(url, SETTINGS).plan
    except DarkroomError as refusal:
        assert refusal.status == 400
    else:
        assert parse_path(canonical_path(plan)) == plan


@settings(deadline=None)
@given(st.lists(WORDS, max_size=8))
def test_any_order_of_parts(words: list[str]) -> None:
    same("/unsafe/" + "/".join(words))


@settings(deadline=None)
@given(st.text(max_size=60))
def test_any_text(text: str) -> None:
    same(f"/unsafe/{text}")
    same(text)


@settings(deadline=None)
@given(
    st.sampled_from(sorted({call.partition("(")[0] for call, _ in FILTERS})),
    st.text("0123456789.,;|-p()[]'atrue\u0660 ", max_size=40),
)
def test_any_arguments(name: str, arguments: str) -> None:
    same(f"/unsafe/300x200/filters:{name}({arguments})/a.jpg")
