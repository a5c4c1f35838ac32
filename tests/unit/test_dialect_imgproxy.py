"""The imgproxy dialect: the plan of every option, and errors by name."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from darkroom.errors import BadKey, BadOption, BadSignature, DarkroomError, Expired, UnknownOption
from darkroom.plan.canonical import canonical_path, parse_path
from darkroom.plan.geometry.layout import compute_geometry
from darkroom.plan.geometry.placement import Size
from darkroom.plan.model import Plan
from darkroom.plan.native_url import parse_url
from darkroom.plan.presets import Presets, load_default_presets
from darkroom_dialects.common.anchor import Anchor
from darkroom_dialects.common.mapping import count_supported
from darkroom_dialects.common.parsed_url import DialectKey, SignatureClaim
from darkroom_dialects.common.settings import DialectSettings, ImgproxySettings
from darkroom_dialects.common.sources import Sources
from darkroom_dialects.imgproxy import OPTION_MAPPINGS, parse, sign, verify
from darkroom_dialects.imgproxy.arguments import COMPASS
from darkroom_dialects.settings_file import load_settings, parse_settings

FOLDER = Path(__file__).parents[1] / "cases"
CASES = json.loads((FOLDER / "dialects" / "imgproxy.json").read_text(encoding="utf-8"))
PAGE = json.loads((FOLDER / "moving" / "imgproxy.json").read_text(encoding="utf-8"))
SOURCES = Sources((("//images.dev/", ""), ("s3://bucket/folder/", "old/"), ("local:///", "")))
PRESETS = {"sharp": "sharpen:0.7", "thumb": "rs:fill:100:50/pr:sharp"}


def settings(**imgproxy: Any) -> DialectSettings:
    return DialectSettings(SOURCES, {"logo": "marks/logo.png"}, ImgproxySettings(**imgproxy))


SOME = settings(presets=PRESETS)


def path_of(target: str, some: DialectSettings = SOME) -> str:
    """The canonical path of a URL, which must name its Plan in turn."""
    plan = parse(target, some).plan
    path = canonical_path(plan)
    assert parse_path(path) == plan
    return path


@pytest.mark.parametrize("case", CASES["cases"], ids=lambda case: case["test"])
def test_imgproxys_own_cases(case: dict[str, Any]) -> None:
    some = settings(**case.get("settings", {}))
    if "refused" in case:
        with pytest.raises(BadOption):
            parse(f"/unsafe{case['path']}", some)
    else:
        assert path_of(f"/unsafe{case['path']}", some) == case["canonical"]


@pytest.mark.parametrize("case", PAGE["cases"], ids=lambda case: case["name"])
def test_a_page_that_was_built_for_imgproxy(case: dict[str, Any]) -> None:
    """By arithmetic alone: imgproxy's sizes, signatures and errors."""
    some = DialectSettings(
        Sources(tuple(PAGE["hosts"].items())),
        imgproxy=ImgproxySettings(PAGE["presets"], base_url=next(iter(PAGE["hosts"]))),
    )
    expected = case["expect"]
    if expected["status"] == 200:
        plan = _answered(case["url"], some)
        geometry = compute_geometry(plan, Size(*case["source_size"]), 1)
        size, padding = geometry.size, geometry.padding
        assert size.width + padding.left + padding.right == expected["width"]
        assert size.height + padding.top + padding.bottom == expected["height"]
        assert plan.format in ("auto", expected["format"])
    elif case["source"] in PAGE["sources"]:
        with pytest.raises(DarkroomError):
            _answered(case["url"], some)


def test_what_is_configured_reads_that_page_too() -> None:
    for case in PAGE["cases"]:
        if case["expect"]["status"] == 200:
            assert parse(case["url"], load_settings()).plan.key == case["source"]


def _answered(url: str, some: DialectSettings) -> Plan:
    asked = parse(url, some)
    verify(asked.claim, [DialectKey(**PAGE["keys"])], 1_800_000_000, asked.expires_s)
    return asked.plan


