"""Gain maps follow their base image, keep their parameters and carry no other metadata."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import pyvips
from hypothesis import given
from hypothesis import strategies as st

from darkroom.imaging.formats.jpeg.gain_map import (
    GainMapMetadata,
    format_base_xmp,
    format_iso,
    format_map_xmp,
    parse_iso,
    parse_xmp,
)
from darkroom.imaging.formats.jpeg.ultrahdr import GainMap, attach_gain_map, read_gain_map
from darkroom.imaging.formats.metadata.locate import strip_metadata
from darkroom.imaging.formats.probe import probe
from darkroom.imaging.render.hdr import keeps_gain_map
from darkroom.imaging.render.pipeline import render
from darkroom.imaging.source import Source
from darkroom.plan.canonical import parse_path
from darkroom.plan.limits import Limits
from darkroom.plan.model import Crop, Gravity, Padding, Plan, Watermark
from darkroom.plan.native_url import parse_url
from tests.images.drawn import saved, with_exif
from tests.images.exiftool import needs_exiftool, private_parts

pytestmark = pytest.mark.never_skips

NUMBERS = GainMapMetadata((0.0,), (3.5,), (1.2,), (1 / 64,), (1 / 64,), 0.0, 3.5)
COLOURED = GainMapMetadata((0.0, 0.1, 0.2), (2.0, 2.5, 3.0), (1.0, 1.1, 1.2), (0.0,) * 3, (0.0,) * 3, 0.5, 3.0)
WIDE, TALL, RATIO = 640, 480, 4


@cache
def disc(wide: int = WIDE, tall: int = TALL) -> np.ndarray:
    """A bright disc off the centre, as a fraction of the image's size."""
    y, x = np.mgrid[0:tall, 0:wide]
    inside = ((x + 0.5) / wide - 0.62) ** 2 + (((y + 0.5) / tall - 0.41) * tall / wide) ** 2 < 0.11**2
    return np.where(inside, 230, 30).astype(np.uint8)


def as_jpeg(pixels: np.ndarray) -> bytes:
    image = pyvips.Image.new_from_array(pixels).copy(interpretation="b-w" if pixels.ndim == 2 else "srgb")
    data: bytes = image.jpegsave_buffer(Q=95, keep="none")
    return data


