"""Start the process that decodes an upload (:mod:`medical.decode`), and read what it found."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from darkroom.errors import DamagedSource, DarkroomError, OverLimits, TypeNotAllowed

from .decode import FOUND

WALL_S = 420
"""Longest duration of a decode."""

REFUSALS: Mapping[str, type[DarkroomError]] = {kind.code: kind for kind in (DamagedSource, OverLimits, TypeNotAllowed)}


def decode_upload(file: Path, folder: Path) -> dict[str, Any]:
    """Decode ``file`` into ``folder``; return what was found.

    Raises TypeNotAllowed, OverLimits or DamagedSource, also if the process was ended by a limit or by a fault.
    """
    environment = {
        "PATH": os.environ.get("PATH", ""),
        "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
        "OPENBLAS_NUM_THREADS": "1",
        "MALLOC_ARENA_MAX": "1",
    }
    for name in ("LD_LIBRARY_PATH", "OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"):
        if name in os.environ:
            environment[name] = os.environ[name]
    command = [sys.executable, "-m", "medical.decode", str(file), str(folder)]
    try:
        done = subprocess.run(  # noqa: S603
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,  # libraries quote values
            timeout=WALL_S,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise OverLimits(f"Decoding takes longer than {WALL_S} seconds") from error
    found = folder / FOUND
    if done.returncode or not found.exists():
        raise DamagedSource(f"The decoder ended with status {done.returncode}: the file is damaged, or exceeds a limit")
    document: dict[str, Any] = json.loads(found.read_text(encoding="utf-8"))
    if "refused" in document:
        raise REFUSALS.get(document["refused"], DamagedSource)(document["reason"])
    return document
