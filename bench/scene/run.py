"""Run the processes that build the pyramid and read its tiles."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..competitors.darkroom import INGEST_ALLOCATOR, VARIABLES, python_path
from ..competitors.model import build_aws_environment
from ..emulator import install_interpreter
from ..machine import Core, on_core
from ..paths import ROOT
from ..statistics import Spread
from .tiles import Tile

HERE = Path(__file__).parent
MEMORY_BYTES = 3_000_000_000
KEY = "masters/1/scene.tif"


@dataclass(frozen=True, slots=True)
class PyramidResult:
    """Cost and size of a pyramid."""

    seconds: float
    peak_mb: float
    size_bytes: int


@dataclass(frozen=True, slots=True)
class TileResult:
    """A tile's cold cost, and warm and local times by turn."""

    tile: Tile
    cold_ms: float
    cold_bytes: int
    cold_requests: int
    warm: Spread
    local: Spread

    @property
    def ratio(self) -> float:
        """Ratio of warm to local."""
        return self.warm.ratio_to(self.local)


def build_pyramid(source: Path, folder: Path, tile_px: int) -> PyramidResult:
    """Build Darkroom's pyramid, ``folder / "scene.tif"``, within :data:`MEMORY_BYTES` of address space."""
    options = [str(source), str(folder), str(MEMORY_BYTES), str(tile_px)]
    [result] = _run("ingesting.py", options, VARIABLES | INGEST_ALLOCATOR)
    return PyramidResult(result["seconds"], result["peak_mb"], result["bytes"])


def build_with_vips(source: Path, folder: Path, tile_px: int, quality: int) -> PyramidResult:
    """Build libvips' pyramid without a limit, and delete it."""
    target = folder / "peer.tif"
    [result] = _run("peer.py", [str(source), str(target), str(tile_px), str(quality)], VARIABLES | INGEST_ALLOCATOR)
    target.unlink()
    return PyramidResult(result["seconds"], result["peak_mb"], result["bytes"])


def read_tiles(scene: Path, url: str, tiles: Sequence[Tile], rounds: int, core: Core) -> list[TileResult]:
    """Read ``tiles`` of the pyramid, which the server at ``url`` has, too."""
    with on_core(core):
        lines = _run(
            "reading.py", [str(scene), KEY, str(rounds), *map(str, tiles)], build_aws_environment(url) | VARIABLES
        )
    return [
        TileResult(
            tile,
            line["cold_ms"],
            line["cold_bytes"],
            line["cold_requests"],
            Spread.of(line["warm_ms"]),
            Spread.of(line["local_ms"]),
        )
        for tile, line in zip(tiles, lines, strict=True)
    ]


def _run(script: str, options: Sequence[str], environment: Mapping[str, str]) -> list[dict[str, Any]]:
    """Run a script.

    Return its output's lines as JSON. Raises CalledProcessError if it fails or exceeds its memory limit.
    """
    path = {"PYTHONPATH": os.pathsep.join((python_path(), str(ROOT))), "PYTHONDONTWRITEBYTECODE": "1"}
    command: list[str | Path] = [install_interpreter(), HERE / script, *options]
    done = subprocess.run(command, env={**environment, **path}, stdout=subprocess.PIPE, text=True, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]
