"""Decode at an eighth of the size, resize to a square and encode, for each input line, with the layers.

``python floor.py SOURCE SIDE QUALITY FOLDER`` writes the milliseconds of each as JSON.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import pyvips

from darkroom.imaging.formats.encode import EncodableImage, encode
from darkroom.imaging.formats.registry import OUTPUT_FORMATS

SHRINK = 8
"""libjpeg's largest shrink factor; its entropy decoder reads the whole file regardless."""


def main() -> None:
    """Process lines until the input ends."""
    path, side, quality, _ = sys.argv[1:]
    data = Path(path).read_bytes()
    for _ in sys.stdin:
        started = time.perf_counter()
        encode(EncodableImage.from_frames([square(data, int(side))], [], 0), OUTPUT_FORMATS["webp"], int(quality))
        print(json.dumps((time.perf_counter() - started) * 1000), flush=True)


def square(data: bytes, side_px: int) -> pyvips.Image:
    """Return the middle of the image, in memory."""
    source = pyvips.Source.new_from_memory(data)
    image = pyvips.Image.jpegload_source(source, shrink=SHRINK, access="sequential")
    small = image.resize(side_px / min(image.width, image.height))
    return small.crop((small.width - side_px) // 2, (small.height - side_px) // 2, side_px, side_px).copy_memory()


if __name__ == "__main__":
    main()
