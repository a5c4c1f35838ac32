"""List the files that a competitor's start may read: its code with layers, and the runtime."""

from __future__ import annotations

import os
import sysconfig
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from ..competitors.model import Competitor
from ..emulator import install_interpreter

type Files = frozenset[Path]


@dataclass(frozen=True, slots=True)
class Reach:
    """Files that a competitor may read. ``code`` is deployed with the function, ``runtime`` is Lambda's."""

    code: Files
    runtime: Files

    @property
    def all(self) -> Files:
        """All of them."""
        return self.code | self.runtime


def list_reach(competitor: Competitor, mapped: Iterable[Path]) -> Reach:
    """List the files of ``competitor``. ``mapped`` are those that its warm process has mapped."""
    layers = [Path(entry) for entry in competitor.environment.get("PYTHONPATH", "").split(":") if entry]
    code = list_files([competitor.folder, *layers])
    below = [Path(sysconfig.get_path("stdlib")), install_interpreter().parent.parent]
    runtime = list_files(below if competitor.command[0] == install_interpreter() else [])
    return Reach(code, (runtime | {path.resolve() for path in mapped}) - code)


def list_files(roots: Iterable[Path]) -> Files:
    """List all files of folders, without links."""
    walks = (walk for root in roots for walk in os.walk(root.resolve()))
    found = (Path(folder, name) for folder, _, names in walks for name in names)
    return frozenset(path for path in found if path.is_file() and not path.is_symlink())
