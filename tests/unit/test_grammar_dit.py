"""DIT's URL language in its three forms: what each edit comes to, and what is refused by name."""

from __future__ import annotations

import base64
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
from darkroom.plan.grammar.dit import COVERAGE, check, read, sign
from darkroom.plan.grammar.settings import DitSettings, LanguageSettings
from darkroom.plan.grammar.sources import Sources
from darkroom.plan.model import Zoom

SETTINGS = LanguageSettings(Sources((("s3://pictures/", ""), ("s3://old/", "old/"))), {"logo": "marks/logo.png"})
MARK = {"bucket": "pictures", "key": "marks/logo.png"}
BARE = "h-2560_w-2560"
BOX = {"width": 300, "height": 200}

EDITS: list[tuple[dict[str, Any], str]] = [
    ({}, BARE),
    ({"ensureAlpha": 1}, BARE),
    ({"extractChannel": "red"}, "mat-1~0~0~0~1~0~0~0~1~0~0~0"),
    ({"extractChannel": 2}, "mat-0~0~1~0~0~0~1~0~0~0~1~0"),
    ({"tint": "#808080"}, "mat-0.2126~0.7152~0.0722~0~0.2126~0.7152~0.0722~0~0.2126~0.7152~0.0722~0"),
    ({"grayscale": True}, "gray-1"),
    ({"greyscale": None}, "gray-1"),
    ({"greyscale": False}, BARE),
    ({"pipelineColourspace": "rgb16"}, BARE),
    ({"toColourspace": "b-w"}, "gray-1"),
    ({"toColorspace": "srgb"}, BARE),
    ({"rotate": 90}, "rot-90"),
    ({"rotate": -90}, "rot-270"),
    ({"rotate": 450}, "rot-90"),
    ({"rotate": None}, BARE),
    ({"rotate": 45}, "angle-45_bg-000000"),
    ({"rotate": 12.5}, "angle-12.5_bg-000000"),
    ({"flip": True}, "flip-h_rot-180"),
    ({"flop": True}, "flip-h"),
    ({"flop": False}, BARE),
    ({"flip": True, "flop": True}, "rot-180"),
    ({"flop": True, "rotate": 90}, "flip-h_rot-270"),
    ({"sharpen": True}, "conv-3~1~-1~-1~-1~-1~32~-1~-1~-1~-1"),
    ({"sharpen": 2}, "sharp-2"),
    ({"sharpen": {"sigma": 1.5, "m1": 0}}, "sharp-1.5"),
    ({"sharpen": False}, BARE),
    ({"median": 5}, "med-5"),
    ({"median": None}, "med-3"),
    ({"blur": 5}, "blur-5"),
    ({"blur": {"sigma": 0.75}}, "blur-0.75"),
    ({"blur": True}, "conv-3~1~1~1~1~1~1~1~1~1~1"),
    ({"blur": False}, BARE),
    ({"flatten": {"background": "white"}}, "bg-ffffff"),
    ({"flatten": {"background": {"r": 255, "g": 128, "b": 0, "alpha": 0.5}}}, "bg-ff800080"),
    ({"flatten": True}, "bg-000000"),
    ({"flatten": False}, BARE),
    ({"gamma": 2.2}, BARE),
    ({"negate": True}, "mat--1~0~0~1~0~-1~0~1~0~0~-1~1"),
    ({"negate": {"alpha": False}}, "mat--1~0~0~1~0~-1~0~1~0~0~-1~1"),
    ({"normalise": True}, "lev-stretch"),
    ({"normalize": {"lower": 1, "upper": 99}}, "lev-stretch"),
    ({"clahe": {"width": 3, "height": 3}}, "equalise-1"),
    (
        {"convolve": {"width": 3, "height": 3, "kernel": [-1, 0, 1, -2, 0, 2, -1, 0, 1]}},
        "conv-3~0~-1~0~1~-2~0~2~-1~0~1",
    ),
    ({"convolve": {"width": 3, "height": 1, "kernel": [1, 2, 1]}}, "conv-3~1~1~2~1"),
    ({"convolve": {"width": 3, "height": 1, "kernel": [1, 2, 1], "scale": 8}}, "conv-3~0~0.125~0.25~0.125"),
    ({"threshold": 100}, "thr-100"),
    ({"threshold": True}, "thr-128"),
    ({"threshold": False}, BARE),
    ({"linear": 1.5}, "mat-1.5~0~0~0~0~1.5~0~0~0~0~1.5~0"),
    ({"linear": None}, BARE),
    ({"recomb": [[1, 0, 0], [0, 0.5, 0], [0, 0, 1]]}, "mat-1~0~0~0~0~0.5~0~0~0~0~1~0"),
    ({"recomb": [[1, 0, 0, 0], [0, 0.5, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]}, "mat-1~0~0~0~0~0.5~0~0~0~0~1~0"),
    ({"modulate": {"brightness": 1.2}}, "mat-1.0425~0.143~0.0144~0~0.0425~1.143~0.0144~0~0.0425~0.143~1.0144~0"),
    ({"modulate": {"lightness": 50}}, "mat-1~0~0~0.5~0~1~0~0.5~0~0~1~0.5"),
    ({"modulate": {"hue": 360}}, BARE),
    ({"modulate": {"saturation": 0}}, "mat-0.2126~0.7152~0.0722~0~0.2126~0.7152~0.0722~0~0.2126~0.7152~0.0722~0"),
    ({"linear": 2, "negate": True}, "mat--2~0~0~2~0~-2~0~2~0~0~-2~2"),
    ({"negate": True, "linear": 2}, "mat--2~0~0~2~0~-2~0~2~0~0~-2~2"),
    ({"greyscale": True, "linear": 2}, "mat-0.4252~1.4304~0.1444~0~0.4252~1.4304~0.1444~0~0.4252~1.4304~0.1444~0"),
    ({"greyscale": True, "negate": True}, "gray-1_mat--1~0~0~1~0~-1~0~1~0~0~-1~1"),
    ({"resize": BOX}, "fit-cover_h-200_up-1_w-300"),
    ({"resize": {"width": 300}}, "up-1_w-300"),
    ({"resize": {"width": "300.4", "height": None}}, "up-1_w-300"),
    ({"resize": {"height": 200, "width": ""}}, "h-200_up-1"),
    ({"resize": {**BOX, "fit": "contain"}}, "bg-000000_fit-letterbox_h-200_up-1_w-300"),
    (
        {"resize": {**BOX, "fit": "contain", "background": "#fff", "position": "top"}},
        "bg-ffffff_ext-box~north~0~0_h-200_up-1_w-300",
    ),
    ({"resize": {**BOX, "fit": "fill"}}, "fit-fill_h-200_up-1_w-300"),
    ({"resize": {**BOX, "fit": "inside"}}, "h-200_up-1_w-300"),
    ({"resize": {**BOX, "fit": "outside"}}, "cov-uncut_fit-cover_h-200_up-1_w-300"),
    ({"resize": {**BOX, "withoutEnlargement": True}}, "cov-clip_fit-cover_h-200_w-300"),
    ({"resize": {**BOX, "fit": "inside", "withoutEnlargement": True}}, "h-200_w-300"),
    ({"resize": {**BOX, "position": "left"}}, "fit-cover_g-west_h-200_up-1_w-300"),
    ({"resize": {**BOX, "position": "right bottom"}}, "fit-cover_g-southeast_h-200_up-1_w-300"),
    ({"resize": {**BOX, "position": "centre"}}, "fit-cover_h-200_up-1_w-300"),
    ({"resize": {**BOX, "position": 8}}, "fit-cover_g-northwest_h-200_up-1_w-300"),
    ({"resize": {**BOX, "position": "entropy"}}, "fit-cover_g-entropy_h-200_up-1_w-300"),
    ({"resize": {**BOX, "position": 17}}, "fit-cover_g-attention_h-200_up-1_w-300"),
    ({"resize": {**BOX, "position": "left"}, "flop": True}, "fit-cover_flip-h_g-east_h-200_up-1_w-300"),
    ({"resize": {**BOX, "position": "top"}, "flip": True}, "fit-cover_flip-h_g-south_h-200_rot-180_up-1_w-300"),
    ({"resize": {**BOX, "ratio": 0.5}}, "h-100_up-1_w-150"),
    ({"resize": {**BOX, "ratio": 0.5, "fit": "cover"}}, "fit-cover_h-100_up-1_w-150"),
    ({"resize": {"ratio": 0.5}}, "zoom-0.5~0.5"),
    ({"resize": {"fit": "inside"}}, BARE),
    ({"resize": BOX, "rotate": 90}, "fit-cover_h-300_rot-90_up-1_w-200"),
    ({"rotate": 90, "resize": BOX}, "fit-cover_h-200_rot-90_up-1_w-300"),
    ({"rotate": 90, "resize": {**BOX, "position": "top"}}, "fit-cover_g-west_h-200_rot-90_up-1_w-300"),
    ({"resize": {**BOX, "fit": "inside"}, "rotate": 45}, "angle-45_bg-000000_h-200_up-1_w-300"),
    ({"extend": 10}, "bg-000000_pad-10~10~10~10"),
    ({"extend": {"top": 1, "left": 4, "background": "red"}}, "bg-ff0000_pad-1~0~0~4"),
    ({"extract": {"left": 1, "top": 2, "width": 30, "height": 40}}, "crop-1~2~30~40"),
    ({"crop": {"left": 1, "top": 2, "width": 30, "height": 40}, "resize": {"width": 9}}, "crop-1~2~30~40_up-1_w-9"),
    ({"trim": {}}, "trim-10"),
    ({"trim": None}, "trim-10"),
    ({"trim": True}, "trim-10"),
    ({"trim": 42}, "trim-42"),
    ({"trim": {"threshold": 0, "background": "#ff0000"}}, "trim-1_trimx-ff0000~northwest~"),
    ({"overlayWith": MARK}, "wm-logo~center~100~25_wmx-0~0~0~0~0"),
    (
        {
            "overlayWith": {
                **MARK,
                "alpha": "40",
                "wRatio": "20",
                "hRatio": "50",
                "options": {"left": "-10", "top": "50p"},
            }
        },
        "wm-logo~northeast~60~25_wmx-10~0.5~0~0.2~0.5",
    ),
    (
        {"overlayWith": {**MARK, "alpha": "x", "options": {"left": 0, "top": -20}}},
        "wm-logo~southwest~100~25_wmx-0~20~0~0~0",
    ),
    ({"overlayWith": {**MARK, "options": {"gravity": "southeast"}}}, "wm-logo~southeast~100~25_wmx-0~0~0~0~0"),
    ({"overlayWith": {**MARK, "options": {"gravity": "north"}}}, "wm-logo~north~100~25_wmx-0~0~0~0~0"),
    ({"overlayWith": {**MARK, "options": {"tile": True}}}, "wm-logo~center~100~25_wmx-0~0~1~0~0"),
    ({"overlayWith": {**MARK, "alpha": "100"}}, BARE),
    ({"smartCrop": True}, "face-0~0"),
    ({"smartCrop": {"faceIndex": 1, "padding": 40}}, "face-1~40"),
    ({"smartCrop": False}, BARE),
    ({"roundCrop": True}, "ell-0~0~0~0"),
    ({"roundCrop": {"rx": 30, "ry": 40, "top": 5, "left": 6}}, "ell-30~40~6~5"),
    ({"animated": True}, BARE),
    ({"animated": False}, "anim-0"),
    ({"stripExif": True, "stripIcc": True}, BARE),
    ({"ofTomorrow": 1, "__proto__": {"a": 1}}, BARE),
    ({"toFormat": "jpg"}, "full.jpeg"),
    ({"toFormat": "tif"}, "full.tiff"),
    ({"jpeg": {"quality": 70}}, "q-70.jpeg"),
    ({"jpeg": {"quality": 70, "progressive": False}}, "base-1_q-70.jpeg"),
    ({"webp": {"quality": 40}}, "q-40.webp"),
    ({"avif": True}, "full.avif"),
    ({"png": {"quality": 40}}, "full.png"),
    ({"gif": {}}, "full.gif"),
    ({"tiff": {}}, "full.tiff"),
    ({"toFormat": "webp", "jpeg": {"quality": 70}, "webp": {"quality": 30}}, "q-30.webp"),
    ({"toFormat": "webp", "jpeg": {"quality": 70}}, "full.webp"),
]

REFUSED: list[tuple[Any, str]] = [
    ({"removeAlpha": True}, "removeAlpha is not served here"),
    ({"joinChannel": "x"}, "joinChannel is not served here"),
    ({"bandbool": "and"}, "bandbool is not served here"),
    ({"boolean": "x"}, "boolean is not served here"),
    ({"affine": [1, 0, 0, 1]}, "affine is not served here"),
    ({"unflatten": True}, "unflatten is not served here"),
    ({"heif": {}}, "heif is not served here"),
    ({"contentModeration": True}, "contentModeration is not served here"),
    ({"ensureAlpha": 0.5}, "ensureAlpha: "),
    ({"extractChannel": "alpha"}, "extractChannel: "),
    ({"toColourspace": "cmyk"}, "toColourspace: "),
    ({"tint": "no colour"}, "tint: "),
    ({"tint": {"r": 1}}, "r: |tint: "),
    ({"rotate": "left"}, "rotate: it must be a number"),
    ({"rotate": True}, "rotate: it must be a number"),
    ({"rotate": 45, "resize": BOX}, "rotate: an angle"),
    ({"sharpen": 11}, "sharp must be"),
    ({"median": 99}, "med must be"),
    ({"median": 2.5}, "median: it must be a whole number"),
    ({"blur": 500}, "blur must be"),
    ({"normalise": {"lower": 5}}, "normalise: "),
    ({"convolve": {"width": 3, "height": 3, "kernel": [1]}}, "convolve: "),
    ({"convolve": {"width": 3, "height": 1, "kernel": [1, 1, 1], "offset": 9}}, "convolve: it adds no offset"),
    ({"convolve": {"width": 2, "height": 1, "kernel": [1, 1]}}, "conv must be"),
    (
        {"convolve": {"width": 3, "height": 3, "kernel": [1] * 9}, "sharpen": True},
        "sharpen: there can be only one conv",
    ),
    ({"threshold": 300}, "thr must be"),
    ({"linear": [1, 2, 3]}, "linear: it must be a number"),
    ({"linear": 1e9}, "mat must be"),
    ({"recomb": [[1, 0], [0, 1]]}, "recomb: "),
    ({"recomb": [[1, 0, 0, 9], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]}, "recomb: a fourth row"),
    ({"modulate": 2}, "modulate: it must be an object"),
    ({"modulate": {"saturation": -1}}, "modulate: "),
    ({"resize": 300}, "resize: it must be an object"),
    ({"resize": {"width": 0}}, "w must be a whole number from 1 to 8192, but is '0'"),
    ({"resize": {"width": 9000}}, "w must be a whole number from 1 to 8192, but is '9000'"),
    ({"resize": {"width": "wide"}}, "width: it must be a number of px"),
    ({"resize": {**BOX, "fit": "squeeze"}}, "fit: it must be one of cover"),
    ({"resize": {**BOX, "position": "somewhere"}}, "position: "),
    ({"resize": {**BOX, "withoutReduction": True}}, "withoutReduction: "),
    ({"resize": {"width": 9, "fit": "fill"}}, "fit: fill needs width and height"),
    ({"resize": {**BOX, "fit": "fill", "withoutEnlargement": True}}, "fit: fill needs"),
    ({"resize": BOX, "extract": {"left": 0, "top": 0, "width": 9, "height": 9}}, "extract: "),
    ({"rotate": 90, "crop": {"left": 0, "top": 0, "width": 9, "height": 9}}, "crop: "),
    ({"crop": {"left": 0, "top": 0, "width": 0, "height": 9}}, "crop must be"),
    ({"crop": {"left": 0}}, "crop: it must be a number"),
    ({"extend": {"top": 9, "extendWith": "mirror"}}, "extend: it must be with background"),
    ({"extend": 5000}, "pad must be"),
    ({"extend": {"top": 9}, "flatten": {"background": "white"}}, "flatten: there can be only one bg"),
    ({"trim": {"margin": 3}}, "trim: it leaves no margin"),
    ({"trim": 300}, "trim must be"),
    ({"overlayWith": {"bucket": "pictures", "key": "other.png"}}, "watermark: no watermark is configured"),
    ({"overlayWith": {**MARK, "options": {"left": "10"}}}, "overlayWith: it needs both left and top"),
    ({"overlayWith": {**MARK, "options": {"gravity": "up"}}}, "overlayWith: its gravity"),
    ({"overlayWith": {**MARK, "options": {"blend": "xor"}}}, "overlayWith: its blend"),
    ({"overlayWith": {"bucket": "pictures"}}, "overlayWith: it must have a bucket and a key"),
    ({"smartCrop": {"faceIndex": "first"}}, "faceIndex: "),
    ({"webp": {"lossless": True}}, "webp: it is not lossless here"),
    ({"jpeg": {"quality": 400}}, "quality: it must be a whole number from 1 to 100"),
    ({"toFormat": "heif"}, "toFormat: it must be one of"),
    ({"toFormat": "raw"}, "toFormat: it must be one of"),
    ("edits", "edits: it must be an object"),
]

PATHS = [
    ("a.jpg", BARE),
    ("fit-in/300x200/a.jpg", "h-200_up-1_w-300"),
    ("300x200/a.jpg", "fit-cover_h-200_up-1_w-300"),
    ("0x200/a.jpg", "h-200_up-1"),
    ("300x0/a.jpg", "up-1_w-300"),
    ("10x20:110x220/a.jpg", "crop-10~20~100~200"),
    ("10x20:110x220/fit-in/30x20/a.jpg", "crop-10~20~100~200_h-20_up-1_w-30"),
    ("filters:autojpg()/a.png", "full.jpeg"),
    ("filters:background_color(ffff)/a.jpg", "bg-ffffff"),
    ("filters:blur(60)/a.jpg", "blur-30"),
    ("filters:blur(60,%202)/a.jpg", "blur-2"),
    ("filters:convolution(1;2;1;2;4;2;1;2;1,3,true)/a.jpg", "conv-3~1~1~2~1~2~4~2~1~2~1"),
    ("filters:equalize()/a.jpg", "lev-stretch"),
    ("300x200/filters:fill(fff)/a.jpg", "bg-ffffff_fit-letterbox_h-200_up-1_w-300"),
    ("filters:format(png)/a.jpg", "full.png"),
    ("filters:format(.jpg)/a.png", "full.jpeg"),
    ("filters:format(test)/a.jpg", BARE),
    ("300x200/filters:no_upscale()/a.jpg", "cov-clip_fit-cover_h-200_w-300"),
    ("200x200/filters:proportion(0.3)/a.jpg", "fit-cover_h-60_up-1_w-60"),
    ("filters:proportion(0.3)/a.jpg", "zoom-0.3~0.3"),
    ("filters:quality(50)/a.jpg", "q-50"),
    ("filters:quality(50)/filters:format(jpeg)/a.png", "q-50.jpeg"),
    ("filters:rotate(75)/a.jpg", "angle-75_bg-000000"),
    ("filters:rotate()/a.jpg", BARE),
    ("300x200/filters:rotate(90)/a.jpg", "fit-cover_h-300_rot-90_up-1_w-200"),
    ("filters:sharpen(75,%205)/a.jpg", "sharp-3.5"),
    ("300x400/filters:stretch()/a.jpg", "fit-fill_h-400_up-1_w-300"),
    ("fit-in/300x400/filters:stretch()/a.jpg", "h-400_up-1_w-300"),
    ("filters:strip_exif():strip_icc()/a.jpg", BARE),
    ("300x400/filters:upscale()/a.jpg", "h-400_up-1_w-300"),
    ("300x400/filters:upscale():fill(red)/a.jpg", "h-400_up-1_w-300"),
    ("filters:watermark(pictures,marks/logo.png,100,100,0)/a.jpg", "wm-logo~northwest~100~25_wmx-100~100~0~0~0"),
    ("filters:watermark(pictures,marks/logo.png,50p,-30p,20,10)/a.jpg", "wm-logo~southwest~80~25_wmx-0.5~0.3~0~0.1~0"),
    ("filters:watermark(pictures,marks/logo.png,x,x,0)/a.jpg", "wm-logo~center~100~25_wmx-0~0~0~0~0"),
    (
        "fit-in/400x400/filters:watermark(pictures,marks/logo.png,0,0)/a.jpg",
        "h-400_up-1_w-400_wm-logo~northwest~100~25_wmx-0~0~0~0~0",
    ),
    ("filters:animated(fAlSe)/a.gif", "anim-0"),
    ("filters:animated()/a.gif", BARE),
    ("filters:smart_crop()/a.jpg", "face-0~0"),
    ("filters:smart_crop(1,%2040)/a.jpg", "face-1~40"),
    ("filters:smart_crop(,40)/a.jpg", "face-0~40"),
    ("filters:smart_crop(1,40,50)/a.jpg", "face-1~40"),
    ("fit-in/200x300/filters:grayscale():smart_crop(1,40)/a.jpg", "face-1~40_gray-1_h-300_up-1_w-200"),
    ("filters:notSupportedFilter()/a.jpg", BARE),
    ("a.jpg?format=png", "full.png"),
    ("a.jpg?width=300&height=0", "up-1_w-300"),
    ("a.jpg?width=300&height=200&fit=inside", "h-200_up-1_w-300"),
    ("a.jpg?width=300&height=200&rotate=90", "fit-cover_h-300_rot-90_up-1_w-200"),
    ("a.jpg?width=300&rotate=90", "rot-90_up-1_w-300"),
    ("a.jpg?rotate=", BARE),
    ("a.jpg?flip=true&flop=0", "flip-h_rot-180"),
    ("a.jpg?flop=True", "flip-h"),
    ("a.jpg?grayscale=1&greyscale=1", "gray-1"),
    ("a.jpg?grayscale=false", BARE),
    ("a.jpg?utm_source=mail&edits=%7B%7D&width=300&width=400", "up-1_w-400"),
    ("filters:format(jpg)/a.gif?format=png", "full.png"),
    ("fit-in/30x20/a.jpg?width=90", "up-1_w-90"),
]
"""Most of these are cases of DIT's own tests: ``test/thumbor-mapper`` and ``test/image-request``."""


def encoded(document: object) -> str:
    return "/" + base64.b64encode(json.dumps(document).encode()).decode()


def named(options: str, key: str = "a.jpg") -> str:
    return f"/{key}/_/{options}" + ("" if options.rpartition(".")[2].isalpha() else ".auto")


def path_of(target: str, settings: LanguageSettings = SETTINGS) -> str:
    return canonical_path(read(target, settings).plan)


@pytest.mark.parametrize(("edits", "options"), EDITS, ids=json.dumps)
def test_what_edits_come_to(edits: dict[str, Any], options: str) -> None:
    assert path_of(encoded({"key": "a.jpg", "edits": edits})) == named(options)


@pytest.mark.parametrize(("edits", "message"), REFUSED, ids=json.dumps)
def test_what_is_refused_is_named(edits: Any, message: str) -> None:
    with pytest.raises(BadOption) as refusal:
        path_of(encoded({"key": "a.jpg", "edits": edits}))
    assert refusal.value.message.startswith(tuple(message.split("|")))
    assert refusal.value.option
    assert refusal.value.status == 400


@pytest.mark.parametrize(("target", "options"), PATHS)
def test_what_paths_and_queries_come_to(target: str, options: str) -> None:
    key = target.partition("?")[0].rpartition("/")[2]
    assert path_of(f"/{target}") == named(options, key)


SIZES = json.loads((Path(__file__).parent.parent / "cases" / "grammar" / "dit.json").read_text())["cases"]


def has_no_place(edits: dict[str, Any]) -> bool:
    """Whether the page says that these edits are refused: fill without one side, or that must not enlarge."""
    resize = edits.get("resize", {})
    return resize.get("fit") == "fill" and ("withoutEnlargement" in resize or not {"width", "height"} <= resize.keys())


@pytest.mark.parametrize("case", SIZES, ids=lambda case: f"{case['source']} {json.dumps(case['edits'])}")
def test_edits_come_to_the_sizes_that_sharp_gave(case: dict[str, Any]) -> None:
    target = encoded({"key": "a.jpg", "edits": case["edits"]})
    if has_no_place(case["edits"]):
        with pytest.raises(BadOption):
            read(target, SETTINGS)
        return
    plan = read(target, SETTINGS).plan
    size, pad = arrange(plan, Size(*case["source"])).size, plan.padding
    across, down = size.width + pad.left + pad.right, size.height + pad.top + pad.bottom
    roughly = 1 if plan.angle or plan.zoom != Zoom() else 0  # corners of a turned picture, and halves of a pixel
    assert abs(across - case["size"][0]) <= roughly and abs(down - case["size"][1]) <= roughly


def test_the_query_goes_before_the_edits() -> None:
    target = encoded({"key": "a.jpg", "edits": {"resize": BOX, "grayscale": True}})
    assert path_of(f"{target}?width=50") == named("gray-1_up-1_w-50")
    assert path_of(f"{target}?greyscale=false&format=webp") == named("fit-cover_h-200_up-1_w-300.webp")


@pytest.mark.parametrize(
    ("document", "key"),
    [
        ({"key": "a b.jpg"}, "a%20b.jpg"),
        ({"key": "100%.jpg"}, "100%25.jpg"),
        ({"key": "f/中.jpg", "bucket": "old"}, "old/f/%E4%B8%AD.jpg"),
        ({"key": "a?b#c.jpg", "bucket": "pictures"}, "a%3Fb%23c.jpg"),
        ({"key": "/a.jpg"}, "a.jpg"),
    ],
)
def test_which_key_a_request_means(document: dict[str, Any], key: str) -> None:
    assert path_of(encoded(document)).partition("/_/")[0] == f"/{key}"


@pytest.mark.parametrize(
    ("path", "key"),
    [
        ("f/a%20b.jpg", "f/a%20b.jpg"),
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
def test_what_names_no_picture_of_ours(target: str) -> None:
    with pytest.raises(BadKey):
        read(target, SETTINGS)


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
def test_what_a_request_cannot_say(document: dict[str, Any], message: str) -> None:
    with pytest.raises(BadOption) as refusal:
        read(encoded(document), SETTINGS)
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
    ],
)
def test_what_a_query_cannot_say(query: str, message: str) -> None:
    with pytest.raises(BadOption) as refusal:
        read(f"/a.jpg?{query}", SETTINGS)
    assert refusal.value.message.startswith(message)


def test_what_a_request_says_of_its_answer() -> None:
    document = {
        "key": "a.jpg",
        "headers": {"Cache-Control": "max-age=31536000,public"},
        "outputFormat": "jpeg",
        "effort": 3,
    }
    asked = read(encoded(document), SETTINGS)
    assert asked.max_age_s == 31_536_000
    assert asked.plan.format == "jpeg"
    assert read(encoded({"key": "a.jpg", "headers": None}), SETTINGS).max_age_s is None


def test_a_named_format_goes_before_that_of_an_edit() -> None:
    edits = {"jpeg": {"quality": 70}}
    assert path_of(encoded({"key": "a.jpg", "edits": edits, "outputFormat": "webp"})) == named("full.webp")
    assert path_of(encoded({"key": "a.jpg", "edits": {"toFormat": "png"}, "outputFormat": "webp"})) == named("full.png")


def test_a_deployment_that_does_not_negotiate() -> None:
    settings = LanguageSettings(dit=DitSettings(auto_webp=False))
    assert path_of("/30x20/a.jpg", settings) == "/a.jpg/_/fit-cover_h-20_up-1_w-30.auto-legacy"
    assert path_of("/30x20/a.jpg?format=webp", settings) == "/a.jpg/_/fit-cover_h-20_up-1_w-30.webp"


SIGNED_PATH = "/eyJidWNrZXQiOiJ2YWxpZEJ1Y2tldCIsImtleSI6InZhbGlkS2V5IiwiZWRpdHMiOnsidG9Gb3JtYXQiOiJwbmcifX0="
VECTOR = "4d41311006641a56de7bca8abdbda91af254506107a2c7b338a13ca2fa95eac3"
KEY = Key("secret")


def test_the_signature_of_aws_own_test() -> None:
    """``test/image-request/setup.spec.ts``, "Should pass when the image signature is correct"."""
    asked = read(f"{SIGNED_PATH}?signature={VECTOR}", LanguageSettings(Sources((("s3://validbucket/", ""),))))
    assert asked.claim == Claim(SIGNED_PATH.encode(), VECTOR)
    check(asked.claim, [Key("older"), KEY], now_s=0)
    assert canonical_path(asked.plan) == "/validKey/_/full.png"


def test_what_is_signed_of_a_query() -> None:
    claim = read("/a.jpg?width=3&signature=ab&utm=1&format=jp%67&flip=", SETTINGS).claim
    assert claim == Claim(b"/a.jpg?flip=&format=jpg&width=3", "ab")


@pytest.mark.parametrize("signature", ["", VECTOR[:-1] + "4", VECTOR.upper(), VECTOR[:32], "é"])
def test_a_signature_that_is_not_ours(signature: str) -> None:
    with pytest.raises(BadSignature):
        check(Claim(SIGNED_PATH.encode(), signature), [KEY], now_s=0)


def test_an_empty_key_signs_nothing() -> None:
    with pytest.raises(BadSignature):
        check(Claim(b"/a.jpg", sign(b"/a.jpg", Key(""))), [Key("")], now_s=0)


def test_time_that_is_over() -> None:
    asked = read("/a.jpg?expires=19700101T000010Z", SETTINGS)
    assert (asked.claim, asked.expires_s) == (None, 10)
    check(None, [KEY], now_s=9, expires_s=asked.expires_s)
    with pytest.raises(Expired):
        check(None, [KEY], now_s=10, expires_s=asked.expires_s)


ALLOWED = {
    *("removeAlpha", "ensureAlpha", "extractChannel", "joinChannel", "bandbool", "tint", "greyscale", "grayscale"),
    *("pipelineColourspace", "pipelineColorspace", "toColourspace", "toColorspace", "rotate", "flip", "flop", "affine"),
    *("sharpen", "median", "blur", "flatten", "unflatten", "gamma", "negate", "normalise", "normalize", "clahe"),
    *("convolve", "threshold", "boolean", "linear", "recomb", "modulate", "jpeg", "png", "webp", "gif", "avif", "tiff"),
    *("heif", "toFormat", "resize", "extend", "extract", "trim", "overlayWith", "smartCrop", "roundCrop"),
    *("contentModeration", "crop", "animated", "stripExif", "stripIcc"),
}
"""``SHARP_EDIT_ALLOWLIST_ARRAY``, ``ALTERNATE_EDIT_ALLOWLIST_ARRAY`` and what ``instantiateSharpImage`` takes, v7.0."""

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
    return {name for one in COVERAGE if one.group == group for name in one.names}


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
    assert counted(COVERAGE) == (40, 48)
    for one in COVERAGE:
        assert bool(one.refused) != bool(one.read)
        assert one.to or one.note or one.refused


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
    """What is read is a Plan that its canonical path names, or a refusal of ours."""
    try:
        plan = read(target, SETTINGS).plan
    except DarkroomError as refusal:
        assert refusal.status == 400
    else:
        assert parse_path(canonical_path(plan)) == plan


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from(sorted(ALLOWED)), VALUES, max_size=4))
def test_any_edits(edits: dict[str, Any]) -> None:
    same(encoded({"key": "a.jpg", "edits": edits}))


@settings(deadline=None)
@given(st.lists(st.sampled_from(EDITS), max_size=5))
def test_edits_together(several: list[tuple[dict[str, Any], str]]) -> None:
    same(encoded({"key": "a.jpg", "edits": {name: value for edits, _ in several for name, value in edits.items()}}))


@settings(deadline=None)
@given(st.text(max_size=60))
def test_any_text(text: str) -> None:
    same(f"/{text}")
    same(text)


@settings(deadline=None)
@given(st.text("0123456789x:/().,-;&=?filtersquawdhJW%2Ob64", max_size=60))
def test_any_path(text: str) -> None:
    same(f"/filters:{text}/a.jpg")
    same(f"/{text}")


@settings(deadline=None)
@given(st.binary(max_size=60))
def test_any_bytes_in_base64(content: bytes) -> None:
    same("/" + base64.b64encode(content).decode())


@pytest.mark.parametrize(
    "content",
    [b"[" * 6000, b'{"a":' * 1500, b'{"key":"\\ud800"}', b'{"key":NaN}', b'{"key":"a.jpg","edits":{"blur":1e999}}'],
)
def test_json_that_is_odd(content: bytes) -> None:
    same("/" + base64.b64encode(content).decode())
