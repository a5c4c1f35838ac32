"""The sources of what is deployed: have they changed?"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

WATCHED = ("template.yaml", "stacks", "samconfig.toml", "functions", "layers")

type Snapshot = dict[Path, tuple[int, int]]


def files(root: Path) -> Iterator[Path]:
    """Every source file, in order. Hidden files and bytecode are none."""
    for name in WATCHED:
        top = root / name
        found = [top] if top.is_file() else sorted(top.rglob("*"))
        for path in found:
            relative = path.relative_to(root).parts
            if path.is_file() and not any(part.startswith(".") or part == "__pycache__" for part in relative):
                yield path


def digest(root: Path, *also: str) -> str:
    """A text that changes when a source file or one of ``also`` does."""
    total = hashlib.sha256("\n".join(also).encode())
    for path in files(root):
        total.update(f"\n{path.relative_to(root)}\n".encode())
        total.update(hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()


def snapshot(root: Path) -> Snapshot:
    """Time and size of every source file."""
    taken: Snapshot = {}
    for path in files(root):
        try:
            status = path.stat()
        except FileNotFoundError:
            continue
        taken[path] = (status.st_mtime_ns, status.st_size)
    return taken


def list_changed(before: Snapshot, after: Snapshot) -> list[Path]:
    """Files that were added, changed or removed in between."""
    return sorted(path for path in before.keys() | after.keys() if before.get(path) != after.get(path))
