"""Run libvips' reader and writer of ``vips tiffsave --pyramid``, and print the cost as JSON.

``python peer.py SOURCE TARGET TILE_PX QUALITY``.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path

import pyvips

from bench.processes import read_memory_mb


def main() -> None:
    """Build the pyramid."""
    source, target, tile_px, quality = sys.argv[1:]
    started_s = time.perf_counter()
    image = pyvips.Image.new_from_file(source, access="sequential")
    image.tiffsave(
        target,
        compression="jpeg",
        Q=int(quality),
        tile=True,
        tile_width=int(tile_px),
        tile_height=int(tile_px),
        pyramid=True,
        subifd=True,
        bigtiff=True,
        keep="none",
    )
    result = {
        "seconds": time.perf_counter() - started_s,
        "peak_mb": read_memory_mb(os.getpid(), "VmHWM"),
        "bytes": Path(target).stat().st_size,
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
