"""Download and unpack packages of Debian with apt, without root and without installing."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from ..build_cache import build_once
from ..paths import WORK


class PackageUnavailable(Exception):
    """A package is not available on this machine; the message names the reason."""


@dataclass(frozen=True, slots=True)
class Package:
    """A version of a Debian 13 package; ``digest`` is the SHA-256 of its ``.deb``."""

    name: str
    version: str
    digest: str


LOMIRI_16 = Package(
    "lomiri-wallpapers-16.04", "20.04.0-4", "f74676719f9d0128e5310e65ef97d596bcece8b6a43524ab8949ee1be0a4f18c"
)
BUDGIE = Package("budgie-backgrounds", "3.0-1", "b91c2d5209558bc11d8d3a161f22a608857e3f8c735980cfab0d6650b03014ca")
MATE = Package("mate-backgrounds", "1.26.0-1", "7bf4c2209f34b4f61ba6d24c8b58c28b361e82e4b943aae6d42c030169af9e04")
PLASMA = Package(
    "plasma-workspace-wallpapers", "4:6.3.4-1", "b521d36486817f7a44c26faf247b9528138cc1ea1e8b154442a757c7e31faa2c"
)
WIRESHARK = Package(
    "wireshark-doc", "4.4.19-0+deb13u1", "2a8d8b3a4dff1823477a69878d77ab836da096f41869eb32676bbf281e4adc38"
)
MAXIMA = Package("maxima-doc", "5.47.0-7", "f495fdefd2a849c074d563a7c81dbcaba1ac317ff50423661a462666ffff1e46")


def unpack(package: Package) -> Path:
    """Return the folder with the files of ``package``. Raises PackageUnavailable."""
    if not shutil.which("apt-get") or not shutil.which("dpkg-deb"):
        raise PackageUnavailable(f"{package.name} is a package of Debian, and this machine has no apt")

    def make(folder: Path) -> None:
        _run(folder, "apt-get", "-q", "download", f"{package.name}={package.version}")
        (archive,) = folder.glob("*.deb")
        if hashlib.sha256(archive.read_bytes()).hexdigest() != package.digest:
            raise PackageUnavailable(f"{package.name} {package.version} is not the one that was measured")
        _run(folder, "dpkg-deb", "--extract", archive.name, "files")
        archive.unlink()

    return build_once(WORK / "corpus" / package.name, [], make, package.version, package.digest) / "files"


def _run(folder: Path, *command: str) -> None:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        raise PackageUnavailable(f"{' '.join(command)}: {done.stderr.strip().splitlines()[-1]}")
