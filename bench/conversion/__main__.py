"""Measure the decoders of converted formats, each in a process of its own: ``python -m bench.conversion [MEGAPIXELS]``.

Peak resident memory less that of a process that decodes a small image, and CPU time, for an image with noise.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from io import BytesIO
from tempfile import TemporaryFile
from typing import Any

import numpy as np
from PIL import Image

from darkroom.plan.limits import Limits
from darkroom_pipeline.conversion import sandbox
from darkroom_pipeline.conversion.converter import Converter
from darkroom_pipeline.conversion.formats import FORMATS
from local.tool_venvs import JPEG_XL, make_importable

SMALL_SIDE_PX = 64
LAUNCHER = """
import os, sys
_, status, used = os.wait4(os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ), 0)
print(used.ru_maxrss, used.ru_utime + used.ru_stime, file=sys.stderr)
sys.exit(status != 0)
"""
"""A process begins with the peak of its parent, so that the parent has to be small."""

ROOM = replace(Limits(), max_pixels=10**9, max_decoder_bytes=10**11)


def make_samples(side_px: int) -> Iterator[tuple[str, bytes]]:
    """Yield the name and the bytes of files of ``side_px`` squared."""
    noise = Image.effect_noise((side_px, side_px), 40)
    image = Image.merge(
        "RGB", (noise, noise.transpose(Image.Transpose.ROTATE_90), noise.point(lambda level: level // 2))
    )
    alpha = image.copy()
    alpha.putalpha(noise)
    yield "bmp, 24 bits", save(image, "BMP")
    yield "bmp, palette", save(noise.quantize(256), "BMP")
    yield "jp2, lossless", save(image, "JPEG2000")
    yield "jp2, lossless with alpha", save(alpha, "JPEG2000")
    yield "jp2, lossy", save(image, "JPEG2000", irreversible=True, quality_mode="rates", quality_layers=[12])
    yield "jp2, grey", save(noise, "JPEG2000")
    make_importable(JPEG_XL)
    from imagecodecs import jpegxl_encode  # the encoder alone is used here

    pixels, transparent = np.asarray(image), np.asarray(alpha)
    yield "jxl, lossless", bytes(jpegxl_encode(pixels, lossless=True, effort=1))
    yield "jxl, lossy", bytes(jpegxl_encode(pixels, distance=1.0, effort=3))
    yield "jxl, lossy with alpha", bytes(jpegxl_encode(transparent, distance=1.0, effort=3))


def save(image: Image.Image, form: str, **options: Any) -> bytes:
    """Return the file of an image."""
    buffer = BytesIO()
    image.save(buffer, form, **options)
    return buffer.getvalue()


def measure(data: bytes) -> tuple[float, float]:
    """Return the peak of resident memory in bytes and the CPU time in seconds of one conversion."""
    converter = Converter(tuple(FORMATS))
    header = converter.read_header(data, ROOM)
    if header is None:
        raise ValueError("not a converted format")
    with TemporaryFile() as given, TemporaryFile() as result:
        given.write(data)
        given.seek(0)
        worker = [
            sys.executable,
            "-m",
            sandbox.find_worker(header.format),
            str(10**11),
            str(10**9),
            "600",
            header.format,
        ]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "MALLOC_ARENA_MAX": "1"}
        command = [sys.executable, "-c", LAUNCHER, *worker]
        done = subprocess.run(
            command, check=True, stdin=given, stdout=result, stderr=subprocess.PIPE, text=True, env=environment
        )
    peak_kib, cpu_s = done.stderr.split()
    return int(peak_kib) * 1024, float(cpu_s)


def main(megapixels: float) -> None:
    """Print the table."""
    side_px = round((megapixels * 1e6) ** 0.5)
    small = dict(make_samples(SMALL_SIDE_PX))
    sys.stdout.write(
        "| image | file, MB | CPU s per megapixel | bytes per px | estimate |\n| --- | ---: | ---: | ---: | ---: |\n"
    )
    converter = Converter(tuple(FORMATS))
    for name, data in make_samples(side_px):
        base_bytes, base_s = measure(small[name])
        bytes_, cpu_s = measure(data)
        header = converter.read_header(data, ROOM)
        estimate = FORMATS[header.format].bytes_per_pixel(header) if header else 0
        held = (bytes_ - base_bytes - len(data)) / side_px**2
        per_megapixel_s = (cpu_s - base_s) / (side_px**2 / 1e6)
        sys.stdout.write(f"| {name} | {len(data) / 1e6:.1f} | {per_megapixel_s:.2f} | {held:.1f} | {estimate:.0f} |\n")
        sys.stdout.flush()


if __name__ == "__main__":
    started = time.monotonic()
    main(float(sys.argv[1]) if len(sys.argv) > 1 else 12.0)
    sys.stderr.write(f"{time.monotonic() - started:.0f} s\n")
