"""The Cloudinary dialect: the plan of every option, errors by name, and signatures of Cloudinary's own client."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from darkroom.errors import BadKey, BadOption, BadSignature, DarkroomError, DuplicateOption, UnknownOption
from darkroom.plan.canonical import canonical_path, parse_path
from darkroom.plan.presets import Presets
from darkroom_dialects.cloudinary import OPTION_MAPPINGS, insert_signature, parse, remove_signature, sign, verify
from darkroom_dialects.common.parsed_url import DialectKey
from darkroom_dialects.common.settings import CloudinarySettings, DialectSettings
from darkroom_dialects.common.sources import Sources
from darkroom_dialects.settings_file import parse_settings

RECORDED = json.loads(
    (Path(__file__).parents[1] / "cases" / "dialects" / "cloudinary.json").read_text(encoding="utf-8")
)
SOME = DialectSettings(
    Sources((("//images.example.com/", ""),)),
    cloudinary=CloudinarySettings(transformations=RECORDED["transformations"]),
)
KEY = DialectKey(RECORDED["secret"])


def path_of(transformations: str) -> str:
    """The canonical request of transformations, without the key; it must name its Plan in turn."""
    plan = parse(f"/demo/image/upload/{transformations}/a.jpg", SOME).plan
    path = canonical_path(plan)
    assert parse_path(path) == plan
    return path.removeprefix("/a.jpg/_/")


MEANINGS = {
    "w_300": "up-1_w-300.jpeg",
    "h_200": "h-200_up-1.jpeg",
    "w_300,h_200": "fit-fill_h-200_up-1_w-300.jpeg",
    "w_auto,c_scale": "full.jpeg",
    "c_fit,w_300,h_200": "h-200_up-1_w-300.jpeg",
    "c_limit,w_640/f_auto/q_auto": "w-640.auto",
    "c_mfit,w_300,h_200": "grow-1_h-200_up-1_w-300.jpeg",
    "c_fill,w_300,h_200,g_north_west,dpr_2.0": "fit-cover_g-northwest_h-400_up-1_w-600.jpeg",
    "c_fill,w_300,h_200,g_auto": "fit-cover_g-attention_h-200_up-1_w-300.jpeg",
    "c_fill,w_300,h_200,g_faces": "fit-cover_g-face_h-200_up-1_w-300.jpeg",
    "c_fill,w_300,h_200,g_ocr_text": "fit-cover_g-text_h-200_up-1_w-300.jpeg",
    "c_fill,w_300,h_200,g_xy_center,x_40,y_50": "fit-cover_focus-40-50_h-200_up-1_w-300.jpeg",
    "c_lfill,w_300,h_200": "fit-cover_h-200_w-300.jpeg",
    "c_auto,w_300,h_200": "fit-cover_g-attention_h-200_up-1_w-300.jpeg",
    "c_pad,w_300,h_200,b_white": "bg-ffffff_fit-letterbox_h-200_up-1_w-300.jpeg",
    "c_lpad,w_300,h_200,b_blurred:400:15": "bgx-blur_fit-letterbox_h-200_w-300.jpeg",
    "c_pad,w_300,h_200,b_auto:predominant": "bgx-auto_fit-letterbox_h-200_up-1_w-300.jpeg",
    "c_thumb,w_150,h_150,g_face": "fit-cover_fz-0.75_g-face_h-150_up-1_w-150.jpeg",
    "c_thumb,w_150,h_150": "fit-cover_h-150_up-1_w-150.jpeg",
    "c_crop,w_300,h_200": "cut-300-200-center-0.5-0.5-0-0.jpeg",
    "c_crop,w_300,h_200,g_south_east,x_5,y_6": "cut-300-200-southeast-0.5-0.5-5-6.jpeg",
    "c_crop,w_300,h_200,x_10,y_20": "crop-10-20-300-200.jpeg",
    "c_crop,w_0.5,h_0.9,x_0.1,y_0.2": "crop-pct-10-20-50-80.jpeg",
    "c_crop,ar_2,w_300,g_north": "cut-300-150-north-0.5-0.5-0-0.jpeg",
    "c_crop,w_400,h_300,x_10/c_scale,w_200": "crop-10-0-400-300_up-1_w-200.jpeg",
    "ar_16:9,c_fill,w_400": "fit-cover_h-225_up-1_w-400.jpeg",
    "ar_16:9,c_fill,g_auto/w_800,dpr_2": "fit-cover_g-attention_h-900_up-1_w-1600.jpeg",
    "h_200,ar_1.5,c_pad": "fit-letterbox_h-200_up-1_w-300.jpeg",
    "w_0.5": "zoom-0.5-0.5.jpeg",
    "c_limit,w_1.5": "full.jpeg",
    "w_1.0": "full.jpeg",
    "c_fit,w_0.5,h_0.5,dpr_3.0": "up-1_zoom-1.5-1.5.jpeg",
    "w_5000,dpr_3": "up-1_w-8192.jpeg",
    "dpr_auto,w_300": "up-1_w-300.jpeg",
    "a_90": "rot-90.jpeg",
    "a_-20": "angle-340.jpeg",
    "a_hflip": "flip-h.jpeg",
    "a_vflip.90": "flip-h_rot-90.jpeg",
    "a_ignore": "orient-0.jpeg",
    "c_fill,w_300,h_200/a_180": "fit-cover_h-200_rot-180_up-1_w-300.jpeg",
    "r_20": "radius-20.jpeg",
    "r_20:20:20:20": "radius-20.jpeg",
    "r_max,w_300": "radius-4096_ry-4096_up-1_w-300.jpeg",
    "q_60": "q-60.jpeg",
    "q_auto:eco": "full.jpeg",
    "f_jpg": "full.jpeg",
    "f_png,pg_3": "page-2.png",
    "cs_srgb": "full.jpeg",
    "e_grayscale": "gray-1.jpeg",
    "e_blackwhite": "thr-127.jpeg",
    "e_blackwhite:30": "thr-76.jpeg",
    "e_blur:200": "blur-10.jpeg",
    "e_blur": "blur-5.jpeg",
    "e_brightness:10": "bri-10.jpeg",
    "e_contrast:-20": "con--20.jpeg",
    "e_saturation:30": "sat-30.jpeg",
    "e_gamma:50": "gam-1.5.jpeg",
    "e_hue:50": "lch-1-1-90-0.jpeg",
    "e_improve": "enh-auto.jpeg",
    "e_negate": "mat--1-0-0-1-0--1-0-1-0-0--1-1.jpeg",
    "e_pixelate:10": "pix-10.jpeg",
    "e_redeye": "reye-1.jpeg",
    "e_sepia:100": "mat-0.393-0.769-0.189-0-0.349-0.686-0.168-0-0.272-0.534-0.131-0.jpeg",
    "e_negate/e_sepia:50": (
        "mat--0.6965--0.3845--0.0945-1.1755--0.1745--0.843--0.084-1.1015--0.136--0.267--0.5655-0.9685.jpeg"
    ),
    "e_sharpen:400": "sharp-2.jpeg",
    "e_trim": "trim-10.jpeg",
    "e_trim:20:white": "trim-20_trimx-ffffff-northwest-none.jpeg",
    "e_colorize:50,co_rgb:ff0000": "mat-0.5-0-0-0.5-0-0.5-0-0-0-0-0.5-0.jpeg",
    "e_background_removal": "cutout-1.jpeg",
    "fl_progressive:none": "base-1.jpeg",
    "fl_attachment:holiday": "dl-holiday_dlx-1.jpeg",
    "fl_force_strip": "full.jpeg",
    "fl_keep_iptc": "full.jpeg",
    "t_card": "fit-cover_h-200_up-1_w-320.jpeg",
    "t_card/e_grayscale": "fit-cover_gray-1_h-200_up-1_w-320.jpeg",
    "ar_16%3A9%2Cc_fill%2Cw_400": "fit-cover_h-225_up-1_w-400.jpeg",
    "b_rgb:ff880080": "bg-ff880080.jpeg",
    "fl_keep_attribution,e_adv_redeye": "reye-1.jpeg",
    "fl_animated.any_format.awebp.lossy.png8.png24.png32": "full.jpeg",
    "fl_preserve_transparency,fl_sanitize.strip_profile": "full.jpeg",
    "c_crop,g_west,w_1.0,h_0.5": "cut-0-0.5-west-0.5-0.5-0-0.jpeg",
}


@pytest.mark.parametrize("transformations", MEANINGS)
def test_what_transformations_come_to(transformations: str) -> None:
    assert path_of(transformations) == MEANINGS[transformations]


def test_every_covered_option_is_read_here() -> None:
    text = ",".join(MEANINGS).replace("/", ",").replace(".", ",fl_").replace("t_card", "t_card,")
    written = {
        part.partition(":")[0] if part.startswith(("e_", "fl_")) else part.partition("_")[0] for part in text.split(",")
    }
    assert {covered.name for covered in OPTION_MAPPINGS if covered.parse} <= written


@pytest.mark.parametrize(
    ("transformations", "expected"),
    [
        ("c_mpad,w_9", "c: mpad is not supported: an image that is not enlarged is padded by lpad"),
        ("l_logo", "l is not supported: use a configured watermark or an overlay in a native URL"),
        ("e_cartoonify:50", "e_cartoonify is not supported: there is no equivalent"),
        ("fl_getinfo", "fl_getinfo is not supported: use f=json of a native URL"),
        ("du_5", "du is not supported: videos are not served in this dialect"),
        ("$size_5", "$: is not supported: there are no variables"),
        ("if_w_gt_5/w_5/if_end", "if is not supported: there are no functions, conditions and variables"),
        ("w_0", "w: must be px, or a fraction with a decimal point, but is '0'"),
        ("w_0.5,h_300", "h: px and fractions cannot be combined in a component"),
        ("c_fill,w_0.5", "w: a fraction needs c_scale, c_fit, c_limit or c_crop, and the same for both sides"),
        ("ar_16:9,c_fill", "ar: needs w or h in px"),
        ("ar_16:9,c_fill/c_fill,w_300,h_200", "ar: needs w or h, in its component or in a c_scale after it"),
        ("w_300/w_200", "c: one crop and then one resize can be combined; further ones are not supported"),
        ("w_300/c_crop,w_9", "c: one crop and then one resize can be combined; further ones are not supported"),
        ("a_90/w_300", "a: must be in the component of the resize or after it"),
        ("a_90/a_180", "a: can be given only once per image"),
        ("e_blur:10/e_blur:20", "e_blur: blur can be set only once per image"),
        ("c_fill,w_9,h_9,x_5", "x: x and y need c_crop, or g_xy_center"),
        ("c_pad,w_9,h_9,g_north", "g: c_pad centres the image"),
        ("c_crop,w_9,g_face", "g: c_crop needs a side, a corner or center; c_fill and c_thumb search"),
        ("r_1:2:3:4", "r: all corners must have one radius"),
        ("e_grayscale:5", "e_grayscale: has no argument"),
        ("f_jxl", "f: must be one of auto, jpg, jpeg, png, webp, avif, gif, but is 'jxl'"),
        (
            "q_80:420",
            "q: must be auto, auto:best, auto:good, auto:eco, auto:low or a whole number from 1 to 100, "
            "but is '80:420'",
        ),
        ("w_9999", "w must be a whole number from 1 to 8192, but is '9999'"),
        ("t_unknown", "There is no transformation 'unknown' in the setting dialects.cloudinary"),
        ("t_card,w_5", "t: must be alone in its component, and cannot be nested"),
    ],
)
def test_what_is_refused_is_named(transformations: str, expected: str) -> None:
    with pytest.raises(BadOption) as caught:
        parse(f"/demo/image/upload/{transformations}/a.jpg", SOME)
    assert caught.value.message == expected


def test_an_option_is_known_and_given_once() -> None:
    with pytest.raises(UnknownOption):
        path_of("nn_5")
    with pytest.raises(DuplicateOption):
        path_of("w_5,w_5")
    with pytest.raises(DuplicateOption, match="e was given twice"):
        path_of("e_grayscale,e_blur:9")


@pytest.mark.parametrize(
    ("path", "key"),
    [
        ("/demo/image/upload/a.jpg", "a.jpg"),
        ("/image/upload/a.jpg", "a.jpg"),
        ("/demo/image/upload/v1/trips/caf%C3%A9.jpg", "trips/café.jpg"),
        ("/demo/image/upload/w_5/v1/w_300/a.jpg", "w_300/a.jpg"),
        ("/demo/image/upload/w_5/trips/w_300/a.jpg", "trips/w_300/a.jpg"),
        ("/demo/image/upload/w_300", "w_300"),
        ("/demo/image/upload//w_300//trips//a.jpg?_a=BAVAZGB1", "trips/a.jpg"),
    ],
)
def test_the_public_id_is_the_key(path: str, key: str) -> None:
    assert parse(path, SOME).plan.key == key


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/",
        "/demo/a.jpg",
        "/demo/image/upload/",
        "/demo/image/upload/v1",
        "/demo/image/fetch/https://images.example.com/a.jpg",
        "/demo/image/authenticated/s--AAAAAAAA--/a.jpg",
        "/demo/video/upload/a.mp4",
        "/demo/images/a/name.jpg",
    ],
)
def test_other_deliveries_are_refused(path: str) -> None:
    with pytest.raises(BadKey, match="image/upload"):
        parse(path, SOME)


def test_a_configured_cloud_is_the_only_one() -> None:
    settings = replace(SOME, cloudinary=CloudinarySettings(cloud_name="demo"))
    assert parse("/demo/image/upload/a.jpg", settings).plan.key == "a.jpg"
    for path in ("/other/image/upload/a.jpg", "/image/upload/a.jpg"):
        with pytest.raises(BadKey, match="not configured"):
            parse(path, settings)


def test_the_extension_may_be_the_format_alone() -> None:
    settings = replace(SOME, cloudinary=CloudinarySettings(extension_is_format=True))
    for path, expected in {
        "trips/rome.webp": "/trips/rome/_/full.webp",
        "trips/rome": "/trips/rome/_/full.auto-legacy",
        "f_avif/trips/rome.jpg": "/trips/rome/_/full.avif",
    }.items():
        assert canonical_path(parse(f"/demo/image/upload/{path}", settings).plan) == expected
    assert canonical_path(parse("/demo/image/upload/a.heic", SOME).plan) == "/a.heic/_/full.auto-legacy"


def test_a_transformation_of_the_settings_is_checked() -> None:
    presets = Presets({}, {})
    table = '[cloudinary.transformations]\nthumb = "{}"'
    assert parse_settings(table.format("c_thumb,w_9,h_9/r_max"), presets).cloudinary.transformations
    for text, expected in {
        "w_x": "w: must be",
        "t_card": "There is no transformation",
        "nn_1": "no option 'nn'",
    }.items():
        with pytest.raises(ValueError, match=f"cloudinary: transformation 'thumb': .*{expected}"):
            parse_settings(table.format(text), presets)


@pytest.mark.parametrize("url", RECORDED["urls"])
def test_urls_of_cloudinarys_client_are_valid(url: str) -> None:
    asked = parse(url, SOME)
    assert asked.claim is not None
    verify(asked.claim, [DialectKey("an older secret"), KEY], 0.0)
    signature = url.split("/")[4]
    for forged in (url.replace("photo", "other"), url.replace("--/", "--/e_blur/"), url.replace(signature, "s----")):
        if forged != url:
            with pytest.raises(BadSignature):
                verify(parse(forged, SOME).claim, [KEY], 0.0)
    if len(signature) < 20:
        assert insert_signature(remove_signature(url), KEY) == url


def test_a_signature_is_of_its_whole_length() -> None:
    full = sign(b"a.jpg", KEY, 32)
    for text in (full[:8], sign(b"a.jpg", KEY)[:7], sign(b"a.jpg", KEY) + full[8:], ""):
        with pytest.raises(BadSignature):
            verify(parse(f"/demo/image/upload/s--{text}--/a.jpg", SOME).claim, [KEY], 0.0)
    verify(parse(f"/demo/image/upload/s--{full}--/v9/a.jpg", SOME).claim, [KEY], 0.0)


@pytest.mark.parametrize(
    ("path", "signature"),
    [("c_crop,h_20,w_10/v1234/image.jpg", "Ai4Znfl3"), ("v1234/image.jpg", "--SjmNDA")],
)
def test_signatures_of_the_tests_of_cloudinarys_client(path: str, signature: str) -> None:
    verify(parse(f"/test123/image/upload/s--{signature}--/{path}", SOME).claim, [DialectKey("b")], 0.0)


VALUES = st.sampled_from(
    ["", "1", "0.5", "300", "-5", "auto", "rgb:fff", "crop", "face", "16:9", "max", "%", "é", "a.b"]
)
NAMES = st.sampled_from([covered.name for covered in OPTION_MAPPINGS])


@given(st.lists(st.lists(st.tuples(NAMES, VALUES), max_size=3), max_size=3))
def test_any_transformations_have_a_plan_or_an_error_of_the_client(components: list[list[tuple[str, str]]]) -> None:
    text = "/".join(
        ",".join(f"{name}{':' if name.startswith(('e_', 'fl_')) else '_'}{value}" for name, value in component)
        for component in components
    )
    try:
        path_of(text)
    except DarkroomError as error:
        assert 400 <= error.status < 500