MEANINGS = [
    ("rs:fit:300:200", "h-200_w-300.auto"),
    ("resize:fill:300:200", "cov-clip_even-1_fit-cover_h-200_w-300.auto"),
    ("rs:fill:300:200:1", "even-1_fit-cover_h-200_up-1_w-300.auto"),
    ("rs:fill-down:300:200", "even-1_fit-cover_h-200_w-300.auto"),
    ("rs:fill-down:300:200:t", "even-1_fit-cover_h-200_up-1_w-300.auto"),
    ("rs:force:300:200", "fit-fill_h-200_w-300.auto"),
    ("rs:force:300", "one-1_w-300.auto"),
    ("rs:force:0:300/dpr:2", "h-300_one-1_ratio-2.auto"),
    ("rs:auto:300:200", "cov-flex_even-1_fit-cover_h-200_w-300.auto"),
    ("rs:auto:300:200:true", "cov-flex_even-1_fit-cover_h-200_up-1_w-300.auto"),
    ("rs:fill:300", "w-300.auto"),
    ("rs::300:200:0:1", "even-1_ext-box-center-0-0_h-200_w-300.auto"),
    ("rs:fit:300:200:0:1:no:0:5", "even-1_ext-box-north-0-5_h-200_w-300.auto"),
    ("s:300:200:1:1", "even-1_ext-box-center-0-0_h-200_up-1_w-300.auto"),
    ("size::200", "h-200.auto"),
    ("rt:force/w:300/h:200", "fit-fill_h-200_w-300.auto"),
    ("resizing_type:fill/w:300/h:200", "cov-clip_even-1_fit-cover_h-200_w-300.auto"),
    ("width:300", "w-300.auto"),
    ("w:300", "w-300.auto"),
    ("height:200", "h-200.auto"),
    ("h:200/w:0", "h-200.auto"),
    ("min-width:100", "even-1_minw-100.auto"),
    ("mw:100/dpr:2/w:300", "even-1_minw-100_ratio-2_w-300.auto"),
    ("mw:500/w:300/h:200/g:no:0:5", "even-1_g-north_h-200_minw-500_off-0-5_w-300.auto"),
    ("min-height:100", "even-1_minh-100.auto"),
    ("mh:100/w:50", "even-1_minh-100_w-50.auto"),
    ("z:2/w:300", "w-600.auto"),
    ("zoom:0.5", "zoom-0.5-0.5.auto"),
    ("zoom:2:3/w:300/h:100", "h-100_w-300_zoom-2-3.auto"),
    ("z:2/el:1", "up-1_zoom-2-2.auto"),
    ("dpr:2/w:300/h:200", "h-400_w-600.auto"),
    ("dpr:1.333/w:300", "ratio-1.333_w-300.auto"),
    ("dpr:2/pd:10/w:300", "pad-10-10-10-10_ratio-2_w-300.auto"),
    ("dpr:0.5", "ratio-0.5.auto"),
    ("dpr:3/w:4000", "w-8192.auto"),
    ("dpr:2/el:1", "ratio-2_up-1.auto"),
    ("dpr:2/rs:fill:300:200/g:no:10:0.25", "cov-clip_even-1_fit-cover_g-north_h-200_off-10-0.25_ratio-2_w-300.auto"),
    ("el:1/w:300", "up-1_w-300.auto"),
    ("enlarge:yes/w:300", "w-300.auto"),
    ("ex:1/s:300:200", "even-1_ext-box-center-0-0_h-200_w-300.auto"),
    ("extend:1:soea:5:6/s:300:200/dpr:2", "ext-box-southeast-5-6_h-200_ratio-2_w-300.auto"),
    ("ex:1:no/w:300", "even-1_ext-box-north-0-0_w-300.auto"),
    ("ex:0:no/s:300:200", "h-200_w-300.auto"),
    ("exar:1/s:300:200", "even-1_ext-ratio-center-0-0_h-200_w-300.auto"),
    ("extend_ar:1:we/s:300:200", "even-1_ext-ratio-west-0-0_h-200_w-300.auto"),
    ("extend_aspect_ratio:1/ex:1/s:300:200", "even-1_ext-box-center-0-0_h-200_w-300.auto"),
    ("g:sm/rs:fill-down:300:200", "fit-cover_g-attention_h-200_w-300.auto"),
    ("gravity:fp:0.25:0.333/rs:fill-down:300:200", "even-1_fit-cover_g-fp-0.25-0.33_h-200_w-300.auto"),
    ("g:no:10:20/g:so/rs:fill-down:300:200", "even-1_fit-cover_g-south_h-200_off-10-20_w-300.auto"),
    ("g:no:10:20/g:sm/g:so/rs:fill-down:300:200", "even-1_fit-cover_g-south_h-200_w-300.auto"),
    ("g:no:10:20/rot:90/rs:fill-down:300:200", "even-1_fit-cover_g-west_h-200_off-20--10_rot-90_w-300.auto"),
    ("g:fp:0.2:0.9/rot:90/rs:fill-down:300:200", "even-1_fit-cover_g-fp-0.9-0.8_h-200_rot-90_w-300.auto"),
    ("g:ea/fl:1/rs:fill-down:300:200", "even-1_fit-cover_flip-h_g-west_h-200_w-300.auto"),
    ("c:0.5:100.7", "cut-0.5-100-center-0.5-0.5-0-0_even-1.auto"),
    ("crop:0:100:sm", "cut-0-100-attention-0.5-0.5-0-0.auto"),
    ("c:100:0:fp:0.25:0.125", "cut-100-0-fp-0.25-0.125-0-0_even-1.auto"),
    ("c:100:50/g:nowe:3:0.5", "cut-100-50-northwest-0.5-0.5-3-0.5.auto"),
    ("c:100:50:no:3/rot:90", "cut-50-100-west-0.5-0.5-0--3_even-1_rot-90.auto"),
    ("crop:50:50:ce::10", "cut-50-50-center-0.5-0.5-0-10_even-1.auto"),
    ("c::50:no/c:60", "cut-60-50-north-0.5-0.5-0-0_even-1.auto"),
    ("c:60:50::3/g:so", "cut-60-50-center-0.5-0.5-3-0_even-1.auto"),
    ("g:no::5/rs:fill-down:300:200", "even-1_fit-cover_g-north_h-200_off-0-5_w-300.auto"),
    ("g:obj:face/rs:fill:300:200", "cov-clip_fit-cover_g-face_h-200_w-300.auto"),
    ("g:objw:face:2/rs:fill:300:200", "cov-clip_fit-cover_g-face_h-200_w-300.auto"),
    ("ex:1:fp:0.25:1/s:300:200", "even-1_ext-box-fp-0.25-1_h-200_w-300.auto"),
    ("w:/h:200/q:/bl:/rt:/dpr:/z:/rot:", "h-200.auto"),
    ("c:10:10/t:10", "cut-10-10-center-0.5-0.5-0-0_even-1_tfirst-1_trim-10.auto"),
    ("t:10:F0F", "trim-10_trimx-ff00ff00-northwest-none.auto"),
    ("t:150", "trim-100_trimx-auto-northwest-none-150.auto"),
    ("t:0.5", "trim-1_trimx-auto-northwest-none-0.5.auto"),
    ("t:300", "trim-100_trimx-auto-northwest-none-255.auto"),
    ("mrd:300/w:400/h:5", "h-5_most-300_w-400.auto"),
    ("mrd:300/w:300/h:200/pd:5", "h-200_most-300_pad-5-5-5-5_w-300.auto"),
    ("mrd:300/w:200/h:200/dpr:2", "h-200_most-300_ratio-2_w-200.auto"),
    ("ph:1/preserve_hdr:0/w:5", "w-5.auto"),
    ("br:51", "mat-1-0-0-0.2-0-1-0-0.2-0-0-1-0.2.auto"),
    ("brightness:0/contrast:2", "mat-2-0-0--0.5-0-2-0--0.5-0-0-2--0.5.auto"),
    ("co:1/sa:1/saturation:1/a:::", "h-2560_w-2560.auto"),
    ("adjust:51:1:1", "mat-1-0-0-0.2-0-1-0-0.2-0-0-1-0.2.auto"),
    ("bga:0.5/bg:F80", "bg-ff880080.auto"),
    ("wm:1/wmt:YQ", "ov-text.-3Aa.-2Cat.-3Acenter.-2Csize.-3A16px.-2Ccolor.-3A000000.auto"),
    (
        "wm:1/watermark_text:YQ/watermark_size:10:0/watermark_rotate:90",
        "ov-text.-3Aa.-2Cat.-3Acenter.-2Cwidth.-3A10px.-2Cfit.-3A1.-2Ccolor.-3A000000.-2Crotate.-3A90.auto",
    ),
    (
        "wm:1/wmu:L292ZXJsYXlzL2IucG5n/wms::20/wmr:5",
        "ov-image.-3Ab.png.-2Cat.-3Acenter.-2Cheight.-3A20px.-2Crotate.-3A5.auto",
    ),
    (
        "wm:1/watermark_url:L292ZXJsYXlzL2IucG5n/wm_rot:5",
        "ov-image.-3Ab.png.-2Cat.-3Acenter.-2Cown.-3A1.-2Crotate.-3A5.auto",
    ),
    ("background_alpha:0.5", "h-2560_w-2560.auto"),
    ("page:2/pg:", "page-2.auto"),
    ("disable_animation:1/da:t", "anim-0.auto"),
    ("ra:lanczos3/resizing_algorithm:/w:5", "w-5.auto"),
    ("bc:1/bypass_cache:0/ct:a:b/cache_tags:c/w:5", "w-5.auto"),
    ("c:0:0", "h-2560_w-2560.auto"),
    ("t:10", "trim-10.auto"),
    ("trim:10.4:FA0:1:1", "trim-10_trimx-ffaa00-northwest-hv-10.4.auto"),
    ("t:0::0:1", "trim-1_trimx-auto-northwest-v.auto"),
    ("t:10/t:", "h-2560_w-2560.auto"),
    ("pd:10", "pad-10-10-10-10.auto"),
    ("padding:1:2:3:4", "pad-1-2-3-4.auto"),
    ("pd:10:20", "pad-10-20-10-20.auto"),
    ("pd::20", "pad-0-20-0-20.auto"),
    ("ar:0", "orient-0.auto"),
    ("auto_rotate:1", "h-2560_w-2560.auto"),
    ("rot:90", "rot-90.auto"),
    ("rotate:-90", "rot-270.auto"),
    ("rot:450", "rot-90.auto"),
    ("fl:1", "flip-h.auto"),
    ("flip:0:1", "flip-h_rot-180.auto"),
    ("fl:1:1/rot:90", "rot-270.auto"),
    ("bg:F80", "bg-ff8800.auto"),
    ("background:255:136:0", "bg-ff8800.auto"),
    ("bl:2.345", "blur-2.35.auto"),
    ("blur:0.001", "blur-0.01.auto"),
    ("sh:1.5", "sharp-1.5.auto"),
    ("sharpen:1", "sharp-1.auto"),
    ("pix:8", "pix-8.auto"),
    ("pixelate:1", "h-2560_w-2560.auto"),
    ("wm:1", "even-1_wm-logo-center-100-25_wmx-0-0-0-0-0.auto"),
    ("wm:0.004:re:5:0.1:0.25/dpr:2/w:10", "even-1_ratio-2_w-10_wm-logo-center-1-25_wmx-5-0.1-1-0.25-0.25.auto"),
    ("watermark:0:no", "h-2560_w-2560.auto"),
    ("sm:0/strip_metadata:1/keep_copyright:1/kcr:1", "h-2560_w-2560.auto"),
    ("scp:0/strip_color_profile:1/eth:1/enforce_thumbnail:0", "h-2560_w-2560.auto"),
    ("q:50", "q-50.auto"),
    ("quality:0", "h-2560_w-2560.auto"),
    ("fq:webp:40:jpg:60/f:webp", "q-40.webp"),
    ("format_quality:webp:40/f:webp/q:70", "q-70.webp"),
    ("fq:jxl:40/f:jpg", "full.jpeg"),
    ("mb:20000/f:jpg", "mb-20000.jpeg"),
    ("max_bytes:20000/f:png", "full.png"),
    ("f:jpg", "full.jpeg"),
    ("format:tif", "full.tiff"),
    ("ext:avif", "full.avif"),
    ("skp:svg:gif", "skip-gif-svg.auto"),
    ("skip_processing:png:webp/f:png", "skip-png.png"),
    ("skp:ico:bmp/w:5", "w-5.auto"),
    ("raw:1/w:300", "skip-all.auto"),
    ("cb:abc/cachebuster:1/w:5", "w-5.auto"),
    ("exp:1900000000/w:5", "w-5.auto"),
    ("expires:0/w:5", "w-5.auto"),
    ("fn:the%20menu.jpg", "dl-the.-20menu.jpg_dlx-1_inl-1.auto"),
    ("filename:dGhlLW1lbnU=:1/att:1", "dl-the-menu_dlx-1.auto"),
    ("return_attachment:1", "dl-a_dlx-1.auto"),
    ("pr:thumb", "cov-clip_even-1_fit-cover_h-50_sharp-0.7_w-100.auto"),
    ("preset:thumb:sharp/w:5/sh:1", "cov-clip_even-1_fit-cover_h-50_sharp-1_w-5.auto"),
    ("msr:50/max_src_resolution:1/msfs:9/max_src_file_size:5/w:5", "w-5.auto"),
    ("mafr:1/max_animation_frame_resolution:2/w:5", "w-5.auto"),
    ("maf:1/f:gif", "anim-0.gif"),
    ("max_animation_frames:100/f:gif", "full.gif"),
    ("mrd:300/w:300/h:200", "h-200_w-300.auto"),
    ("max_result_dimension:0", "h-2560_w-2560.auto"),
]  # fmt: skip


