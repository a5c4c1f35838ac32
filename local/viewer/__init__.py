"""npm packages that pages of the local stack show images with, such as OpenSeadragon at ``/_local/zoom``.

They are installed at the first request.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from filelock import AsyncFileLock

from ..errors import StartError
from ..paths import ROOT
from ..processes import run

LOCKED = ("package.json", "package-lock.json")
HERE = Path(__file__).parent
INSTALLED = ROOT / ".local" / "viewer"
"""Shared by every stack of this checkout."""

BUILT = INSTALLED / "node_modules" / "openseadragon" / "build" / "openseadragon"
SCRIPT = BUILT / "openseadragon.min.js"


async def ensure_script() -> Path:
    """Return the path of OpenSeadragon's script, after installing the version of the lock file. Raises StartError."""
    return await ensure_file(SCRIPT, HERE, INSTALLED)


async def ensure_file(file: Path, lock: Path, installed: Path) -> Path:
    """Return ``file`` after installing what the folder ``lock`` pins into ``installed``. Raises StartError."""
    installed.parent.mkdir(parents=True, exist_ok=True)
    async with AsyncFileLock(installed.with_name(f".{installed.name}.lock")):
        if not _is_here(file, lock, installed):
            await _install(file, lock, installed)
    return file


def _is_here(file: Path, lock: Path, installed: Path) -> bool:
    copies = [(installed / name, lock / name) for name in LOCKED]
    return file.exists() and all(
        copy.exists() and copy.read_bytes() == original.read_bytes() for copy, original in copies
    )


async def _install(file: Path, lock: Path, installed: Path) -> None:
    npm = shutil.which("npm")
    if npm is None:
        raise StartError("This page needs packages that npm installs. Install Node and npm, then reload.")
    shutil.rmtree(installed, ignore_errors=True)
    installed.mkdir()
    for name in LOCKED:
        shutil.copy(lock / name, installed)
    done = await run([npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"], env=dict(os.environ), cwd=installed)
    if done.status or not file.exists():
        shutil.rmtree(installed, ignore_errors=True)
        raise StartError(
            f"npm could not install the viewers. The first installation needs network access.\n{done.tail()}"
        )
