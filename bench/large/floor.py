"""Runs with the layers: decoding at an eighth of the size, and encoding a square, for each line that it reads.

``python floor.py SOURCE SIDE QUALITY FOLDER`` answers each line with the milliseconds of both together, as JSON. What
lies between them, resizing and cropping, is done once and not measured.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import pyvips

from darkroom.imaging.encoding import Sheet, encode
from darkroom.imaging.formats import FORMS

SHRINK = 8
"""The smallest that libjpeg decodes at; the entropy decoder goes through the whole file all the same."""


def main() -> None:
    """Answer lines until there are no more."""
    source, side, quality, _ = sys.argv[1:]
    data = Path(source).read_bytes()
    square = decoded(data).thumbnail_image(int(side), height=int(side), crop="centre").copy_memory()
    for _ in sys.stdin:
        started = time.perf_counter()
        decoded(data)
        encode(Sheet.of([square], [], 0), FORMS["webp"], int(quality))
        print(json.dumps((time.perf_counter() - started) * 1000), flush=True)


def decoded(data: bytes) -> pyvips.Image:
    """All pixels, in memory."""
    source = pyvips.Source.new_from_memory(data)
    return pyvips.Image.jpegload_source(source, shrink=SHRINK, access="sequential").copy_memory()


if __name__ == "__main__":
    main()
