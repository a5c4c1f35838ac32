"""Read the quantisation tables of cameras and editors out of real files, for the package ``evidence``.

``python -m extensions.evidence.bench.cameras [FOLDER]`` writes ``known_tables.json``. The files are in packages of npm
and Debian; those of exif-samples (CC BY-SA 4.0), which no registry has, are read in FOLDER, and their entries are kept
without it. A file counts as a camera's where size, software and thumbnail are those of the camera.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from bench.build_cache import build_once
from bench.corpus.packages import MATE, PLASMA, unpack
from bench.paths import WORK
from evidence.exif import ExifFacts, read_exif
from evidence.jpeg_header import parse_header
from evidence.quantisation import KNOWN

NPM = {"exif": "0.6.0", "exif-js": "2.3.0", "jpeg-exif": "1.1.4"}
SAMPLES = "exif-samples"


class CameraFile(NamedTuple):
    """A file of ``package``. ``editor`` wrote it, empty for a camera."""

    package: str
    path: str
    editor: str = ""


FILES = (
    CameraFile("npm exif", "package/test/sony-alpha-6000.jpg"),
    CameraFile("npm exif", "package/test/short-ascii-II.jpg"),
    CameraFile("npm exif", "package/test/evil1.jpg", "Adobe Photoshop 7.0"),
    CameraFile("npm exif-js", "package/example/dsc_09827.jpg", "Adobe Photoshop CS3"),
    CameraFile("npm jpeg-exif", "package/test/IMG_0001.JPG"),
    CameraFile("deb mate-backgrounds", "usr/share/backgrounds/mate/nature/Wood.jpg"),
    CameraFile(
        "deb plasma-workspace-wallpapers",
        "usr/share/wallpapers/FallenLeaf/contents/images/2560x1600.jpg",
        "Adobe Photoshop Lightroom 5.7",
    ),
    CameraFile(SAMPLES, "canon-ixus.jpg"),
    CameraFile(SAMPLES, "canon_hdr_YES.jpg"),
    CameraFile(SAMPLES, "photo-9mp.jpg"),
    CameraFile(SAMPLES, "photo-jolla.jpg"),
    CameraFile(SAMPLES, "corrupted.jpg"),  # by an Olympus; damaged behind its header
)


def find_file(file: CameraFile, samples: Path | None) -> Path | None:
    """Return the file, None without a folder of samples. Raises PackageUnavailable, CalledProcessError."""
    kind, _, name = file.package.partition(" ")
    if kind == "npm":
        return fetch_npm(name) / file.path
    if kind == "deb":
        return unpack(next(one for one in (MATE, PLASMA) if one.name == name)) / file.path
    return samples / file.path if samples else None


def fetch_npm(name: str) -> Path:
    """Return the folder with the files of a package of npm. Raises CalledProcessError."""
    version = NPM[name]

    def make(folder: Path) -> None:
        subprocess.run(["npm", "pack", "--silent", f"{name}@{version}"], cwd=folder, check=True, capture_output=True)
        (archive,) = folder.glob("*.tgz")
        with tarfile.open(archive) as opened:
            opened.extractall(folder, filter="data")

    return build_once(WORK / "evidence" / name, [], make, version)


def list_camera_photographs(samples: Path | None = None) -> Iterator[tuple[str, bytes]]:
    """Yield name and bytes of each file that a camera wrote."""
    for file in FILES:
        path = None if file.editor else find_file(file, samples)
        if path is not None:
            yield Path(file.path).name, path.read_bytes()


def main() -> None:
    """Write the file."""
    samples = Path(sys.argv[1]) if len(sys.argv) > 1 else None
    kept = {} if samples else {one["file"]: one for one in json.loads(KNOWN.read_text("utf-8"))}
    entries = []
    for file in FILES:
        path = find_file(file, samples)
        entries.append(kept[file.path] if path is None else describe(file, path.read_bytes()))
    lines = ",\n".join(" " + json.dumps(one) for one in entries)
    KNOWN.write_text(f"[\n{lines}\n]\n", encoding="utf-8")


def describe(file: CameraFile, data: bytes) -> dict[str, object]:
    """Return the entry of ``file``."""
    header = parse_header(data)
    facts = ExifFacts("", file.editor) if file.editor else read_exif(header.exif)
    return {
        "make": facts.make.strip(),
        "model": facts.model.strip(),
        "is_camera": not file.editor,
        "source": file.package,
        "file": file.path,
        "luma": header.luma,
        "chroma": header.chroma,
    }


if __name__ == "__main__":
    main()
