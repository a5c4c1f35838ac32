"""Runs alone: ``vips tiffsave --pyramid`` of a scene, by libvips' own reader and writer; tells what it took as JSON.

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
    """Make it."""
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
    told = {
        "seconds": time.perf_counter() - started_s,
        "peak_mb": read_memory_mb(os.getpid(), "VmHWM"),
        "bytes": Path(target).stat().st_size,
    }
    print(json.dumps(told))


if __name__ == "__main__":
    main()
