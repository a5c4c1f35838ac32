"""Build folders once, and again when their sources change."""

from __future__ import annotations

import fcntl
import hashlib
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path

STAMP = ".made-from"


def build_once(folder: Path, sources: Iterable[Path], make: Callable[[Path], None], *facts: str) -> Path:
    """Return ``folder``, filled by ``make`` unless it was made from the same files and ``facts``.

    A lock file beside it makes other processes wait.
    """
    expected = hash_sources(sources, *facts)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with folder.with_name(f".{folder.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if read_stamp(folder) != expected:
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            make(folder)
            (folder / STAMP).write_text(expected, encoding="ascii")
    return folder


def read_stamp(folder: Path) -> str:
    """Return what ``folder`` was made from, "" if it was not made by :func:`build_once`."""
    stamp = folder / STAMP
    return stamp.read_text(encoding="ascii") if stamp.exists() else ""


def hash_sources(sources: Iterable[Path], *facts: str) -> str:
    """Return a hash over ``facts`` and over names and bytes of all files in ``sources``."""
    found = hashlib.sha256(repr(facts).encode())
    for source in sources:
        files = [source] if source.is_file() else sorted(path for path in source.rglob("*") if _counts(path))
        for file in files:
            found.update(f"{file.relative_to(source.parent)}\0{file.stat().st_size}\0".encode())
            found.update(file.read_bytes())
    return found.hexdigest()


def _counts(path: Path) -> bool:
    return path.is_file() and "__pycache__" not in path.parts
