"""What was found of requests, as tables, figures, and a file that others price."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from .cases import Case
from .equal_quality import TOLERANCE
from .goals import Figure
from .measure import Result
from .paths import WORK
from .statistics import Spread
from .tables import Table

ALLOWANCE = 0.02
"""More bytes that Darkroom's picture may have than a peer's of the same score."""

COLD = ("cold ms", "ratio")
HEADINGS = ("", *COLD, "warm ms", "ratio", "CPU ms", "peak MB", "quality", "SSIMULACRA2", "bytes", "at equal score")
MEASURED = WORK / "requests.json"
"""The last figures of every contender by case, for whoever prices them: see :func:`keep`."""


@dataclass(frozen=True, slots=True)
class Findings:
    """All results. ``scores`` are by case and contender's name; ratios are to the contender ``baseline``."""

    results: Mapping[Case, Sequence[Result]]
    scores: Mapping[tuple[Case, str], float]
    baseline: str
    conditions: Sequence[str]
    missing: Sequence[str]

    def result(self, case: Case, name: str) -> Result | None:
        """Of the contender ``name``, if it was measured."""
        return next((result for result in self.results[case] if result.contender.name == name), None)


def format_rows(findings: Findings, case: Case) -> list[tuple[str, ...]]:
    """The table of a case, without its headings: times are median (least–greatest)."""
    base = findings.result(case, findings.baseline)
    return [
        (
            result.contender.name,
            str(result.cold_ms or "–"),
            _ratio(result.cold_ms, base.cold_ms if base else None),
            str(result.warm_ms),
            _ratio(result.warm_ms, base.warm_ms if base else None),
            f"{result.cpu_ms:.0f}",
            f"{result.peak_rss_mb:.0f}",
            f"{result.quality}",
            f"{findings.scores[case, result.contender.name]:.1f}",
            f"{len(result.body):,}",
            f"{result.equal_bytes or len(result.body):,}",
        )
        for result in findings.results[case]
    ]


def format_stages(findings: Findings, case: Case) -> list[str]:
    """For each contender that answers with Server-Timing, where its warm requests spend their time."""
    return [
        f"{result.contender.name} warm, by its own Server-Timing, ms: "
        + ", ".join(f"{name} {spent:.0f}" for name, spent in result.stages_ms.items())
        for result in findings.results[case]
        if result.stages_ms
    ]


def format_tables(findings: Findings) -> list[Table]:
    """A table for each case."""
    return [_table(findings, case) for case in findings.results]


def format_page(findings: Findings) -> str:
    """The tables, who is who, and what the numbers hold for."""
    contenders = {
        result.contender.name: result.contender for results in findings.results.values() for result in results
    }
    return "\n\n".join(
        [
            *(f"{table.markdown()}" for table in format_tables(findings)),
            "\n".join(f"- **{one.name}**: {one.what}." for one in contenders.values()),
            "\n".join(f"- {line}" for line in findings.conditions),
        ]
    )


@dataclass(frozen=True, slots=True)
class Compared:
    """Two results of a case, and what may be said of them: bytes ``allowance`` above the peer's at an equal score.

    ``over_many`` is the ratio of bytes over many photographs, by which equality is judged where it is known: one
    photograph says nothing of others.
    """

    ours: Result
    theirs: Result
    scores: tuple[float, float]
    allowance: float = ALLOWANCE
    over_many: float | None = None

    @property
    def bytes_ratio(self) -> float:
        """Our bytes to theirs, had they exactly our score."""
        return self.over_many or len(self.ours.body) / (self.theirs.equal_bytes or len(self.theirs.body))

    @property
    def objection(self) -> str:
        """Why the two cannot be compared, "" if they can."""
        ours, theirs = self.scores
        if theirs - ours > TOLERANCE:
            return f"not at equal quality: SSIMULACRA2 {ours:.1f} to {theirs:.1f}"
        return check_bytes(self.bytes_ratio, self.allowance)

    def warm(self, goal: str, floor_ms: float | None = None, why: str = "") -> Figure:
        """The ratio of warm requests. ``floor_ms`` is what ours would take at least."""
        return self._figure(goal, self.ours.warm_ms, self.theirs.warm_ms, floor_ms, why)

    def cold(self, goal: str, floor_ms: float | None = None, why: str = "") -> Figure | None:
        """The ratio of cold starts, if both were started."""
        if self.ours.cold_ms is None or self.theirs.cold_ms is None:
            return None
        return self._figure(goal, self.ours.cold_ms, self.theirs.cold_ms, floor_ms, why)

    def peak(self, goal: str) -> Figure:
        """The ratio of peak memories."""
        ratio = self.ours.peak_rss_mb / self.theirs.peak_rss_mb
        return Figure(goal, ratio, ratio, ratio)

    def _figure(self, goal: str, ours: Spread, theirs: Spread, floor_ms: float | None, why: str) -> Figure:
        ratios = [one / other for one, other in zip(ours.values, theirs.values, strict=True)]
        floor = floor_ms / theirs.middle if floor_ms is not None else None
        reason, unequal = self.objection or why, bool(self.objection)
        return Figure(goal, ours.ratio_to(theirs), min(ratios), max(ratios), floor, reason, unequal)


def check_bytes(ratio: float, allowance: float) -> str:
    """That there are too many bytes, at a ratio of ours to theirs; "" if not."""
    if ratio <= 1 + allowance:
        return ""
    return f"{ratio - 1:.1%} more bytes at an equal score, where {allowance:.0%} are allowed"


def select_results(
    findings: Findings,
    case: Case,
    ours: str,
    theirs: str,
    allowance: float = ALLOWANCE,
    over_many: float | None = None,
) -> Compared | None:
    """The results of the contenders ``ours`` and ``theirs``, if both were measured."""
    one, other = findings.result(case, ours), findings.result(case, theirs)
    if one is None or other is None:
        return None
    return Compared(one, other, (findings.scores[case, ours], findings.scores[case, theirs]), allowance, over_many)


def write_measured(findings: Findings) -> None:
    """Write :data:`MEASURED`: by case's title and contender's name, the medians in ms, bytes, score and MB."""
    found = {
        case.title: {
            result.contender.name: {
                "cold_ms": result.cold_ms.median if result.cold_ms else None,
                "warm_ms": result.warm_ms.median,
                "cpu_ms": result.cpu_ms,
                "peak_mb": result.peak_rss_mb,
                "picture_bytes": len(result.body),
                "score": findings.scores[case, result.contender.name],
                "stores": result.contender.stores,
            }
            for result in results
        }
        for case, results in findings.results.items()
    }
    MEASURED.parent.mkdir(parents=True, exist_ok=True)
    MEASURED.write_text(json.dumps(found, indent=1), encoding="utf-8")


def _table(findings: Findings, case: Case) -> Table:
    """Without the columns of cold starts where none was made."""
    lines = [HEADINGS, *format_rows(findings, case)]
    if not any(result.cold_ms for result in findings.results[case]):
        lines = [(line[0], *line[1 + len(COLD) :]) for line in lines]
    return Table(case.title, lines[0], lines[1:], format_stages(findings, case))


def _ratio(ours: Spread | None, base: Spread | None) -> str:
    return f"{ours.ratio_to(base):.2f}" if ours and base else "–"
