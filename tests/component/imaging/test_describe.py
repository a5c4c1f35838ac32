"""f=json and f=thumbhash, and the hash against its reference implementation."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import Callable

import pytest
import pyvips

from darkroom.imaging.colour.icc import identify_profile
from darkroom.imaging.describe import build_srcset, encode_placeholder, find_dominant_colour
from darkroom.imaging.hashes import encode_thumbhash
from darkroom.imaging.render.pipeline import render
from darkroom.imaging.source import Source
from darkroom.plan.limits import Limits
from darkroom.plan.model import Plan
from darkroom.plan.native_url import parse_url
from darkroom.plan.variants import AccessMode, needs_signature
from tests.images.drawn import HEIC, animation, saved, tiff, with_exif


def described(data: bytes, key: str = "dir/a b.jpg", page: int = 0) -> dict[str, object]:
    image = render(Plan(key, format="json", page=page), Source.from_bytes(data), limits=Limits())
    assert image.content_type == "application/json"
    found: dict[str, object] = json.loads(image.body)
    return found


def test_all_metadata_at_once() -> None:
    data = with_exif(saved("JPEG", 960, 640), 6)
    found = described(data)
    assert len(b64decode(str(found.pop("thumbhash")))) > 15
    assert len(str(found.pop("blurhash"))) == 28
    assert found == {
        "width": 640,
        "height": 960,
        "format": "jpeg",
        "bytes": len(data),
        "frames": 1,
        "animated": False,
        "orientation": 6,
        "colour": {"space": "rgb", "profile": None, "bits": 8, "alpha": False, "hdr": False},
        "dominant": found["dominant"],
        "srcset": "/dir/a%20b.jpg?w=320&dpr=1 320w, /dir/a%20b.jpg?w=480&dpr=1 480w, /dir/a%20b.jpg?w=640&dpr=1 640w",
        "rights": {},
        "about": {},
    }


@pytest.mark.parametrize(
    ("data", "wanted"),
    [
        (animation("GIF", 4), {"format": "gif", "frames": 4, "animated": True}),
        (tiff(3), {"format": "tiff", "frames": 3, "animated": False, "width": 10}),
        (
            (HEIC / "corners-turned-6.heic").read_bytes(),
            {"format": "heic", "width": 64, "height": 96, "orientation": 6},
        ),
        (b"<svg xmlns='http://www.w3.org/2000/svg' width='30' height='20'/>", {"format": "svg", "width": 30}),
        (
            saved("PNG", mode="I;16"),
            {"colour": {"space": "gray", "profile": None, "bits": 16, "alpha": False, "hdr": False}},
        ),
    ],
)
def test_other_kinds(data: bytes, wanted: dict[str, object]) -> None:
    found = described(data)
    assert {name: found[name] for name in wanted} == wanted


def test_a_page_of_a_tiff() -> None:
    assert described(tiff(4), page=2)["width"] == 12


def test_the_names_of_profiles() -> None:
    p3: bytes = pyvips.Operation.call("profile_load", "p3")
    image = pyvips.Image.black(40, 30, bands=3).copy(interpretation="srgb")
    image.set_type(pyvips.GValue.blob_type, "icc-profile-data", p3)
    colour = described(image.pngsave_buffer())["colour"]
    assert isinstance(colour, dict)
    assert colour["profile"] == identify_profile(p3) == "Display P3"
    assert identify_profile(pyvips.Operation.call("profile_load", "srgb")) == "sRGB"
    assert identify_profile(pyvips.Operation.call("profile_load", "cmyk")) == "CMYK"
    for broken in (b"", bytes(131), p3[:150], p3[:132] + b"dusc" + p3[136:], b"\xff" * 300):
        assert identify_profile(broken) in {"RGB", "another space", "Display P3"}


def test_srcset_ends_with_the_image_as_wide_as_it_is() -> None:
    ladder = (100, 200, 400)
    assert build_srcset(Plan("a"), 399, ladder) == "/a?w=100&dpr=1 100w, /a?w=200&dpr=1 200w, /a?w=400&dpr=1 399w"
    assert build_srcset(Plan("a"), 400, ladder).endswith(", /a?w=200&dpr=1 200w, /a?w=400&dpr=1 400w")
    assert build_srcset(Plan("a"), 900, ladder) == build_srcset(Plan("a"), 400, ladder)
    assert build_srcset(Plan("a"), 30, ladder) == "/a?w=100&dpr=1 30w"
    assert build_srcset(Plan("ü", page=2), 90, ladder) == "/%C3%BC?w=100&dpr=1&page=2 90w"


@pytest.mark.parametrize("width", [1, 319, 320, 321, 1800, 3840, 9000])
def test_srcset_needs_no_signature_and_has_true_widths(width: int) -> None:
    """Nor is a width multiplied by a screen's pixel ratio, with which browsers have reckoned already."""
    for candidate in build_srcset(Plan("dir/a b.jpg"), width).split(", "):
        url, descriptor = candidate.split(" ")
        request = parse_url(url)
        assert not needs_signature(request.plan, AccessMode.GUARDED)
        assert not request.takes_ratio_hint
        assert descriptor == f"{min(request.plan.width or 0, width)}w"


