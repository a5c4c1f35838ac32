"""The processes of the scene's part: who makes the pyramid, and who reads tiles of it."""

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
    """What making a pyramid took, and how large it is."""

    seconds: float
    peak_mb: float
    size_bytes: int


@dataclass(frozen=True, slots=True)
class TileResult:
    """A tile: what it took cold, and warm beside the local file, in turns."""

    tile: Tile
    cold_ms: float
    cold_bytes: int
    cold_requests: int
    warm: Spread
    local: Spread

    @property
    def ratio(self) -> float:
        """Of warm to local."""
        return self.warm.ratio_to(self.local)


def build_pyramid(source: Path, folder: Path, tile_px: int) -> PyramidResult:
    """Darkroom's pyramid, ``folder / "scene.tif"``, made within :data:`MEMORY_BYTES` of address space."""
    options = [str(source), str(folder), str(MEMORY_BYTES), str(tile_px)]
    [told] = _run("ingesting.py", options, VARIABLES | INGEST_ALLOCATOR)
    return PyramidResult(told["seconds"], told["peak_mb"], told["bytes"])


def build_with_vips(source: Path, folder: Path, tile_px: int, quality: int) -> PyramidResult:
    """libvips' own pyramid, made and thrown away, without a limit."""
    target = folder / "peer.tif"
    [told] = _run("peer.py", [str(source), str(target), str(tile_px), str(quality)], VARIABLES | INGEST_ALLOCATOR)
    target.unlink()
    return PyramidResult(told["seconds"], told["peak_mb"], told["bytes"])


def read_tiles(scene: Path, url: str, tiles: Sequence[Tile], rounds: int, core: Core) -> list[TileResult]:
    """All ``tiles`` of the pyramid, which the server at ``url`` has too."""
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
    """What a script tells, a line each; raises CalledProcessError where it fails, by its limit of memory too."""
    path = {"PYTHONPATH": os.pathsep.join((python_path(), str(ROOT))), "PYTHONDONTWRITEBYTECODE": "1"}
    command: list[str | Path] = [install_interpreter(), HERE / script, *options]
    done = subprocess.run(command, env={**environment, **path}, stdout=subprocess.PIPE, text=True, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]
