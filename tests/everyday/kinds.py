"""The rows of the matrix: kinds of images, read from tests/cases/everyday.toml."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path

from .drawings import draw

ROOT = Path(__file__).parents[2]
TABLE = ROOT / "tests" / "cases" / "everyday.toml"
SHARED = ROOT.parent / "shared"


@dataclass(frozen=True)
class Exceptional:
    """What a cell has instead of the default rule, and why.

    ``status`` and ``code`` of the answer; or another ``tolerance``; or ``defect``: the default rule must fail, so that
    a fix removes the entry.
    """

    reason: str
    status: int = 0
    code: str = ""
    tolerance: float = 0.0
    defect: bool = False


@dataclass(frozen=True)
class Kind:
    """A row. ``source`` is a drawing, or a file; ``reference`` another one that shows what it must look like.

    ``size`` where no decoder here reads it. ``refused``: the code with which it is. ``frames`` of an animation;
    ``converted``: only ingest reads the format; ``tolerance``: mean difference from the reference, in steps of 255;
    ``faces``: how many a detector finds at least; ``rights``: what the file of a derivative with rights contains;
    ``issuer`` of its Content Credentials, which a signed derivative keeps; ``private``: what no derivative contains;
    ``flagged``: moderation holds it.
    """

    name: str
    source: str
    reference: str = ""
    size: tuple[int, int] | None = None
    refused: str = ""
    frames: int = 1
    converted: bool = False
    tolerance: float = 4.0
    faces: int = 0
    rights: str = ""
    issuer: str = ""
    private: str = ""
    flagged: bool = False
    exceptions: Mapping[str, Exceptional] = field(default_factory=dict, compare=False)

    @property
    def is_there(self) -> bool:
        """Whether the file is on this machine; files of other projects are not in the repository."""
        path = _path(self.source)
        return path is None or path.exists()

    @property
    def body(self) -> bytes:
        return read_source(self.source)

    @property
    def file_name(self) -> str:
        """The end of its key."""
        path = _path(self.source)
        return path.name if path else self.source.replace(" ", "-")

    def find_exception(self, feature: str) -> Exceptional | None:
        """Return the exception of a cell."""
        found = (one for pattern, one in self.exceptions.items() if fnmatchcase(feature, pattern))
        return next(found, None)


def _path(source: str) -> Path | None:
    if source.startswith("shared/"):
        return SHARED.parent / source
    return ROOT / source if source.startswith("tests/") else None


def read_source(source: str) -> bytes:
    """Return the bytes of a drawing or a file."""
    path = _path(source)
    return path.read_bytes() if path else draw(source)


@cache
def load_kinds() -> tuple[Kind, ...]:
    """Return all rows, those of absent files too."""
    document = tomllib.loads(TABLE.read_text(encoding="utf-8"))
    return tuple(_parse(name, dict(row)) for name, row in document["kinds"].items())


def _parse(name: str, row: dict[str, object]) -> Kind:
    exceptions = row.pop("except", {})
    assert isinstance(exceptions, dict)
    source = str(row.pop("source", name))
    if size := row.pop("size", None):
        row["size"] = tuple(size)  # type: ignore[arg-type]
    return Kind(name, source, exceptions={at: Exceptional(**one) for at, one in exceptions.items()}, **row)  # type: ignore[arg-type]


def present_kinds() -> list[Kind]:
    """Return the rows whose file is on this machine."""
    return [kind for kind in load_kinds() if kind.is_there]
