"""Decoder memory: the table against measurements, and the limit derived from it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import pyvips

from darkroom.errors import OverLimits
from darkroom.imaging.formats.image_format import Header
from darkroom.imaging.formats.probe import estimate_decoder_bytes, probe
from darkroom.imaging.formats.registry import SOURCE_FORMATS
from darkroom.imaging.source import Source
from darkroom.plan.limits import Limits
from darkroom.services.live_settings import MEMORY_MB, decoder_limit
from darkroom_pipeline.imaging.pyramid.plan import inspect_large_image
from tests.peak_memory import READ_PEAK
from tests.waiting import HANG_S

LAYER = Path(__file__).parents[3] / "layers" / "darkroom"
WIDTH, HEIGHT = 4000, 3000
REST_BYTES = 60_000_000
"""The output, its encoder, and libvips' strips."""

RENDER = """
import sys
from darkroom.imaging.render.pipeline import render
from darkroom_pipeline.imaging.pyramid.plan import inspect_large_image
from darkroom.imaging.source import Source
from darkroom.plan.limits import Limits
from darkroom.plan.model import Plan
import pyvips
plan = Plan("image", width=320, format="webp")
small, data = pyvips.Image.black(64, 64, bands=3).pngsave_buffer(), sys.stdin.buffer.read()
render(plan, Source.from_bytes(small), limits=Limits())
before = read_peak_kb()
render(plan, Source.from_bytes(data), limits=Limits())
print((read_peak_kb() - before) * 1024)
"""


def gradient(bands: int, bits: int = 8) -> pyvips.Image:
    places = pyvips.Image.xyz(WIDTH, HEIGHT)
    channels = [places[0] * 255.0 / WIDTH, places[1] * 255.0 / HEIGHT, (places[0] + places[1]) % 256, places[0] % 256]
    image = channels[0].bandjoin(channels[1:bands]).cast("uchar").copy(interpretation="srgb")
    return (image.cast("ushort") * 257).cast("ushort").copy(interpretation="rgb16") if bits == 16 else image


def avif(bands: int, bits: int, subsampling: str = "auto") -> bytes:
    options = {"compression": "av1", "effort": 0, "bitdepth": bits, "subsample_mode": subsampling}
    return bytes(gradient(bands, 16 if bits > 8 else 8).heifsave_buffer(**options))


SOURCES: dict[str, Callable[[], bytes]] = {
    "jpeg": lambda: gradient(3).jpegsave_buffer(),
    "jpeg, progressive": lambda: gradient(3).jpegsave_buffer(interlace=True),
    "jpeg, progressive, full chroma": lambda: gradient(3).jpegsave_buffer(interlace=True, subsample_mode="off"),
    "jpeg, progressive, cmyk": lambda: gradient(3).colourspace("cmyk").jpegsave_buffer(interlace=True),
    "png": lambda: gradient(3).pngsave_buffer(compression=1),
    "png, interlaced": lambda: gradient(3).pngsave_buffer(compression=1, interlace=True),
    "png, interlaced, 16 bits, alpha": lambda: gradient(4, 16).pngsave_buffer(compression=1, interlace=True),
    "webp": lambda: gradient(3).webpsave_buffer(effort=0),
    "webp, alpha": lambda: gradient(4).webpsave_buffer(effort=0),
    "webp, lossless": lambda: gradient(4).webpsave_buffer(lossless=True, effort=0),
    "gif": lambda: gradient(3).gifsave_buffer(effort=1, dither=0),
    "avif": lambda: avif(3, 8),
    "avif, alpha": lambda: avif(4, 8),
    "avif, full chroma": lambda: avif(3, 8, "off"),
    "avif, 12 bits": lambda: avif(3, 12),
    "avif, 12 bits, alpha, full chroma": lambda: avif(4, 12, "off"),
    "tiff, strips": lambda: gradient(3).tiffsave_buffer(compression="lzw"),
    "tiff, tiles": lambda: gradient(3).tiffsave_buffer(compression="deflate", tile=True),
    "tiff, 16 bits": lambda: gradient(4, 16).tiffsave_buffer(compression="deflate"),
}


