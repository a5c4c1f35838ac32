"""Measure decode and encode alone of bytes in memory, with the transform function's layers.

``python floor.py SOURCE WIDTH FORMAT QUALITY FOLDER`` writes for each input line the milliseconds of one image as JSON,
[decode and resize, encode], and the image into FOLDER. The decoder's shrink factor and the encoder are the function's;
everything else is left out.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import pyvips

from darkroom.imaging.formats.encode import EncodableImage, encode
from darkroom.imaging.formats.load import choose_spare_reduction, load
from darkroom.imaging.formats.probe import probe
from darkroom.imaging.formats.registry import OUTPUT_FORMATS
from darkroom.imaging.render.pipeline import resolve_geometry
from darkroom.imaging.source import Source
from darkroom.plan.limits import Limits
from darkroom.plan.model import Plan


def main() -> None:
    """Process lines until the input ends."""
    path, width, form, quality, folder = sys.argv[1:]
    data = Path(path).read_bytes()
    header = probe(Source.from_bytes(data), Limits())
    geometry = resolve_geometry(Plan("photo", width=int(width), format=form), header)
    loaded = load(
        Source.from_bytes(data), header, geometry, Limits(), spare=choose_spare_reduction(form, "fast")
    ).frames[0]
    shrink = round(header.width / loaded.width)
    size = geometry.stored_scaled
    for _ in sys.stdin:
        started = time.perf_counter()
        source = pyvips.Source.new_from_memory(data)  # 1.7 ms faster than `jpegload_buffer`, which copies
        image = pyvips.Image.jpegload_source(source, access="sequential", shrink=shrink)
        across, down = size.width / image.width, size.height / image.height
        small = image.resize(across, vscale=down).copy_memory()
        decoded = time.perf_counter()
        body = encode(EncodableImage.from_frames([small], [], 0), OUTPUT_FORMATS[form], int(quality))
        encoded = time.perf_counter()
        Path(folder, f"image.{form}").write_bytes(body)
        print(json.dumps([(decoded - started) * 1000, (encoded - decoded) * 1000]), flush=True)


if __name__ == "__main__":
    main()