@pytest.mark.parametrize(("options", "expected"), MEANINGS, ids=[options for options, _ in MEANINGS])
def test_what_options_come_to(options: str, expected: str) -> None:
    assert path_of(f"/unsafe/{options}/plain/a.jpg") == f"/a.jpg/_/{expected}"


def test_every_name_of_every_covered_option_is_read_here() -> None:
    written = {segment.partition(":")[0] for options, _ in MEANINGS for segment in options.split("/")}
    assert written == {name for covered in OPTION_MAPPINGS if covered.parse for name in covered.names}


SOURCED = [
    ("plain/a.jpg", "/a.jpg/_/w-5.auto"),
    ("plain/folder/a.jpg@png", "/folder/a.jpg/_/w-5.png"),
    ("plain/http://images.dev/a.jpg", "/a.jpg/_/w-5.auto"),
    ("plain/https:/IMAGES.dev/a%2520b.jpg", "/a.-20b.jpg/_/w-5.auto"),
    ("plain/https%3A%2F%2Fimages.dev%2Fcaf%C3%A9.jpg%3Fv=1@webp", "/caf.-C3A9.jpg/_/w-5.webp"),
    ("plain/s3://bucket/folder/a.jpg", "/old/a.jpg/_/w-5.auto"),
    ("plain/local:/a.jpg", "/a.jpg/_/w-5.auto"),
    ("plain/a.jpg@", "/a.jpg/_/w-5.auto"),
    ("aHR0cDovL2lt/YWdlcy5kZXYv/YS5qcGc.gif", "/a.jpg/_/w-5.gif"),
    ("aHR0cDovL2ltYWdlcy5kZXYvYS5qcGc=", "/a.jpg/_/w-5.auto"),
    ("YS5qcGc", "/a.jpg/_/w-5.auto"),
]