@cache
def ultra_hdr(numbers: GainMapMetadata = NUMBERS, orientation: int = 1) -> bytes:
    """A base with a bright disc, its map with the same disc at a quarter of the size, and private parts in both."""
    base = as_jpeg(np.repeat(disc()[..., None], 3, axis=2))
    small = disc(WIDE // RATIO, TALL // RATIO)
    gains = as_jpeg(small if len(numbers.maximum) == 1 else np.repeat(small[..., None], 3, axis=2))
    return attach_gain_map(with_exif(base, orientation), with_exif(gains, 3), numbers)


@pytest.fixture
def libultrahdr() -> Iterator[None]:
    """Enable libvips' own UltraHDR loader, which is blocked for input."""
    pyvips.operation_block_set("VipsForeignLoadUhdr", False)
    yield
    pyvips.operation_block_set("VipsForeignLoadUhdr", True)


def rendered(query: str, data: bytes) -> bytes:
    """Render ``data`` by the native URL ``/a.jpg?<query>``."""
    return render(parse_url(f"/a.jpg?{query}").plan, Source.from_bytes(data), limits=Limits()).body


def gain_map(data: bytes) -> GainMap:
    found = read_gain_map(data)
    assert found is not None
    return found


def centre(pixels: np.ndarray) -> tuple[float, float]:
    """The centre of the visible bright disc, as fractions of width and height; the middle if it is cropped away."""
    tall, wide = pixels.shape[:2]
    light = pixels.reshape(tall, wide, -1).mean(axis=2)
    y, x = np.nonzero(light > 130)
    if not len(x):
        return 0.5, 0.5
    return float((x.mean() + 0.5) / wide), float((y.mean() + 0.5) / tall)


def decoded(jpeg: bytes) -> np.ndarray:
    found: np.ndarray = pyvips.Image.jpegload_buffer(jpeg).numpy()
    return found


def test_libultrahdr_reads_what_is_attached(libultrahdr: None) -> None:
    image = pyvips.Image.uhdrload_buffer(ultra_hdr())
    assert (image.width, image.height) == (WIDE, TALL)
    assert image.get("gainmap-max-content-boost") == pytest.approx([2**3.5] * 3, rel=1e-4)
    assert image.get("gainmap-gamma") == pytest.approx([1.2] * 3)
    assert image.get("gainmap-offset-sdr") == pytest.approx([1 / 64] * 3)
    assert image.get("gainmap-hdr-capacity-max") == pytest.approx(2**3.5, rel=1e-4)
    coloured = pyvips.Image.uhdrload_buffer(ultra_hdr(COLOURED))
    assert coloured.get("gainmap-max-content-boost") == pytest.approx([4.0, 2**2.5, 8.0], rel=1e-4)
    assert coloured.get("gainmap-min-content-boost") == pytest.approx([1.0, 2**0.1, 2**0.2], rel=1e-4)


def test_what_libultrahdr_writes_is_read(libultrahdr: None) -> None:
    written = pyvips.Image.uhdrload_buffer(ultra_hdr(COLOURED)).uhdrsave_buffer()
    found = gain_map(written).parameters
    for side in ("minimum", "maximum", "gamma", "offset_sdr", "offset_hdr"):
        assert getattr(found, side) == pytest.approx(getattr(COLOURED, side), abs=1e-4)
    assert (found.capacity_min, found.capacity_max) == pytest.approx((0.5, 3.0), abs=1e-4)


def test_the_header_is_enough() -> None:
    assert probe(Source.from_bytes(ultra_hdr()), Limits()).gain_map
    assert not probe(Source.from_bytes(saved("JPEG")), Limits()).gain_map


@pytest.mark.sample(5)
@pytest.mark.parametrize(
    "query",
    [
        "w=320",
        "w=333&h=200&fit=fill",
        "crop=200,60,333,257",
        "crop=pct:40,20,40.5,45&w=111",
        "w=300&h=300&fit=cover&g=fp:0.62:0.41",
        "w=200&h=400&fit=cover&g=east",
        "w=300&h=200&fit=cover&g=attention",
        "rot=90&w=200",
        "rot=270&flip=h",
        "flip=v&w=250",
        "crop=301,101,200,200&rot=180&flip=h&w=77",
        "up=1&w=900",
        "trim=10",
    ],
)
@pytest.mark.parametrize("orientation", [1, 3, 6, 5])
def test_the_map_follows_its_base(query: str, orientation: int) -> None:
    lies_on(rendered(f"{query}&f=jpeg", ultra_hdr(orientation=orientation)))


@pytest.mark.sample(3)
@pytest.mark.parametrize(
    "options",
    [
        "inset-10-20-30-200",
        "cut-300-0.5-attention-0.5-0.5-0-0",
        "cut-300-0-fp-0.62-0.5-0-0_w-200",
        "zoom-0.5-0.25",
        "orient-0_w-320",
        "cov-clip_fit-cover_h-300_off-30-10_w-300",
        "cov-flex_fit-cover_h-300_w-500",
        "cov-clip_even-1_fit-cover_h-300_ratio-1.25_w-300",
        "cut-200-150-center-0.5-0.5-0-0_even-1_most-120_tfirst-1_trim-10",
        "cov-uncut_fit-cover_h-300_w-300",
        "h-300_minw-500_w-300",
        "fit-cover_focus-400-200_h-400_w-200",
        "base-1_mb-9000_w-320",
    ],
)
@pytest.mark.parametrize("orientation", [1, 6])
def test_the_map_follows_by_other_languages_too(options: str, orientation: int) -> None:
    plan = parse_path(f"/a.jpg/_/{options}.jpeg")
    body = render(plan, Source.from_bytes(ultra_hdr(orientation=orientation)), limits=Limits()).body
    assert not plan.max_bytes or len(body) <= plan.max_bytes
    lies_on(body)


def lies_on(body: bytes) -> None:
    """Assert that the map of ``body`` is about its base, place by place."""
    base, found = decoded(body), gain_map(body)
    map_pixels = decoded(found.jpeg)
    assert max(found.size) == pytest.approx(max(base.shape[:2]) / RATIO, abs=1)
    assert found.parameters == NUMBERS
    for seen, wanted, side in zip(centre(map_pixels), centre(base), found.size, strict=True):
        assert abs(seen - wanted) * side < 0.35, "shifted by more than a third of a pixel of the map"
    small = (
        pyvips.Image.new_from_array(base[..., 0])
        .thumbnail_image(found.size.width, height=found.size.height, size="force")
        .numpy()
    )
    assert np.abs(small.astype(int) - map_pixels.reshape(small.shape)).mean() < 9


def test_a_coloured_map_stays_coloured() -> None:
    body = rendered("w=320&f=jpeg", ultra_hdr(COLOURED))
    found = gain_map(body)
    assert found.parameters == COLOURED
    assert decoded(found.jpeg).shape == (60, 80, 3)


@pytest.mark.parametrize("query", ["w=320&f=webp", "w=320&f=png", "w=320&f=avif", "f=jpeg&blur=3", "f=jpeg&bri=10"])
def test_otherwise_the_base_goes_alone(query: str) -> None:
    body = rendered(query, ultra_hdr())
    assert b"hdrgm" not in body
    assert b"21496" not in body
    assert body.count(b"\xff\xd8\xff") <= 1


def test_what_turns_or_extends_drops_the_map() -> None:
    for options in ("angle-10", "ext-box-north-0-0_h-700_w-700", "ell-0-0-9-9", "thr-99", "noise-9"):
        plan = parse_path(f"/a.jpg/_/{options}.jpeg")
        assert read_gain_map(render(plan, Source.from_bytes(ultra_hdr()), limits=Limits()).body) is None


@pytest.mark.parametrize("query", ["f=jpeg&pad=9", "f=jpeg&radius=9", "f=jpeg&w=300&h=300&fit=letterbox"])
def test_what_adds_pixels_drops_the_map(query: str) -> None:
    assert read_gain_map(rendered(query, ultra_hdr())) is None


def test_what_keeps_a_map() -> None:
    plan = Plan("a", format="jpeg")
    kept = {"width": 9, "height": 9, "fit": "cover", "gravity": Gravity("north"), "crop": Crop("px", 1, 1, 5, 5)}
    kept |= {"rotate": 90, "flip": "h", "trim": 5, "upscale": True, "quality": 50, "download": "x.jpg"}
    assert all(keeps_gain_map(replace(plan, **{name: value})) for name, value in kept.items())
    dropped = {"padding": Padding(1), "background": "ff0000", "radius": 3, "blur": 1.0, "sharpen": 1.0, "denoise": 1}
    dropped |= {"equalise": True, "brightness": 1, "contrast": 1, "saturation": 1, "gamma": 2.0, "grayscale": True}
    dropped |= {"watermark": Watermark("logo")}
    assert not any(keeps_gain_map(replace(plan, **{name: value})) for name, value in dropped.items())
    assert not keeps_gain_map(replace(plan, fit="letterbox"))


def test_cleaning_keeps_the_map_and_nothing_else() -> None:
    data = ultra_hdr() + b"secret trailer"
    after = strip_metadata(data, probe(Source.from_bytes(data), Limits()))
    assert after is not None
    assert b"secret" not in after
    assert b"Exif" not in after
    assert gain_map(after).parameters == NUMBERS
    assert np.array_equal(decoded(after), decoded(data))
    assert np.array_equal(decoded(gain_map(after).jpeg), decoded(gain_map(data).jpeg))


@needs_exiftool
@pytest.mark.parametrize("query", ["f=jpeg", "w=320&f=jpeg", "crop=0,0,300,300&f=jpeg"])
def test_exiftool_finds_a_map_in_its_place_and_nothing_private(query: str, tmp_path: Path) -> None:
    body = rendered(query, ultra_hdr())
    (tmp_path / "base.jpg").write_bytes(body)
    (tmp_path / "map.jpg").write_bytes(body[_second_image(body) :])
    found = private_parts(tmp_path / "base.jpg", tmp_path / "map.jpg")
    groups = {name: {tag.partition(":")[0] for tag in tags} for name, tags in found.items()}
    assert groups["base.jpg"] == {"XMP-hdrgm", "XMP-GContainer", "MPF0", "MPImage1", "MPImage2", "APP2", "Google"}
    assert groups["map.jpg"] == {"XMP-hdrgm", "APP2"}
    assert not [tag for tags in found.values() for tag in tags if "Thumbnail" in tag or "GPS" in tag]


def _second_image(body: bytes) -> int:
    """The offset of the second image by MPF, following CIPA DC-007."""
    base = body.index(b"MPF\0") + 4
    first_size, second_size, second_at = (struct.unpack_from(">I", body, base + 50 + at)[0] for at in (4, 20, 24))
    assert base + second_at == first_size
    assert base + second_at + second_size == len(body)
    assert body[base + second_at :].startswith(b"\xff\xd8\xff")
    assert f'Item:Length="{second_size}"'.encode() in body[:base]
    return base + second_at


def test_the_map_is_found_where_mpf_is_stale() -> None:
    data = ultra_hdr()
    base = data.index(b"MPF\0") + 4
    stale = data[: base + 74] + struct.pack(">I", 12345) + data[base + 78 :]
    assert gain_map(stale).parameters == NUMBERS


def test_maps_that_cannot_be_used() -> None:
    data = ultra_hdr()
    second = _second_image(data)
    plain = saved("JPEG")
    for broken in (
        data[: second + 200],
        data[:second] + plain,
        data[:second] + data[second:].replace(b"hdrgm:", b"hdrgn:").replace(b"21496", b"21497"),
        plain + plain,
    ):
        assert read_gain_map(broken) is None
        body = rendered("w=50&f=jpeg", broken)
        assert read_gain_map(body) is None
        assert decoded(body).shape[1] == 50
    assert read_gain_map(attach_gain_map(as_jpeg(disc(40, 30)), as_jpeg(disc(1400, 1050)), NUMBERS)) is None


def test_a_map_of_more_pixels_than_its_base_is_kept() -> None:
    """One of libavif's has 512 × 384 px for 403 × 302; a derivative's map is no larger than its base."""
    data = attach_gain_map(as_jpeg(disc(400, 300)), as_jpeg(disc(520, 390)), NUMBERS)
    cleaned = strip_metadata(data, probe(Source.from_bytes(data), Limits()))
    assert cleaned is not None
    assert gain_map(cleaned).size == (520, 390)
    for width in (100, 1000):
        found = gain_map(rendered(f"w={width}&up=1&f=jpeg", cleaned))
        assert found.size == found.base_size == (width, width * 3 // 4)


def test_a_damaged_map_leaves_a_whole_base() -> None:
    data = bytearray(ultra_hdr())
    data[-400:-2] = bytes(398)
    body = rendered("w=160&f=jpeg", bytes(data))
    assert decoded(body).shape[1] == 160


@given(
    st.sampled_from([1, 3]).flatmap(
        lambda channels: st.builds(
            GainMapMetadata,
            *[st.tuples(*[st.floats(-8, 8)] * channels) for _ in range(2)],
            st.tuples(*[st.floats(0.1, 9)] * channels),
            *[st.tuples(*[st.floats(-1, 1)] * channels) for _ in range(2)],
            st.floats(0, 4),
            st.floats(4.1, 9),
        )
    )
)
def test_numbers_survive_both_spellings(numbers: GainMapMetadata) -> None:
    for found in (parse_iso(format_iso(numbers)), parse_xmp(format_map_xmp(numbers))):
        assert found.minimum == pytest.approx(numbers.minimum, abs=1e-6)
        assert found.maximum == pytest.approx(numbers.maximum, abs=1e-6)
        assert found.gamma == pytest.approx(numbers.gamma, abs=1e-6)
        assert found.offset_sdr == pytest.approx(numbers.offset_sdr, abs=1e-6)
        assert found.offset_hdr == pytest.approx(numbers.offset_hdr, abs=1e-6)
        assert (found.capacity_min, found.capacity_max) == pytest.approx(
            (numbers.capacity_min, numbers.capacity_max), abs=1e-6
        )


@pytest.mark.parametrize(
    "attributes",
    [
        'hdrgm:Version="1.0"',
        'hdrgm:GainMapMax="2" hdrgm:BaseRenditionIsHDR="True"',
        'hdrgm:GainMapMax="nan"',
        'hdrgm:GainMapMax="inf"',
        'hdrgm:GainMapMax="two"',
        'hdrgm:GainMapMax="2" hdrgm:Gamma="0"',
        'hdrgm:GainMapMax="2" hdrgm:HDRCapacityMin="3" hdrgm:HDRCapacityMax="2"',
    ],
)
def test_numbers_beyond_any_image(attributes: str) -> None:
    packet = format_base_xmp(1).decode().replace('hdrgm:Version="1.0"', attributes)
    with pytest.raises(ValueError, match=r".+"):
        parse_xmp(packet.encode())


def test_xmp_as_elements_and_with_defaults() -> None:
    packet = (
        format_base_xmp(1)
        .decode()
        .replace(
            "<Container:Directory>",
            "<hdrgm:GainMapMax><rdf:Seq><rdf:li>1</rdf:li><rdf:li>2</rdf:li><rdf:li>3</rdf:li></rdf:Seq></hdrgm:GainMapMax>"
            "<hdrgm:Gamma>1.5</hdrgm:Gamma><Container:Directory>",
        )
    )
    found = parse_xmp(packet.encode())
    assert found == GainMapMetadata((0.0,), (1.0, 2.0, 3.0), (1.5,), (1 / 64,), (1 / 64,), 0.0, 3.0)