def colours(*parts: tuple[int, tuple[int, ...]]) -> pyvips.Image:
    """An image 20 px wide with rows of colours."""
    image, *others = (
        (pyvips.Image.black(20, tall) + list(colour)).cast("uchar").copy(interpretation="srgb")
        for tall, colour in parts
    )
    for other in others:
        image = image.join(other, "vertical")
    return image


def test_the_dominant_colour() -> None:
    assert find_dominant_colour(colours((30, (200, 30, 40)), (20, (0, 0, 250)))) == "#c81e28"
    assert find_dominant_colour(colours((30, (200, 30, 40, 0)), (20, (0, 0, 250, 255)))) == "#0000fa"
    assert find_dominant_colour(colours((30, (200, 30, 40, 0)))) == "#c81e28"
    assert find_dominant_colour(colours((6, (200, 30, 40)), (5, (201, 31, 41)), (9, (0, 0, 0)))) == "#c81e28"
    assert find_dominant_colour((pyvips.Image.black(9, 9) + 77).cast("uchar").copy(interpretation="b-w")) == "#4d4d4d"


def test_thumbhash_as_text() -> None:
    image = render(Plan("a", format="thumbhash"), Source.from_bytes(saved("JPEG")), limits=Limits())
    assert image.content_type == "text/plain; charset=utf-8"
    assert described(saved("JPEG"))["thumbhash"] == image.body.decode()
    assert len(b64decode(image.body, validate=True)) > 15


def test_the_hash_of_a_drawn_image_is_that_of_its_pixels() -> None:
    image = colours((10, (200, 30, 40)), (20, (0, 0, 250)))
    rgba = image.bandjoin(255).cast("uchar")
    assert encode_placeholder(image) == b64encode(encode_thumbhash(20, 30, bytes(rgba.write_to_memory()))).decode()


def pattern(wide: int, tall: int, alpha: bool, seed: int) -> bytes:
    """An image of integer arithmetic, reproducible in any programming language."""
    return bytes(
        value
        for y in range(tall)
        for x in range(wide)
        for value in (
            (x * 7 + y * 13 * seed) % 256,
            (x * x + y * 5 + seed * 31) % 256,
            (x * y * seed + 97) % 256,
            (x * 11 + y * 17) % 256 if alpha else 255,
        )
    )


def gradient(wide: int, tall: int, alpha: bool, seed: int) -> bytes:
    return bytes(
        value
        for y in range(tall)
        for x in range(wide)
        for value in (255 * x // wide, 255 * y // tall, 255 * (wide - x) // wide, 255)
    )


REFERENCE = [
    (pattern, 1, 1, False, 1, "S8UVpxAI9wiIh4hwj3CI+AiIcH/494cP"),
    (pattern, 100, 100, False, 1, "4PcBBwCIiYeJeBh5h5Z2JQGKZ3aARYsA"),
    (pattern, 100, 67, False, 2, "IPgBBYCImoSpmXmLqCcQjHN/hglA"),
    (pattern, 48, 100, False, 3, "HwgCAwBX3Ht3/lSByNRwBXA="),
    (pattern, 31, 17, True, 1, "3veBA4QXSUAbkjYUB/nbYWeIhzVkkHY="),
    (pattern, 17, 31, True, 2, "4eeBCwQXPAnDNxmNQAr+qIeISHV3qBA="),
    (pattern, 100, 3, False, 1, "ngcKGYI0RrB0aWdpxp89kJQ="),
    (pattern, 3, 100, True, 1, "IOiBEQAHMmELLgXfls75B4t4hXdROAc="),
    (pattern, 64, 64, True, 5, "H/iBBQAHrNdIaf6fi6aET5UJY1BsXDTERQ=="),
    (gradient, 100, 75, False, 0, "3wcKnZqIiIiAiIeIiHiIiICFB/iI"),
    (gradient, 75, 100, False, 0, "3/cJnRp4eHB4iIh4h4d4iHCFCPd3"),
    (gradient, 100, 100, False, 0, "3wcKnxqIiIiAiIeIiHiHeIiHCFiHgI8H"),
]
"""Results of the reference implementation (npm ``thumbhash`` 0.1.1)."""


@pytest.mark.parametrize(("drawing", "wide", "tall", "alpha", "seed", "wanted"), REFERENCE)
def test_the_reference_answers_the_same(
    drawing: Callable[[int, int, bool, int], bytes], wide: int, tall: int, alpha: bool, seed: int, wanted: str
) -> None:
    found, reference = encode_thumbhash(wide, tall, drawing(wide, tall, alpha, seed)), b64decode(wanted)
    if drawing is pattern:
        assert found == reference
    # A gradient's zero coefficients lie half-way between two steps, so that the order of the sums decides on one.
    assert found[:5] == reference[:5]
    for a, b in zip(found, reference, strict=True):
        assert abs((a & 15) - (b & 15)) <= 1
        assert abs((a >> 4) - (b >> 4)) <= 1


def test_a_clear_image_has_a_hash() -> None:
    assert b64encode(encode_thumbhash(8, 8, bytes(256))).decode() == "AAiCBQAAAAAAAAAAAAAAAAAAAAAAAAAAAA=="


@pytest.mark.parametrize("size", [(101, 10), (10, 101), (0, 10)])
def test_sizes_that_have_none(size: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="100"):
        encode_thumbhash(*size, bytes(4 * size[0] * size[1]))