@pytest.mark.parametrize(("source", "expected"), SOURCED)
def test_where_the_source_is(source: str, expected: str) -> None:
    assert path_of(f"/unsafe/w:5/{source}") == expected


REFUSED = [
    ("foo:1", UnknownOption, "no option 'foo'"),
    ("W:1", UnknownOption, "no option 'W'"),
    ("w:9000", BadOption, "w must be a whole number from 1 to 8192, but is '9000'"),
    ("w:-1", BadOption, "w: must be a whole number from 0, but is '-1'"),
    ("width:1e2", BadOption, "width: must be a whole number"),
    ("w:1:2", BadOption, "w: takes at most 1 argument, but has 2"),
    ("rs:fit:1:2:3:4:no:5:6:7", BadOption, "rs: takes at most 8 arguments, but has 9"),
    ("rs:crop:1:2", BadOption, "rs: must be one of fit, fill"),
    ("mw:9000", BadOption, "minw must be"),
    ("z:0", BadOption, "z: must be above 0"),
    ("zoom:-1", BadOption, "zoom: must be a number from 0"),
    ("z:1000/el:1", BadOption, "zoom must be 2 numbers"),
    ("dpr:0", BadOption, "dpr: must be above 0"),
    ("dpr:nan", BadOption, "dpr: must be a number"),
    ("g:up", BadOption, "g: must be one of ce, no"),
    ("g:fp:0.5", BadOption, "g: fp takes two numbers"),
    ("g:fp:0.5:1.5", BadOption, "g: must be a number from 0 to 1"),
    ("g:obj:dog", BadOption, "g: obj is supported for the class face only"),
    ("g:obj", BadOption, "g: obj is supported for the class face only"),
    ("g:objw:face:x", BadOption, "g: must be a number from 0"),
    ("g:objw:face", BadOption, "g: objw takes a weight"),
    ("c:10:10:obj:face", BadOption, "c: obj is supported in the option gravity only"),
    ("ra:nearest", BadOption, "ra: only lanczos3"),
    ("br:300", BadOption, "br: must be a whole number from -255 to 255"),
    ("a:1:2:3:4", BadOption, "a: takes at most 3 arguments, but has 4"),
    ("bga:2", BadOption, "bga: must be a number from 0 to 1"),
    ("pg:x", BadOption, "pg: must be a whole number from 0"),
    ("g:sm:1", BadOption, "g: takes at most 1 argument, but has 2"),
    ("c:-1:5", BadOption, "c: must be a number from 0"),
    ("c:70000:5", BadOption, "cut must be"),
    ("t:10:zz", BadOption, "t: must be a colour"),
    ("pd:3000", BadOption, "pad must be"),
    ("rot:45", BadOption, "rot: must be a multiple of 90"),
    ("bg:256:0:0", BadOption, "bg: must be a whole number from 0 to 255"),
    ("bg:ffff", BadOption, "bg: must be a colour of 3 or 6"),
    ("bl:101", BadOption, "blur must be a number from 0 to 100"),
    ("sh:11", BadOption, "sharp must be"),
    ("pix:2000", BadOption, "pix must be"),
    ("wm:1.5", BadOption, "wm: must be a number from 0 to 1"),
    ("wm:1:ch", BadOption, "wm: ch belongs to imgproxy Pro and is not supported"),
    ("wm:1:ce:0:0:1.5", BadOption, "watermark: scale must be at most 1"),
    ("q:101", BadOption, "q: must be a whole number from 0 to 100"),
    ("fq:jpg", BadOption, "fq: must have a quality for each"),
    ("fq:foo:5", BadOption, "fq: must be one of"),
    ("f:jxl", BadOption, "f: jxl is not supported"),
    ("f:best", BadOption, "f: best belongs to imgproxy Pro and is not supported"),
    ("f:foo", BadOption, "f: must be one of jpg"),
    ("mb:9000000000", BadOption, "mb: must be"),
    ("exp:soon", BadOption, "exp: must be a whole number"),
    ("fn:a%2Fb", BadOption, "dl must be a file name"),
    ("fn:%zz", BadOption, "fn: must be percent-encoded"),
    ("fn:____:1", BadOption, "fn: must be percent-encoded"),
    ("pr:none", BadOption, "pr: there is no preset 'none'"),
    ("maf:0", BadOption, "maf: must be a whole number from 1"),
    ("msr:x", BadOption, "msr: must be a number"),
]  # fmt: skip


