"""Decode images while they arrive, and measure the memory of it."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from darkroom.errors import DamagedSource, Unavailable
from darkroom.imaging.render.context import IN_MEMORY_PIXELS
from darkroom.imaging.source import Source
from darkroom.plan.model import Crop
from tests.images.rendering import made, seen
from tests.images.sources import photo, saved, sources
from tests.peak_memory import READ_PEAK

ROOT = Path(__file__).parents[3]
STAGES = {"decode", "transform", "encode"}


def arriving(data: bytes, chunk: int = 1000) -> Iterator[bytes]:
    for at in range(0, len(data), chunk):
        yield data[at : at + chunk]


@pytest.mark.sample(3)
@pytest.mark.parametrize("kind", sources())
def test_a_stream_gives_the_same_image(kind: str) -> None:
    data = sources()[kind]
    options = {"width": 90, "height": 90, "fit": "cover", "crop": Crop("pct", 10, 10, 80, 80), "rotate": 90}
    streamed = made(Source.from_stream(arriving(data), len(data)), **options)
    assert streamed.body == made(data, **options).body


def test_decoding_begins_before_the_last_byte() -> None:
    """The stream records whether pixels were requested in the meantime: it is read in many small steps."""
    data = saved(photo().resize((2400, 1800)), "JPEG", quality=92)
    paused_ms = 0.0

    def slow() -> Iterator[bytes]:
        nonlocal paused_ms
        for number, chunk in enumerate(arriving(data, len(data) // 20)):
            yield chunk
            if number > 5:  # decoding has begun
                began_s = time.perf_counter()
                time.sleep(0.02)
                paused_ms += (time.perf_counter() - began_s) * 1000

    image = made(Source.from_stream(slow(), len(data)), width=300, format="jpeg")
    assert image.timings_ms["decode"] >= paused_ms > 0, "waiting counts as decoding"
    assert set(image.timings_ms) == STAGES


def test_a_fault_of_the_stream_is_not_damage() -> None:
    def broken() -> Iterator[bytes]:
        yield sources()["jpeg"][:12_000]
        raise Unavailable(detail="the store hung up")

    for form in ("jpeg", "webp"):
        with pytest.raises(Unavailable):
            made(Source.from_stream(broken(), len(sources()["jpeg"])), format=form)


def test_a_truncated_master_is_damage() -> None:
    with pytest.raises(DamagedSource):
        made(Source.from_stream(arriving(sources()["jpeg"][:12_000]), 12_000), width=100)


@pytest.mark.slow
def test_huge_images_stream_through() -> None:
    width, height = 8000, IN_MEMORY_PIXELS // 8000 + 100
    gradient = np.tile(np.linspace(0, 255, width, dtype=np.uint8), (height, 1))
    source = saved(Image.fromarray(gradient), "JPEG", quality=85)
    image = made(source, format="jpeg", quality=60)
    assert (image.width, image.height) == (width, height)
    turned = made(source, format="jpeg", quality=40, rotate=90)
    assert (turned.width, turned.height) == (height, width)
    middle = seen(turned.body)[::400, height // 2, 0].astype(int)
    assert np.abs(middle - gradient[0, ::400]).max() <= 4
    with pytest.raises(DamagedSource):
        made(source[: len(source) // 2], format="jpeg")


MEASURE = """
import sys
from darkroom.imaging.source import Source
from darkroom.imaging.render.pipeline import render
from darkroom.plan.limits import Limits
from darkroom.plan.model import Plan
data = open(sys.argv[1], "rb").read()
options = dict(width=320, format="webp") if sys.argv[2] == "small" else dict(format="jpeg", quality=70)
before = read_peak_kb()
render(Plan("k", **options), Source.from_bytes(data), limits=Limits())
print((read_peak_kb() - before) // 1024)
"""


def growth_mb(path: Path, what: str) -> int:
    """How much a fresh process grows by one render."""
    environment = {"PYTHONPATH": str(ROOT / "layers/darkroom"), "MALLOC_ARENA_MAX": "1"}
    command = [sys.executable, "-c", READ_PEAK + MEASURE, str(path), what]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return int(done.stdout)


@pytest.mark.slow
@pytest.mark.parametrize(("form", "limit_mb"), [("JPEG", 60), ("PNG", 60), ("TIFF", 60)])
def test_a_large_image_made_small_takes_little_memory(tmp_path: Path, form: str, limit_mb: int) -> None:
    """36 MP are 108 MB of pixels: they are never all in memory."""
    options = {"compression": "tiff_lzw"} if form == "TIFF" else {}
    (tmp_path / "large").write_bytes(saved(photo().resize((7200, 5000), Image.Resampling.NEAREST), form, **options))
    assert growth_mb(tmp_path / "large", "small") < limit_mb


@pytest.mark.slow
def test_a_large_image_kept_large_streams_too(tmp_path: Path) -> None:
    (tmp_path / "large").write_bytes(saved(photo().resize((7200, 5000), Image.Resampling.NEAREST), "JPEG"))
    assert growth_mb(tmp_path / "large", "large") < 100
