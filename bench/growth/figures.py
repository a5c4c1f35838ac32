"""Store the measurements that the simulation and the models use, so that both can be repeated without measuring."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

FIGURES = Path(__file__).with_name("figures.json")


class MissingFigures(Exception):
    """A suite that others depend on has not been measured."""


@dataclass(frozen=True, slots=True)
class MissFigure:
    """Misses of one output of photographs of ``megapixels``.

    ``samples_ms`` has a time for each photograph. ``kind`` is how ingest makes their masters. ``rounds`` are
    consecutive requests to S3 until the response, ``billed_rounds`` all, with those after it. ``peak_mb`` are 10⁶ bytes
    of resident memory. ``mezzanine``: they were rendered from a mezzanine.
    """

    megapixels: int
    output: str
    kind: str
    mezzanine: bool
    rounds: int
    billed_rounds: int
    samples_ms: Sequence[float]
    cpu_ms: float
    peak_mb: float
    image_bytes: int
    master_bytes: int

    @property
    def ms(self) -> float:
        """The median time."""
        return median(self.samples_ms)


@dataclass(frozen=True, slots=True)
class MissFigures:
    """All misses, and the conditions in which they were measured.

    ``start_cpu_ms``: CPU time of a process until it has answered its first request, for the smallest photograph.
    """

    conditions: str
    misses: Sequence[MissFigure]
    start_cpu_ms: float

    @property
    def as_deployed(self) -> Sequence[MissFigure]:
        """The figure of each case, from a mezzanine if that is used."""
        cases = sorted({(one.megapixels, one.output) for one in self.misses})
        return [self.find(*case, mezzanines=True) for case in cases]

    def find(self, megapixels: int, output: str, *, mezzanines: bool = False) -> MissFigure:
        """Return the figure of a case, from a mezzanine if that is used. Raises KeyError."""
        alike = [one for one in self.misses if (one.megapixels, one.output) == (megapixels, output)]
        found = {one.mezzanine: one for one in alike}
        if not found:
            raise KeyError(f"{megapixels} MP as {output}")
        return found[mezzanines and True in found]


@dataclass(frozen=True, slots=True)
class DrainFigure:
    """A measured drain of ``uploads`` by ``workers``; ``cpu_ms`` is the workers' CPU time for an upload."""

    workers: int
    uploads: int
    elapsed_s: float
    cpu_ms: float


@dataclass(frozen=True, slots=True)
class DrainFigures:
    """All drains, and the conditions in which they were measured.

    ``reencode_ms`` are CPU times of the background re-encoding by output.
    """

    conditions: str
    megapixels: int
    upload_bytes: int
    drains: Sequence[DrainFigure]
    reencode_ms: Mapping[str, float]

    @property
    def cpu_ms(self) -> float:
        """CPU time of an upload: the median of all drains."""
        return median(one.cpu_ms for one in self.drains)


def read_misses(path: Path = FIGURES) -> MissFigures:
    """Read the misses. Raises MissingFigures."""
    found = _read(path, "misses")
    return MissFigures(found["conditions"], [MissFigure(**one) for one in found["misses"]], found["start_cpu_ms"])


def read_drains(path: Path = FIGURES) -> DrainFigures:
    """Read the drains. Raises MissingFigures."""
    found = _read(path, "drains")
    drains = [DrainFigure(**one) for one in found["drains"]]
    return DrainFigures(found["conditions"], found["megapixels"], found["upload_bytes"], drains, found["reencode_ms"])


def write_figures(part: str, figures: MissFigures | DrainFigures, path: Path = FIGURES) -> None:
    """Replace the figures of ``part``: ``misses`` or ``drains``."""
    stored = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    stored[part] = asdict(figures)
    path.write_text(json.dumps(stored, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def _read(path: Path, part: str) -> Mapping[str, Any]:
    try:
        found: Mapping[str, Any] = json.loads(path.read_text(encoding="utf-8"))[part]
    except (FileNotFoundError, KeyError) as error:
        raise MissingFigures(f"run `python -m bench growth-{part}` first") from error
    return found
