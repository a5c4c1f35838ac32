"""Digest of the sources that are deployed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

WATCHED = ("template.yaml", "stacks", "samconfig.toml", "functions", "layers", "extensions")


def is_source(relative: Path) -> bool:
    """Return whether a path below the repository is a source file: hidden files and bytecode are not."""
    return not any(part.startswith(".") or part == "__pycache__" for part in relative.parts)


def files(root: Path) -> Iterator[Path]:
    """Yield every source file, in order."""
    for name in WATCHED:
        top = root / name
        found = [top] if top.is_file() else sorted(top.rglob("*"))
        yield from (path for path in found if path.is_file() and is_source(path.relative_to(root)))


def digest(root: Path, *also: str) -> str:
    """Return a digest that changes when a source file or one of ``also`` does."""
    total = hashlib.sha256("\n".join(also).encode())
    for path in files(root):
        total.update(f"\n{path.relative_to(root)}\n".encode())
        total.update(hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()
