"""Summarise the agreement of two versions by task. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from darkroom.findings import Finding
from darkroom_analysis.mlops.agreement import disagreement
from darkroom_analysis.mlops.rollout_policy import Policy, percentile
from darkroom_analysis.mlops.sample import summarise

AGREE_WITHIN = Policy().max_disagreement
"""Largest disagreement that counts as agreement: that of a canary's policy."""


@dataclass(frozen=True, slots=True)
class Pair:
    """Findings of both about one image by task, and their durations."""

    found: tuple[Mapping[str, Finding], Mapping[str, Finding]]
    took_ms: tuple[float, float]


@dataclass(frozen=True, slots=True)
class Row:
    """One task. ``apart`` has the disagreement (0–1) of each image with comparable findings of both."""

    task: str
    images: int
    apart: Sequence[float]
    both_empty: int
    only_first: int
    only_second: int

    @property
    def agreeing(self) -> float | None:
        """Share of images about which both agree; None without comparable findings."""
        return sum(one <= AGREE_WITHIN for one in self.apart) / len(self.apart) if self.apart else None

    @property
    def mean_apart(self) -> float | None:
        """Mean disagreement; None without comparable findings."""
        return sum(self.apart) / len(self.apart) if self.apart else None


def rows(pairs: Sequence[Pair]) -> list[Row]:
    """Return a row for each task of both, in the first one's order."""
    tasks = dict.fromkeys(task for pair in pairs for task in pair.found[0] if task in pair.found[1])
    return [_row(task, [pair for pair in pairs if all(task in found for found in pair.found)]) for task in tasks]


def agree(found: Iterable[Row], least: float) -> bool:
    """Return whether each comparable task agrees on at least the share ``least``; False if none is comparable."""
    shares = [row.agreeing for row in found if row.agreeing is not None]
    return bool(shares) and min(shares) >= least


def table(found: Sequence[Row], pairs: Sequence[Pair], names: tuple[str, str]) -> Iterator[str]:
    """Format the lines of a report."""
    columns = ("task", "images", "agreeing", "disagreement", "both empty", *(f"only {name}" for name in names))
    cells = [columns, *(_cells(row) for row in found)]
    widths = [max(len(line[column]) for line in cells) for column in range(len(columns))]
    for line in cells:
        first, *others = (cell.rjust(width) for cell, width in zip(line, widths, strict=True))
        yield "  ".join([line[0].ljust(len(first)), *others])
    for place, name in enumerate(names):
        times_ms = [pair.took_ms[place] for pair in pairs]
        yield f"{name}: {percentile(times_ms, 0.5):.0f} ms (median), {percentile(times_ms, 0.95):.0f} ms (95 %)"


def figures(found: Sequence[Row]) -> dict[str, float]:
    """Return the figures to store in the registry."""
    named = {f"agreement-{row.task}": row.agreeing for row in found}
    named |= {f"disagreement-{row.task}": row.mean_apart for row in found}
    return {name: round(value, 4) for name, value in named.items() if value is not None}


def _row(task: str, pairs: Sequence[Pair]) -> Row:
    both = [(pair.found[0][task], pair.found[1][task]) for pair in pairs]
    empty = [(summarise(first).empty, summarise(second).empty) for first, second in both]
    apart = [one for first, second in both if (one := disagreement(first, second)) is not None]
    return Row(
        task, len(both), apart, empty.count((True, True)), empty.count((False, True)), empty.count((True, False))
    )


def _cells(row: Row) -> tuple[str, ...]:
    share = "–" if row.agreeing is None else f"{row.agreeing:.1%}"
    mean = "–" if row.mean_apart is None else f"{row.mean_apart:.3f}"
    return (
        row.task,
        str(row.images),
        share,
        mean,
        str(row.both_empty),
        str(row.only_first),
        str(row.only_second),
    )