def test_every_format_is_measured_whose_decoder_has_an_image_of_its_own_size() -> None:
    sized = {name for name in SOURCE_FORMATS if SOURCE_FORMATS[name].memory.plain}
    unwritten = {"heic"}  # no encoder here: tests/component/imaging/test_heif.py
    measured = {name.partition(",")[0] for name in SOURCES}
    assert measured == sized - unwritten, "SOURCES in tests/component/imaging/test_memory.py"


@pytest.mark.slow
@pytest.mark.parametrize("name", SOURCES)
def test_a_decoder_takes_no_more_memory_than_the_table(name: str) -> None:
    data = SOURCES[name]()
    header = probe(Source.from_bytes(data), Limits())
    environment = {"PYTHONPATH": str(LAYER), "MALLOC_ARENA_MAX": "1", "MALLOC_MMAP_THRESHOLD_": "131072"}
    done = subprocess.run(
        [sys.executable, "-c", READ_PEAK + RENDER],
        input=data,
        capture_output=True,
        check=True,
        timeout=HANG_S,
        env=environment,
    )
    assert int(done.stdout) <= estimate_decoder_bytes(header) + len(data) + REST_BYTES


def test_an_image_whose_decoder_takes_too_much_is_refused() -> None:
    data = bytes(pyvips.Image.black(320, 240, bands=3).heifsave_buffer(compression="av1", effort=0, bitdepth=8))
    needed = estimate_decoder_bytes(probe(Source.from_bytes(data), Limits()))
    probe(Source.from_bytes(data), Limits(max_decoder_bytes=needed))
    with pytest.raises(OverLimits, match="Decoding the source") as caught:
        probe(Source.from_bytes(data), Limits(max_decoder_bytes=needed - 1))
    assert caught.value.applies_to_source


@pytest.mark.parametrize(
    ("options", "rows"),
    [
        ({"tile": True, "tile_width": 256, "tile_height": 128}, 2 * 128),
        ({"tile_height": 16}, 2 * 16),
        ({"tile_height": 2000}, 3000),
        ({"tile_height": 3000}, 3000),
    ],
    ids=["tiles", "strips", "two strips", "one strip"],
)
def test_a_large_image_needs_the_memory_of_the_rows_that_are_decoded_at_once(
    options: dict[str, object], rows: int
) -> None:
    image = pyvips.Image.black(4000, 3000, bands=3).copy(interpretation="srgb")
    source = Source.from_bytes(image.tiffsave_buffer(compression="deflate", **options))
    needed = 4 * 4000 * rows
    assert inspect_large_image(source, Limits(max_decoder_bytes=needed)).width == 4000
    with pytest.raises(OverLimits, match="Decoding the source"):
        inspect_large_image(source, Limits(max_decoder_bytes=needed - 1))


def test_a_large_jpeg_that_is_progressive_is_held_whole() -> None:
    image = pyvips.Image.black(4000, 3000, bands=3).copy(interpretation="srgb")
    source = Source.from_bytes(image.jpegsave_buffer(interlace=True))
    needed = estimate_decoder_bytes(probe(source, Limits()))
    inspect_large_image(source, Limits(max_decoder_bytes=needed))
    with pytest.raises(OverLimits, match="Decoding the source"):
        inspect_large_image(source, Limits(max_decoder_bytes=needed - 1))


@pytest.mark.parametrize(
    ("memory_mb", "megapixels"), [("1024", 34), ("1769", 75), ("2048", 90), ("3008", 143), ("8192", 430)]
)
def test_the_limit_follows_from_the_memory_of_the_function(memory_mb: str, megapixels: int) -> None:
    limit = decoder_limit({MEMORY_MB: memory_mb})
    assert estimate_decoder_bytes(Header("avif", 1000, 1000 * megapixels)) <= limit
    assert estimate_decoder_bytes(Header("avif", 1000, 1000 * (megapixels + 2))) > limit


def test_a_flat_avif_of_119_megapixels_is_over_the_limit_of_the_standard_function() -> None:
    assert estimate_decoder_bytes(Header("avif", 10900, 10900)) > decoder_limit({MEMORY_MB: "1769"})
