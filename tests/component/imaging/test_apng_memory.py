"""Memory of animated PNGs, in a process of its own."""

from __future__ import annotations

import os
import struct
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from darkroom.imaging.formats.png.apng import KEEP, OVER, iter_chunks
from tests.images.drawn import png_chunk
from tests.images.sources import saved
from tests.peak_memory import READ_PEAK

MEASURE = """
import sys
from darkroom.imaging.formats import load  # switches libvips' cache of results off
from darkroom.imaging.formats.png import apng_decode
from darkroom.imaging.source import Source
small, large = (open(path, "rb").read() for path in sys.argv[1:3])
page = int(sys.argv[3]) if sys.argv[3] else None
apng_decode.load_frames(Source.from_bytes(small), page=None).copy_memory()
before = read_peak_kb()
image = apng_decode.load_frames(Source.from_bytes(large), page=page)
print(image.height, read_peak_kb() - before)
"""

ARENAS = {"MALLOC_ARENA_MAX": "1"}
"""As in template.yaml. With more arenas the peak depends on which threads freed which frames."""


@pytest.mark.slow
@pytest.mark.parametrize("page", [29, None])
def test_memory_is_that_of_the_frames_that_are_loaded(page: int | None, tmp_path: Path) -> None:
    """A file of a few KB can have hundreds of frames; each is blended with the canvas."""
    wide, tall, frames = 800, 600, 30
    files = tmp_path / "small.png", tmp_path / "large.png"
    files[0].write_bytes(blended(80, 60, 2))
    files[1].write_bytes(blended(wide, tall, frames))
    command = [sys.executable, "-c", READ_PEAK + MEASURE, *map(str, files), "" if page is None else str(page)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), **ARENAS}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    height, grown_kb = map(int, done.stdout.split())
    loaded = 1 if page is not None else frames
    assert height == tall * loaded
    assert grown_kb * 1024 < (loaded + 12) * wide * tall * 4


def blended(wide: int, tall: int, frames: int) -> bytes:
    """An APNG whose frames all have the size of the canvas, and are painted over it."""
    png = saved(Image.new("RGBA", (wide, tall), (9, 8, 7, 99)), "PNG")
    body = b"".join(png[found.body : found.end - 4] for found in iter_chunks(png) if found.name == b"IDAT")
    control = struct.pack(">4I2H2B", wide, tall, 0, 0, 1, 10, KEEP, OVER)
    parts = [png_chunk(b"acTL", struct.pack(">II", frames, 0)), png_chunk(b"fcTL", bytes(4) + control)]
    parts.append(png_chunk(b"IDAT", body))
    for number in range(1, frames):
        parts.append(png_chunk(b"fcTL", (2 * number - 1).to_bytes(4) + control))
        parts.append(png_chunk(b"fdAT", (2 * number).to_bytes(4) + body))
    head = saved(Image.new("RGBA", (wide, tall)), "PNG")[:33]
    return head + b"".join([*parts, png_chunk(b"IEND", b"")])
