"""Archives of functions and layers, equal for equal contents."""

from __future__ import annotations

import hashlib
import os
import subprocess
import zipfile
from collections.abc import Iterator
from pathlib import Path

DATE = (1980, 1, 1, 0, 0, 0)
"""The earliest time that the format can express."""

HASH_LENGTH = 16
"""Hexadecimal digits of SHA-256 in the name of an archive: 64 bits, so that a name never has two contents."""


def write_archive(files: Iterator[tuple[str, Path]], path: Path) -> None:
    """Write a ZIP archive of ``files``, by their names in it: sorted, without times, readable by everyone."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, file in sorted(files):
            entry = zipfile.ZipInfo(name, DATE)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = (0o100755 if os.access(file, os.X_OK) else 0o100644) << 16
            archive.writestr(entry, file.read_bytes(), compresslevel=9)


def list_tree(folder: Path) -> Iterator[tuple[str, Path]]:
    """Yield the files below ``folder``, those behind links included, with their names relative to it."""
    for root, _, names in os.walk(folder, followlinks=True):
        for name in names:
            path = Path(root, name)
            yield path.relative_to(folder).as_posix(), path


def list_tracked(folder: Path) -> Iterator[tuple[str, Path]]:
    """Yield the files of ``folder`` that git knows. Raises CalledProcessError outside a checkout."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=folder, check=True, capture_output=True, text=True)  # noqa: S607
    for name in filter(None, listed.stdout.split("\0")):
        yield name, folder / name


def hash_file(path: Path) -> str:
    """Return the SHA-256 of a file in hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def name_by_content(path: Path, stem: str) -> Path:
    """Rename a file to ``stem``, its hash and its own suffix; return its new path."""
    return path.replace(path.with_name(f"{stem}-{hash_file(path)[:HASH_LENGTH]}{path.suffix}"))
