"""Format the results of requests as tables and figures, and store them for prices."""

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
"""Allowed share of additional bytes of Darkroom's image at the same score."""

COLD = ("cold ms", "ratio")
HEADINGS = (
    "",
    *COLD,
    "warm ms",
    "ratio",
    "billed ms",
    "CPU ms",
    "peak MB",
    "quality",
    "SSIMULACRA2",
    "bytes",
    "at equal score",
)
MEASURED = WORK / "requests.json"
"""Last figures of every competitor by case, for prices: see :func:`write_measured`."""


@dataclass(frozen=True, slots=True)
class Findings:
    """All results. ``scores`` are by case and competitor; ratios are to the competitor ``baseline``."""

    results: Mapping[Case, Sequence[Result]]
    scores: Mapping[tuple[Case, str], float]
    baseline: str
    conditions: Sequence[str]
    missing: Sequence[str]

    def result(self, case: Case, name: str) -> Result | None:
        """Return the result of the competitor ``name``, if it was measured."""
        return next((result for result in self.results[case] if result.competitor.name == name), None)


def format_rows(findings: Findings, case: Case) -> list[tuple[str, ...]]:
    """Return the rows of a case: times are median (least–greatest)."""
    base = findings.result(case, findings.baseline)
    return [
        (
            result.competitor.name,
            str(result.cold_ms or "–"),
            _ratio(result.cold_ms, base.cold_ms if base else None),
            str(result.warm_ms),
            _ratio(result.warm_ms, base.warm_ms if base else None),
            f"{result.billed_ms:.0f}",
            f"{result.cpu_ms:.0f}",
            f"{result.peak_rss_mb:.0f}",
            f"{result.quality}",
            f"{findings.scores[case, result.competitor.name]:.1f}",
            f"{len(result.body):,}",
            f"{result.equal_bytes or len(result.body):,}",
        )
        for result in findings.results[case]
    ]


def format_stages(findings: Findings, case: Case) -> list[str]:
    """Format the stages of warm requests for each competitor that sends Server-Timing."""
    return [
        f"{result.competitor.name} warm, by its Server-Timing, ms: "
        + ", ".join(f"{name} {spent:.0f}" for name, spent in result.stages_ms.items())
        for result in findings.results[case]
        if result.stages_ms
    ]


def format_page(findings: Findings) -> str:
    """Format tables, competitors and conditions."""
    competitors = {
        result.competitor.name: result.competitor for results in findings.results.values() for result in results
    }
    return "\n\n".join(
        [
            *(format_table(findings, case).markdown() for case in findings.results),
            "\n".join(f"- **{one.name}**: {one.what}." for one in competitors.values()),
            "\n".join(f"- {line}" for line in findings.conditions),
        ]
    )


@dataclass(frozen=True, slots=True)
class Compared:
    """Two results of a case, comparable with at most ``allowance`` more bytes than the peer at equal score.

    ``over_many`` is the ratio of bytes over many photographs, used for this comparison if known: one photograph is not
    representative.
    """

    ours: Result
    theirs: Result
    scores: tuple[float, float]
    allowance: float = ALLOWANCE
    over_many: float | None = None

    @property
    def bytes_ratio(self) -> float:
        """Ratio of Darkroom's bytes to the peer's at exactly Darkroom's score."""
        return self.over_many or len(self.ours.body) / (self.theirs.equal_bytes or len(self.theirs.body))

    @property
    def objection(self) -> str:
        """The reason why the two are not comparable, "" if they are."""
        ours, theirs = self.scores
        if theirs - ours > TOLERANCE:
            return f"unequal quality: SSIMULACRA2 {ours:.1f} to {theirs:.1f}"
        return check_bytes(self.bytes_ratio, self.allowance)

    def warm(self, goal: str, floor_ms: float | None = None, why: str = "") -> Figure:
        """Return the ratio of warm requests. ``floor_ms`` is Darkroom's lower bound."""
        return self._figure(goal, self.ours.warm_ms, self.theirs.warm_ms, floor_ms, why)

    def cold(self, goal: str, floor_ms: float | None = None, why: str = "") -> Figure | None:
        """Return the ratio of cold starts, if both were measured."""
        if self.ours.cold_ms is None or self.theirs.cold_ms is None:
            return None
        return self._figure(goal, self.ours.cold_ms, self.theirs.cold_ms, floor_ms, why)

    def peak(self, goal: str) -> Figure:
        """Return the ratio of peak memories."""
        ratio = self.ours.peak_rss_mb / self.theirs.peak_rss_mb
        return Figure(goal, ratio, ratio, ratio)

    def cpu(self, goal: str, floor_ms: float) -> Figure:
        """Return Darkroom's CPU time of a warm request. ``floor_ms`` is that of decode and encode alone."""
        return Figure(goal, self.ours.cpu_ms, self.ours.cpu_ms, self.ours.cpu_ms, floor_ms)

    def _figure(self, goal: str, ours: Spread, theirs: Spread, floor_ms: float | None, why: str) -> Figure:
        ratios = [one / other for one, other in zip(ours.values, theirs.values, strict=True)]
        floor = floor_ms / theirs.middle if floor_ms is not None else None
        reason, unequal = self.objection or why, bool(self.objection)
        return Figure(goal, ours.ratio_to(theirs), min(ratios), max(ratios), floor, reason, unequal)


def check_bytes(ratio: float, allowance: float) -> str:
    """Return an objection if the ratio of bytes exceeds the allowance, otherwise ""."""
    if ratio <= 1 + allowance:
        return ""
    return f"{ratio - 1:.1%} more bytes at equal score; allowed: {allowance:.0%}"


def select_results(
    findings: Findings,
    case: Case,
    ours: str,
    theirs: str,
    allowance: float = ALLOWANCE,
    over_many: float | None = None,
) -> Compared | None:
    """Return the results of ``ours`` and ``theirs``, if both were measured."""
    one, other = findings.result(case, ours), findings.result(case, theirs)
    if one is None or other is None:
        return None
    return Compared(one, other, (findings.scores[case, ours], findings.scores[case, theirs]), allowance, over_many)


def write_measured(findings: Findings) -> None:
    """Write :data:`MEASURED`: medians in ms, bytes and MB by case title and competitor."""
    found = {
        case.title: {
            result.competitor.name: {
                "cold_ms": result.cold_ms.median if result.cold_ms else None,
                "warm_ms": result.warm_ms.median,
                "billed_ms": result.billed_ms,
                "cpu_ms": result.cpu_ms,
                "peak_mb": result.peak_rss_mb,
                "image_bytes": len(result.body),
            }
            for result in results
        }
        for case, results in findings.results.items()
    }
    MEASURED.parent.mkdir(parents=True, exist_ok=True)
    MEASURED.write_text(json.dumps(found, indent=1), encoding="utf-8")


def format_table(findings: Findings, case: Case) -> Table:
    """Build the table, without the columns of cold starts if there are none."""
    lines = [HEADINGS, *format_rows(findings, case)]
    if not any(result.cold_ms for result in findings.results[case]):
        lines = [(line[0], *line[1 + len(COLD) :]) for line in lines]
    return Table(case.title, lines[0], lines[1:], format_stages(findings, case))


def _ratio(ours: Spread | None, base: Spread | None) -> str:
    return f"{ours.ratio_to(base):.2f}" if ours and base else "–"
