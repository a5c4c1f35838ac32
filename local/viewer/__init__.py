"""OpenSeadragon for ``/_local/zoom`` and Leaflet for ``/_local/map``: npm packages, installed at the first request."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from filelock import AsyncFileLock

from ..errors import StartError
from ..paths import ROOT
from ..processes import run

LOCKED = tuple(Path(__file__).parent / name for name in ("package.json", "package-lock.json"))
INSTALLED = ROOT / ".local" / "viewer"
"""Shared by every stack of this checkout."""

BUILT = INSTALLED / "node_modules" / "openseadragon" / "build" / "openseadragon"
SCRIPT = BUILT / "openseadragon.min.js"
LEAFLET = INSTALLED / "node_modules" / "leaflet" / "dist"
LEAFLET_FILES = ("leaflet.js", "leaflet.css")


async def ensure_script() -> Path:
    """Return the path of OpenSeadragon's script, after installing the version of the lock file. Raises StartError."""
    async with AsyncFileLock(INSTALLED.parent / ".viewer.lock"):
        if not _is_here():
            await _install()
    return SCRIPT


async def ensure_leaflet(name: str) -> Path:
    """Return the path of one of :data:`LEAFLET_FILES`, installed like OpenSeadragon's script. Raises StartError."""
    await ensure_script()
    return LEAFLET / name


def _is_here() -> bool:
    copies = (INSTALLED / file.name for file in LOCKED)
    return SCRIPT.exists() and all(
        copy.exists() and copy.read_bytes() == file.read_bytes() for copy, file in zip(copies, LOCKED, strict=True)
    )


async def _install() -> None:
    npm = shutil.which("npm")
    if npm is None:
        raise StartError("This page needs packages that npm installs. Install Node and npm, then reload.")
    shutil.rmtree(INSTALLED, ignore_errors=True)
    INSTALLED.mkdir(parents=True)
    for file in LOCKED:
        shutil.copy(file, INSTALLED)
    done = await run([npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"], env=dict(os.environ), cwd=INSTALLED)
    if done.status or not SCRIPT.exists():
        shutil.rmtree(INSTALLED, ignore_errors=True)
        raise StartError(
            f"npm could not install the viewers. The first installation needs network access.\n{done.tail()}"
        )