@pytest.mark.parametrize(("options", "error", "message"), REFUSED, ids=[options for options, *_ in REFUSED])
def test_what_is_refused_by_name(options: str, error: type[BadOption], message: str) -> None:
    with pytest.raises(error) as refusal:
        parse(f"/unsafe/{options}/plain/a.jpg", SOME)
    assert message in refusal.value.message
    assert refusal.value.option


@pytest.mark.parametrize("name", [name for covered in OPTION_MAPPINGS if not covered.parse for name in covered.names])
def test_options_of_pro_are_refused_as_such(name: str) -> None:
    with pytest.raises(BadOption, match=f"{name} is not supported: it belongs to imgproxy Pro"):
        parse(f"/unsafe/{name}:1/plain/a.jpg", SOME)


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("", "must be like"),
        ("/unsafe", "must be like"),
        ("/unsafe/", "must be like"),
        ("/unsafe/w:5", "names no source"),
        ("/unsafe/w:5/plain", "neither plain"),
        ("/unsafe/plain/", "names no source"),
        ("/unsafe/plain/a.jpg@png@gif", "more than one @"),
        ("/unsafe/YS5qcGc.png.gif", r"more than one \."),
        ("/unsafe/a!b", "neither plain"),
        ("/unsafe/_w", "neither plain"),
        ("/unsafe/plain/%zz", "not percent-encoded"),
        ("/unsafe/plain/a/../b.jpg", r"or \.\."),
        ("/unsafe/plain/a/%252e%252e/b.jpg", r"or \.\."),
        ("/unsafe/plain/https://example.org/a.jpg", "Sources on 'https://example.org'"),
        ("/unsafe/plain/s3://other/a.jpg", "Sources on 's3://other'"),
        ("/unsafe/plain/http://images.dev.evil.org/a.jpg", "Sources on"),
    ],
)
def test_sources_that_are_none(target: str, message: str) -> None:
    with pytest.raises(BadKey, match=message):
        parse(target, SOME)


@pytest.mark.parametrize("rest", ["enc/abc", "fit/300/200/ce/0/plain/a.jpg"])
def test_forms_of_url_that_are_not_served(rest: str) -> None:
    with pytest.raises(BadOption, match="not supported"):
        parse(f"/unsafe/{rest}", SOME)


def test_only_presets() -> None:
    some = settings(presets=PRESETS, only_presets=True)
    assert path_of("/unsafe/thumb:sharp/plain/a.jpg@png", some) == (
        "/a.jpg/_/cov-clip_even-1_fit-cover_h-50_sharp-0.7_w-100.png"
    )
    with pytest.raises(BadOption, match="there is no preset 'w'"):
        parse("/unsafe/w:5/plain/a.jpg", some)


def test_a_link_of_presets_alone_can_expire() -> None:
    some = settings(presets=PRESETS, only_presets=True)
    for name in ("exp", "expires"):
        found = parse(f"/unsafe/thumb/{name}:1900000000/plain/a.jpg", some)
        assert found.expires_s == 1_900_000_001
        assert found.plan == parse("/unsafe/thumb/plain/a.jpg", some).plan
    for rest in ("exp:1900000000/thumb/plain/a.jpg", "thumb/exp:1900000000/w:5/plain/a.jpg", "thumb/w:5/plain/a.jpg"):
        with pytest.raises(DarkroomError):
            parse(f"/unsafe/{rest}", some)


def test_quality_by_format_is_for_negotiation() -> None:
    assert parse("/_/fq:jpg:60:avif:40/plain/a.jpg", SOME).qualities == (("avif", 40), ("jpeg", 60))
    assert parse("/_/fq:jpg:60/q:50/plain/a.jpg", SOME).qualities == ()
    assert parse("/_/fq:jpg:60/plain/a.jpg@jpg", SOME).qualities == ()


