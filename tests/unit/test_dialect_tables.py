"""Tables of dialect options: optional arguments, bounds, matrices and compliance levels."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from darkroom.errors import BadKey, BadOption, DarkroomError
from darkroom.plan.canonical import canonical_path, options_text
from darkroom.plan.geometry.placement import Size
from darkroom_dialects import dit, imgproxy, thumbor
from darkroom_dialects.common.matrices import LUMA_709, combine, lightness, linear, saturation
from darkroom_dialects.common.settings import DialectSettings, ImgproxySettings
from darkroom_dialects.common.sources import Sources
from darkroom_dialects.iiif.info_json import build_info
from darkroom_dialects.iiif.spec import FEATURES, FORMATS, HTTP_FEATURES, QUALITIES, UNSUPPORTED_FORMATS, SizeLimits
from darkroom_dialects.imgproxy.url import parse_source

SETTINGS = DialectSettings(Sources((("s3://pictures/", ""),)), {"logo": "m.png"})
CASES = Path(__file__).parents[1] / "cases" / "dialects"
IMGPROXY = json.loads((CASES / "imgproxy-options.json").read_text(encoding="utf-8"))
NEGATIVE, TWICE = "-1-0-0-1-0--1-0-1-0-0--1-1", "2-0-0-0-0-2-0-0-0-0-2-0"
ROWS = [[1, 2, 3], [4, 5, 6], [7, 8, 9]]


def read_imgproxy(options: str) -> str:
    try:
        plan = imgproxy.parse(f"/{'a' * 43}/{options}/plain/a.jpg", SETTINGS).plan
    except DarkroomError as error:
        return error.message
    return f"{options_text(plan)}.{plan.format}"


def read_edits(edits: dict[str, Any]) -> str:
    document = json.dumps({"key": "a.jpg", "edits": edits}).encode()
    return options_text(dit.parse("/" + base64.b64encode(document).decode(), SETTINGS).plan)


def test_options_of_imgproxy() -> None:
    table = [*IMGPROXY["served"], *IMGPROXY["refused"]]
    assert [
        (options, read_imgproxy(options), wanted) for options, wanted in table if read_imgproxy(options) != wanted
    ] == []


def test_expiry_of_imgproxy() -> None:
    times = ("0", "1", "-1", "999999999999")
    asked = [imgproxy.parse(f"/{'a' * 43}/exp:{time}/plain/a.jpg", SETTINGS).expires_s for time in times]
    assert asked == [None, 2, None, 1_000_000_000_000]
    with pytest.raises(BadOption):
        imgproxy.parse(f"/{'a' * 43}/exp:1000000000000/plain/a.jpg", SETTINGS)


def encode(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def test_addresses_of_imgproxy() -> None:
    plain, based = ImgproxySettings(), ImgproxySettings(base_url="s3://pictures/")
    named = ImgproxySettings(base64_url_includes_filename=True)
    omega, text = encode("ωωω/a.jpg"), encode("s3://pictures/a.jpg")
    assert omega > "plain" > "enc" > text[:1]
    for parts, settings, wanted in (
        (["plain", "a", "b.jpg@png"], plain, ("a/b.jpg", "png")),
        (["plain", "a%40b.jpg"], plain, ("a@b.jpg", "")),
        (["plain", "a.jpg"], based, ("s3://pictures/a.jpg", "")),
        (["plain", "s3://pictures/a.jpg"], based, ("s3://pictures/a.jpg", "")),
        (["plain", "a.jpg"], named, ("a.jpg", "")),
        ([text], plain, ("s3://pictures/a.jpg", "")),
        ([text[:3], text[3:7], text[7:] + ".webp"], plain, ("s3://pictures/a.jpg", "webp")),
        ([omega[:5], omega[5:]], based, ("s3://pictures/ωωω/a.jpg", "")),
        ([encode("a")], plain, ("a", "")),
        ([encode("ab") + "="], plain, ("ab", "")),
        ([encode("abc")], plain, ("abc", "")),
        (["plain"], plain, None),
        (["enc"], plain, ("zw", "")),
        ([encode("a.jpg"), "name.jpg"], named, ("a.jpg", "")),
        ([encode("a.jpg")], named, ("a.jpg", "")),
        (["plain", ""], plain, None),
        (["plain", "a@b@c"], plain, None),
        ([f"{text}.a.b"], plain, None),
        ([""], plain, None),
        (["plain", "%FF"], plain, None),
        (["plain", "%zz"], plain, None),
        (["a b"], plain, None),
        (["_w"], plain, None),
    ):
        if wanted is None:
            with pytest.raises(BadKey):
                parse_source(parts, settings)
        else:
            assert parse_source(parts, settings) == wanted
    with pytest.raises(BadOption, match="encrypted"):
        parse_source(["enc", "a"], plain)


def test_paths_of_dit_with_one_side() -> None:
    for path, wanted in (
        ("300x0/filters:stretch()/a.jpg", "up-1_w-300"),
        ("0x200/filters:stretch()/a.jpg", "h-200_up-1"),
        ("300x200/filters:stretch()/a.jpg", "fit-fill_h-200_up-1_w-300"),
        ("300x0/a.jpg?height=200", "h-200_up-1"),
        ("0x200/a.jpg?width=300", "up-1_w-300"),
        ("300x200/a.jpg", "fit-cover_h-200_up-1_w-300"),
    ):
        assert options_text(dit.parse(f"/{path}", SETTINGS).plan) == wanted


def test_tones_of_dit() -> None:
    for edits, wanted in (
        ({"modulate": {"hue": 90}}, "lch-1-1-90-0"),
        ({"modulate": {"hue": -270}}, "lch-1-1-90-0"),
        ({"modulate": {"hue": 200, "saturation": 0.5}}, "lch-1-0.5-200-0"),
        ({"modulate": {"saturation": 2, "brightness": 0.5, "lightness": 10}}, "lch-0.5-2-0-10"),
        ({"modulate": {"brightness": 0}}, "lch-0-1-0-0"),
        ({"tint": "#ffcc00"}, "tint-ffcc00"),
        ({"negate": {"alpha": False}, "tint": "red"}, f"late-{NEGATIVE}_tint-ff0000"),
        ({"normalise": True, "negate": {"alpha": False}, "linear": 2}, f"late-{NEGATIVE}_lev-stretch_mat-{TWICE}"),
        (
            {"linear": 2, "modulate": {"hue": 90}, "recomb": ROWS},
            "late-2-0-0-0-0-2-0-0-0-0-2-0_lch-1-1-90-0_mat-1-2-3-0-4-5-6-0-7-8-9-0",
        ),
        ({"grayscale": True, "recomb": ROWS}, "gray-1_late-1-2-3-0-4-5-6-0-7-8-9-0"),
        ({"extractChannel": "green"}, "alpha-drop_mat-0-1-0-0-0-1-0-0-0-1-0-0"),
        ({"extractChannel": "blue"}, "alpha-drop_mat-0-0-1-0-0-0-1-0-0-0-1-0"),
        ({"extractChannel": 0}, "alpha-drop_mat-1-0-0-0-1-0-0-0-1-0-0-0"),
        ({"extractChannel": 1}, "alpha-drop_mat-0-1-0-0-0-1-0-0-0-1-0-0"),
        ({"recomb": [[1, 2, 3], [4, 5, 6], [7, 8, 9]]}, "mat-1-2-3-0-4-5-6-0-7-8-9-0"),
        ({"recomb": [[1, 2, 3, 0], [4, 5, 6, 0], [7, 8, 9, 0], [0, 0, 0, 1]]}, "mat-1-2-3-0-4-5-6-0-7-8-9-0"),
        ({"linear": 2, "extractChannel": "red"}, f"alpha-drop_mat-{TWICE}-1-0-0-0-1-0-0-0-1-0-0-0"),
        ({"negate": False}, "h-2560_w-2560"),
    ):
        assert read_edits(edits) == wanted
    not_served: list[tuple[dict[str, Any], str]] = [
        ({"modulate": {"brightness": -0.1}}, "modulate"),
        ({"modulate": {"saturation": -0.1}}, "modulate"),
        ({"modulate": {"hue": "a"}}, "hue"),
        ({"extractChannel": 3}, "extractChannel"),
        ({"extractChannel": []}, "extractChannel"),
        ({"extractChannel": "alpha"}, "extractChannel"),
        ({"recomb": [[1, 2], [3, 4]]}, "recomb"),
        ({"recomb": [[1, 2, 3], [4, 5, 6], [7, 8]]}, "recomb"),
        ({"recomb": [[1, 2, 3], [4, 5, 6], 7]}, "recomb"),
        ({"recomb": [[1] * 5] * 5}, "recomb"),
        ({"recomb": [[1, 0, 0, 1], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]}, "recomb"),
        ({"recomb": [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 2]]}, "recomb"),
        ({"recomb": [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 1, 1]]}, "recomb"),
        ({"toColourspace": "cmyk"}, "toColourspace"),
    ]
    for edits, name in not_served:
        with pytest.raises(BadOption) as refusal:
            read_edits(edits)
        assert refusal.value.option == name


def test_matrices() -> None:
    assert lightness((1, 2, 3), (4, 5, 6)) == (1, 2, 3, 4, 1, 2, 3, 5, 1, 2, 3, 6)
    assert lightness() == (*LUMA_709, 0, *LUMA_709, 0, *LUMA_709, 0)
    assert saturation(0.5, (0.5, 0.25, 0.25)) == (0.75, 0.125, 0.125, 0, 0.25, 0.625, 0.125, 0, 0.25, 0.125, 0.625, 0)
    assert combine([linear(0.5), linear(0.5, 0.5)]) == linear(0.25, 0.5)
    assert combine([linear(2), linear(0.5)]) == (*linear(2), *linear(0.5))
    assert combine([linear(2)] * 6) == (*linear(2) * 3, *linear(8))


def test_urls_of_thumbor_within_each_other() -> None:
    def read(nested: int) -> str:
        inner = "h.example.com/unsafe/" * nested + "h.example.com/unsafe/10x20:30x40/a.jpg"
        return canonical_path(thumbor.parse(f"/unsafe/300x200/filters:extract_focal()/{inner}", SETTINGS).plan)

    focused = "/a.jpg/_/fit-cover_focus-20-30_h-200_up-1_w-300.auto"
    assert [read(nested) == focused for nested in (0, 1, 8, 9, 10, 11)] == [True, True, True, True, False, False]


def test_levels_of_iiif() -> None:
    """Sections 4 and 5.7 of the Image API 3.0, and its table of compliance levels."""
    levels = {
        1: "regionByPx regionSquare sizeByW sizeByH sizeByWh baseUriRedirect cors jsonldMediaType",
        2: "regionByPct sizeByPct sizeByConfinedWh rotationBy90s",
        3: "sizeUpscaling rotationArbitrary mirroring canonicalLinkHeader profileLinkHeader",
    }
    by_level = {level: {feature.name for feature in FEATURES if feature.level == level} for level in levels}
    assert by_level == {level: set(names.split()) for level, names in levels.items()}
    assert len(FEATURES) == 17
    assert list(FORMATS.items()) == [
        *(("jpg", "jpeg"), ("png", "png"), ("webp", "webp"), ("gif", "gif"), ("tif", "tiff")),
    ]
    assert set(UNSUPPORTED_FORMATS) == {"jp2", "pdf"}
    assert QUALITIES == ("default", "color", "gray", "bitonal")
    assert set(HTTP_FEATURES) == {
        *("baseUriRedirect", "canonicalLinkHeader", "cors", "jsonldMediaType", "profileLinkHeader"),
    }


def test_information_of_iiif() -> None:
    common = {
        "@context": "http://iiif.io/api/image/3/context.json",
        "id": "https://x/a",
        "type": "ImageService3",
        "protocol": "http://iiif.io/api/image",
        "width": 1025,
        "height": 512,
        "maxWidth": 8192,
        "maxHeight": 8192,
        "maxArea": 40_000_000,
        "sizes": [
            {"width": width, "height": height} for width, height in ((129, 64), (257, 128), (513, 256), (1025, 512))
        ],
        "tiles": [{"width": 512, "height": 512, "scaleFactors": [1, 2, 4, 8]}],
    }
    assert build_info("https://x/a", Size(1025, 512), SizeLimits(), everything=False) == common | {
        "profile": "level0",
        "extraFeatures": list(HTTP_FEATURES),
    }
    assert build_info("https://x/a", Size(1025, 512), SizeLimits(), everything=True) == common | {
        "profile": "level2",
        "preferredFormats": ["webp", "jpg"],
        "extraFormats": ["webp", "gif", "tif"],
        "extraQualities": ["color", "gray", "bitonal"],
        "extraFeatures": [
            *("sizeUpscaling", "rotationArbitrary", "mirroring", "canonicalLinkHeader", "profileLinkHeader"),
        ],
    }
