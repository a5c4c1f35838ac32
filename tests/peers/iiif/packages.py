"""Viewers as npm publishes them: complete bundles, whose own dependencies are not installed."""

from __future__ import annotations

import base64
import hashlib
import shutil
import subprocess
import tarfile
from dataclasses import dataclass
from pathlib import Path

from bench.build_cache import build_once
from bench.competitors.model import MissingCompetitor
from bench.paths import WORK


@dataclass(frozen=True, slots=True)
class Package:
    """A version of a package, and the ``integrity`` that npm publishes for it."""

    name: str
    version: str
    integrity: str


MIRADOR = Package(
    "mirador",
    "4.0.0",
    "sha512-uWsE9e2oqSc/lUu+vVwDGhTsycuhGsfZ2KfX6CLfXiT3wgGy6qT9+q5M3V9Zz72hkdIgsJugKesaowmRtYmvrA==",
)
UNIVERSAL_VIEWER = Package(
    "universalviewer",
    "4.4.0",
    "sha512-9OVs6uCzeQYw50jg8k2vEGq6hQFu7kEv9OOAlmqVH9duhrpg1xlIqcMIb2rhNQnAxTQd3R13gxJze9UYkiwdzg==",
)


def install(package: Package) -> Path:
    """Download ``package`` if it is not in the cache, and return the folder with its files; raises Missing."""
    npm = shutil.which("npm")
    if npm is None:
        raise MissingCompetitor(f"{package.name}: npm is not installed")

    def make(folder: Path) -> None:
        command = [npm, "pack", f"{package.name}@{package.version}", "--silent"]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        archives = list(folder.glob("*.tgz"))
        if done.returncode or not archives:
            raise MissingCompetitor(f"{package.name}: npm could not download it ({done.stderr.strip()})")
        digest = base64.b64encode(hashlib.sha512(archives[0].read_bytes()).digest()).decode()
        assert f"sha512-{digest}" == package.integrity
        with tarfile.open(archives[0]) as archive:
            archive.extractall(folder, filter="data")

    return build_once(WORK / package.name, (), make, package.version, package.integrity) / "package"