def test_the_end_of_its_time() -> None:
    assert parse("/_/exp:1900000000/plain/a.jpg", SOME).expires_s == 1_900_000_001
    assert parse("/_/exp:0/plain/a.jpg", SOME).expires_s is None
    verify(None, [], 1_900_000_000, 1_900_000_001)
    with pytest.raises(Expired):
        verify(None, [], 1_900_000_001, 1_900_000_001)


TRUSTED = "a-signature-of-16"


def test_a_trusted_signature_is_not_checked() -> None:
    some = settings(trusted_signatures=[TRUSTED])
    asked = parse(f"/{TRUSTED}/w:5/exp:1000/plain/a.jpg", some)
    assert asked.claim is not None
    verify(asked.claim, [], 0, asked.expires_s)
    with pytest.raises(Expired):
        verify(asked.claim, [], 2000, asked.expires_s)
    for signature, here in ((TRUSTED, SOME), (TRUSTED + "x", some), (TRUSTED[:-1], some)):
        with pytest.raises(BadSignature):
            verify(parse(f"/{signature}/w:5/plain/a.jpg", here).claim, [], 0, None)


def load_trusted(signature: str) -> DialectSettings:
    return parse_settings(f"[imgproxy]\ntrusted_signatures = ['{signature}']", Presets({}, {}))


def test_trusted_signatures_are_long_segments() -> None:
    assert load_trusted(TRUSTED).imgproxy.trusted_signatures == [TRUSTED]
    for signature in ("", "unsafe", "a" * 15, "a/" * 16):
        with pytest.raises(ValueError, match="trusted_signatures"):
            load_trusted(signature)


DESCRIPTION = {
    "width": 600,
    "height": 800,
    "format": "jpeg",
    "bytes": 12_345,
    "frames": 1,
    "orientation": 6,
    "colour": {"alpha": False},
    "thumbhash": "1QcSHQRnh493V4dIh4eXh1h4kJUI",
    "blurhash": "LbF%_#adWBof~qWXRjofIUj[ofj[",
}


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ("", {"size": 12_345, "format": "jpeg", "width": 800, "height": 600, "orientation": 6}),
        ("exif:1/iptc:0/xmp:1/vm:1/cb:x/f:0/", {"size": 12_345, "width": 800, "height": 600, "orientation": 6}),
        ("s:0/f:0/d:0/th:1/", {"thumb_hash": "1QcSHQRnh493V4dIh4eXh1h4kJUI"}),
        ("s:0/f:0/d:0/bh:4:3/", {"blurhash": "LbF%_#adWBof~qWXRjofIUj[ofj["}),
        ("size:f/format:/dimensions:0/pn:t/a:1/", {"pages_number": 1, "alpha": {"has_alpha": False}}),
        ("bh:0:0/p:0/avg:0:0/dc:f/do:0/chs:none/s:0/d:0/", {"format": "jpeg"}),
    ],
)  # fmt: skip
def test_info_answers_imgproxys_object(options: str, expected: dict[str, Any]) -> None:
    asked = parse(f"/info/unsafe/{options}plain/a.jpg", SOME)
    assert asked.plan == parse_url("/a.jpg?f=json").plan
    assert asked.document is not None
    assert asked.document(DESCRIPTION) == expected


def test_info_is_signed_like_an_image() -> None:
    path = "/page:2/exp:1900000000/plain/a.jpg"
    asked = parse(f"/info/{sign(path.encode(), PAIR)}{path}", SOME)
    verify(asked.claim, [PAIR], 0, asked.expires_s)
    assert (asked.plan.page, asked.expires_s) == (2, 1_900_000_001)
    with pytest.raises(BadSignature):
        verify(parse(f"/info/{'a' * 43}{path}", SOME).claim, [PAIR], 0, None)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ("p:5", BadOption, "p: is not supported"),
        ("do:1", BadOption, "do: is not supported"),
        ("bh:5:5", BadOption, "bh: must be 4:3"),
        ("w:5", UnknownOption, "no option 'w' of /info"),
        ("pg:x", BadOption, "pg: must be a whole"),
    ],
)
def test_info_refuses_by_name(options: str, error: type[BadOption], message: str) -> None:
    with pytest.raises(error, match=message):
        parse(f"/info/unsafe/{options}/plain/a.jpg", SOME)


def test_info_needs_a_source() -> None:
    for target in ("/info/unsafe", "/info/unsafe/", "/info/"):
        with pytest.raises(BadKey):
            parse(target, SOME)


def test_one_watermark_is_meant_without_a_name() -> None:
    two = DialectSettings(SOURCES, {"default": "a.png", "logo": "b.png"})
    assert path_of("/_/wm:1/plain/a.jpg", two) == "/a.jpg/_/even-1_wm-default-center-100-25_wmx-0-0-0-0-0.auto"
    own = DialectSettings(SOURCES, {**load_default_presets().watermarks, "brand": "watermarks/brand.png"})
    assert "_wm-brand-center-" in path_of("/_/wm:1/plain/a.jpg", own), "those of presets.toml are in every deployment"
    alone = DialectSettings(SOURCES, load_default_presets().watermarks)
    assert "_wm-logo-center-" in path_of("/_/wm:1/plain/a.jpg", alone)
    for none in (DialectSettings(SOURCES), DialectSettings(SOURCES, {"a": "a.png", "b": "b.png"})):
        with pytest.raises(BadOption, match="no watermark named default"):
            parse("/_/wm:1/plain/a.jpg", none)


