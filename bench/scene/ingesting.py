"""Build a pyramid from a file within a memory limit, with the layers, and print the cost as JSON.

``python ingesting.py SOURCE FOLDER LIMIT_BYTES TILE_PX`` writes strips into FOLDER and assembles ``scene.tif`` there.
The source is read by ranges, as from S3. The limit is of address space; exceeding it fails.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import time
from pathlib import Path

from bench.processes import read_memory_mb
from darkroom.imaging.block_cache import BlockCache
from darkroom.imaging.source import Source
from darkroom.plan.limits import Limits
from darkroom_pipeline.imaging.pyramid.assemble import write_pyramid
from darkroom_pipeline.imaging.pyramid.plan import inspect_large_image, plan_pyramid

BLOCK_BYTES = 1024 * 1024


def main() -> None:
    """Build the pyramid."""
    path, folder, limit_bytes, tile_px = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
    resource.setrlimit(resource.RLIMIT_AS, (limit_bytes, limit_bytes))
    limits = Limits()
    started_s = time.perf_counter()
    with path.open("rb") as file:
        blocks = BlockCache(
            lambda start, end: os.pread(file.fileno(), end - start, start),
            path.stat().st_size,
            block_bytes=BLOCK_BYTES,
        )
        source = Source.from_ranges(blocks)
        header = inspect_large_image(source, limits)
        scene = plan_pyramid(source, header, limits, tile_px=tile_px)

        def put(strip: int, body: bytes) -> None:
            _part(folder, strip).write_bytes(body)

        binding = write_pyramid(source, header, scene, put, limits)
    with (folder / "scene.tif").open("wb") as whole:
        whole.write(binding.head)
        for strip in range(scene.layout.strips):
            part = _part(folder, strip)
            with part.open("rb") as body:
                while piece := body.read(1 << 22):
                    whole.write(piece)
            part.unlink()
    result = {
        "seconds": time.perf_counter() - started_s,
        "peak_mb": read_memory_mb(os.getpid(), "VmHWM"),
        "bytes": binding.size_bytes,
        "head_bytes": len(binding.head),
        "strips": scene.layout.strips,
        "levels": len(scene.layout.sizes),
        "read_bytes": blocks.fetched_bytes,
        "requests": blocks.requests,
        "lossy": scene.lossy,
    }
    print(json.dumps(result))


def _part(folder: Path, strip: int) -> Path:
    return folder / f"strip-{strip:05}"


if __name__ == "__main__":
    main()