@pytest.mark.parametrize(
    ("imgproxy", "native"),
    [
        ("w:300/plain/a.jpg", "/a.jpg?w=300"),
        ("rs:fill-down:300:200/g:sm/q:80/plain/a.jpg@webp", "/a.jpg?w=300&h=200&fit=cover&g=attention&q=80&f=webp"),
        ("rs:fit:300:200:1/dpr:2/bg:fff/plain/a.jpg", "/a.jpg?w=600&h=400&up=1&bg=fff"),
        ("rot:90/bl:2/pd:5/plain/a.jpg@png", "/a.jpg?rot=90&blur=2&pad=5&f=png"),
    ],
)
def test_equal_meanings_share_an_image_with_native_urls(imgproxy: str, native: str) -> None:
    assert parse(f"/_/{imgproxy}", SOME).plan == parse_url(native).plan


# imgproxy/imgproxy, security/signature_test.go at 08ef27c0e5f75e96b60707684873aa15d6221e15.
PAIR = DialectKey(b"test-key".hex(), b"test-salt".hex())
SECOND = DialectKey(b"test-key2".hex(), b"test-salt2".hex())


@pytest.mark.parametrize(
    ("signature", "size", "keys"),
    [
        ("oWaL7QoW5TsgbuiS9-5-DI8S3Ibbo1gdB2SteJh3a20", 32, [PAIR]),
        ("oWaL7QoW5TsgbuiS9-5-DI8S3Ibbo1gdB2SteJh3a20", 0, [SECOND, PAIR]),
        ("jYz1UZ7j1BCdSzH3pZhaYf0iuz0vusoOTdqJsUT6WXI", 32, [PAIR, SECOND]),
        ("oWaL7QoW5Ts", 8, [PAIR]),
    ],
)
def test_imgproxys_own_signatures(signature: str, size: int, keys: list[DialectKey]) -> None:
    verify(SignatureClaim(b"/asd", signature, size), keys, 0, None)


@pytest.mark.parametrize(
    "signature", ["oWaL7QoW5Ts", "dtLwhdnPPis", "café", "=", "oWaL7QoW5TsgbuiS9-5-DI8S3Ibbo1gdB2SteJh3a21"]
)
def test_other_signatures_are_none(signature: str) -> None:
    with pytest.raises(BadSignature):
        verify(SignatureClaim(b"/asd", signature, 32), [PAIR, SECOND], 0, None)
    with pytest.raises(BadSignature):
        verify(SignatureClaim(b"/asd", signature, 32), [], 0, None)


# docs.imgproxy.net, "Signing a URL": its example of key, salt and path, and the resulting signature.
def test_the_signature_of_its_guide() -> None:
    guide = DialectKey(b"secret".hex(), b"hello".hex())
    path = "/rs:fill:300:400:0/g:sm/aHR0cDovL2V4YW1w/bGUuY29tL2ltYWdl/cy9jdXJpb3NpdHku/anBn.png"
    assert sign(path.encode(), guide) == "oKfUtW34Dvo2BGQehJFR4Nr0_rIjOtdtzJ3QFsUcXH8"


SIGNED_PATHS = [
    ("rs:fill:300:200/plain/http://images.dev/a.jpg@png", "rs:fill:300:200/plain/http://images.dev/a.jpg@png"),
    ("rs%3Afill%3A300%3A200/plain/http:/images.dev/a.jpg", "rs:fill:300:200/plain/http://images.dev/a.jpg"),
    ("w:5/plain/http%3A%2F%2Fimages.dev/a.jpg?cache=1", "w:5/plain/http%3A%2F%2Fimages.dev/a.jpg"),
    ("plain/local:/a.jpg", "plain/local:///a.jpg"),
    ("w:5/YS5qcGc", "w:5/YS5qcGc"),
]


@pytest.mark.parametrize(("sent", "signed"), SIGNED_PATHS)
def test_what_is_signed_is_the_path_before_proxies_changed_it(sent: str, signed: str) -> None:
    signature = sign(f"/{signed}".encode(), PAIR)
    asked = parse(f"/{signature}/{sent}", SOME)
    assert asked.claim == SignatureClaim(f"/{signed}".encode(), signature, 32)
    verify(asked.claim, [SECOND, PAIR], 0, asked.expires_s)


@pytest.mark.parametrize("word", ["", "_", "-", "unsafe", "insecure"])
def test_urls_without_a_signature(word: str) -> None:
    assert parse(f"/{word}/w:5/plain/a.jpg", SOME).claim is None


@given(at=st.integers(0, 42), to=st.sampled_from("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"))
def test_a_changed_signature_is_refused(at: int, to: str) -> None:
    signature = sign(b"/w:5/plain/a.jpg", PAIR)
    if signature[at] == to:
        return
    asked = parse(f"/{signature[:at]}{to}{signature[at + 1 :]}/w:5/plain/a.jpg", SOME)
    with pytest.raises(BadSignature):
        verify(asked.claim, [PAIR], 0, None)


WORDS = st.sampled_from(
    [*COMPASS, "sm", "fp", "fill", "force", "jpg", "png", "1", "0", "0.5", "-3", "300", "", "fff", "re"]
)
SEGMENTS = st.builds(
    lambda name, args: ":".join([name, *args]),
    st.sampled_from([name for covered in OPTION_MAPPINGS for name in covered.names]),
    st.lists(WORDS, min_size=1, max_size=6),
)


@given(segments=st.lists(SEGMENTS, max_size=6))
@example(segments=["ex:1:no:0:0", "s:10:10", "rt:fill", "exar:1:we:5:5"])
def test_every_parsed_url_has_one_canonical_path(segments: list[str]) -> None:
    try:
        path_of("/".join(["/unsafe", *segments, "plain/a.jpg"]))
    except BadOption as refusal:
        assert refusal.option or "characters together" in refusal.message


@given(text=st.text(max_size=60))
@example(text="/\udc80/plain/a")
@example(text="/_/" + "w:" + "9" * 5000 + "/plain/a")
def test_no_text_breaks_the_parser(text: str) -> None:
    for target in (text, f"/unsafe/{text}", f"/unsafe/plain/{text}", f"/unsafe/w:{text}/plain/a.jpg"):
        try:
            path_of(target)
        except DarkroomError as error:
            assert error.status == 400


@pytest.mark.parametrize("degrees", [0, 90, 180, 270])
@pytest.mark.parametrize("flip_x", [False, True])
@pytest.mark.parametrize("flip_y", [False, True])
@pytest.mark.parametrize("word", COMPASS.values())
def test_gravity_before_a_turn_keeps_what_it_keeps_after(degrees: int, flip_x: bool, flip_y: bool, word: str) -> None:
    """By pixels: where a 3 × 2 window lies in a 30 × 20 image, turned before it is cut or after."""
    pull = Anchor(word, 2, 1)
    upright = pull.before_rotation(degrees, flip_x=flip_x, flip_y=flip_y)
    turned_size, window = ((20, 30), (2, 3)) if degrees % 180 else ((30, 20), (3, 2))
    after = _corners(_placed(pull, turned_size, window), window)
    before = _corners(_placed(upright, (30, 20), (3, 2)), (3, 2))
    assert {_turned(corner, degrees, flip_x, flip_y) for corner in before} == after


def _placed(pull: Anchor, size: tuple[int, int], window: tuple[int, int]) -> tuple[float, float]:
    """imgproxy's calcPosition, without its rounding."""
    sides = {"west": (0, None), "east": (1, None), "north": (None, 0), "south": (None, 1)}
    named: list[int | None] = [None, None]
    for word, place in sides.items():
        if word in pull.word:
            named = [new if new is not None else old for old, new in zip(named, place, strict=True)]
    return tuple(  # type: ignore[return-value]
        offset if at == 0 else whole - part - offset if at == 1 else (whole - part) / 2 + offset
        for at, offset, whole, part in zip(named, (pull.x, pull.y), size, window, strict=True)
    )


def _corners(at: tuple[float, float], window: tuple[int, int]) -> set[tuple[float, float]]:
    return {(at[0] + x * window[0], at[1] + y * window[1]) for x in (0, 1) for y in (0, 1)}


def _turned(point: tuple[float, float], degrees: int, flip_x: bool, flip_y: bool) -> tuple[float, float]:
    x, y, width, height = *point, 30, 20
    for _ in range(degrees // 90):
        x, y, width, height = height - y, x, height, width
    return (width - x if flip_x else x, height - y if flip_y else y)


# imgproxy/imgproxy, options/parser/processing_options.go at 16ebe2dc6b84ba1c943454c0c1a376c8130eeafc: every name of
# its switch, and preserve_hdr of version 4.0 beta 1.
OPEN_SOURCE = """
resize rs|size s|resizing_type rt|width w|height h|min-width mw|min-height mh|zoom z|dpr|enlarge el|extend ex
extend_aspect_ratio extend_ar exar|gravity g|crop c|trim t|padding pd|auto_rotate ar|rotate rot|flip fl|background bg
blur bl|sharpen sh|pixelate pix|watermark wm|strip_metadata sm|keep_copyright kcr|strip_color_profile scp
enforce_thumbnail eth|quality q|format_quality fq|max_bytes mb|format f ext|skip_processing skp|raw|cachebuster cb
expires exp|filename fn|return_attachment att|preset pr|max_src_resolution msr|max_src_file_size msfs
max_animation_frames maf|max_animation_frame_resolution mafr|max_result_dimension mrd|preserve_hdr ph
"""

# imgproxy/imgproxy-docs, docs/usage/processing.mdx at 00462631a692c759074cf7006bf0047a6b3108c1: options marked Pro, and
# further options of @imgproxy/imgproxy-js-core 1.9.0.
PRO = """
resizing_algorithm ra|objects_position obj_pos op|crop_aspect_ratio crop_ar car|background_alpha bga|adjust a
brightness br|contrast co|saturation sa|monochrome mc|duotone dt|unsharp_masking ush|blur_detections bd
draw_detections dd|colorize col|gradient gr|watermark_url wmu|watermark_text wmt|watermark_size wms
watermark_rotate wm_rot wmr|watermark_shadow wmsh|style st stl|dpi|autoquality aq|jpeg_options jpgo|png_options pngo
webp_options webpo|page pg|pages pgs|disable_animation da|video_thumbnail_second vts|video_thumbnail_keyframes vtk
video_thumbnail_tile vtt|video_thumbnail_animation vta|fallback_image_url fiu|hashsum hs
crop_objects c_obj|blur_areas ba|progressive_blur pbl|color_profile cp icc|avif_options avifo|bypass_cache bc
cache_tags ct
"""


@pytest.mark.parametrize(("group", "listed"), [("", OPEN_SOURCE), ("Pro", PRO)])
def test_the_table_has_every_option(group: str, listed: str) -> None:
    options = {tuple(names.split()) for line in listed.strip().splitlines() for names in line.split("|")}
    assert {covered.names for covered in OPTION_MAPPINGS if covered.group == group} == options


def test_all_of_the_open_source_options_are_covered() -> None:
    assert count_supported(OPTION_MAPPINGS) == (45, 45)
    assert count_supported(OPTION_MAPPINGS, "Pro") == (14, 42)
