"""What was found, for a terminal and for docs/performance.md."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from .cases import Case
from .tables import Table
from .trial import Result

HEADINGS = ("", "cold ms", "ratio", "warm ms", "ratio", "CPU ms", "peak MB", "bytes", "SSIM")


@dataclass(frozen=True, slots=True)
class Findings:
    """All results. ``ssim`` is by case and contender's name; ratios are to the contender ``baseline``."""

    results: Mapping[Case, Sequence[Result]]
    ssim: Mapping[tuple[Case, str], float]
    baseline: str
    conditions: Sequence[str]
    missing: Sequence[str]


def rows(findings: Findings, case: Case) -> list[tuple[str, ...]]:
    """The table of a case, without its headings: times are median (least–greatest)."""
    results = findings.results[case]
    base = next(result for result in results if result.contender.name == findings.baseline)
    return [
        (
            result.contender.name,
            str(result.cold_ms),
            f"{result.cold_ms.ratio_to(base.cold_ms):.2f}",
            str(result.warm_ms),
            f"{result.warm_ms.ratio_to(base.warm_ms):.2f}",
            f"{result.cpu_ms:.0f}",
            f"{result.peak_rss_mb:.0f}",
            f"{len(result.body):,}",
            f"{findings.ssim[case, result.contender.name]:.3f}",
        )
        for result in results
    ]


def stage_lines(findings: Findings, case: Case) -> list[str]:
    """For each contender that answers with Server-Timing, where its warm requests spend their time."""
    return [
        f"{result.contender.name} warm, by its own Server-Timing, ms: "
        + ", ".join(f"{name} {spent:.0f}" for name, spent in result.stages_ms.items())
        for result in findings.results[case]
        if result.stages_ms
    ]


def tables(findings: Findings) -> list[Table]:
    """A table for each case."""
    return [Table(case.title, HEADINGS, rows(findings, case), stage_lines(findings, case)) for case in findings.results]


def for_page(findings: Findings) -> str:
    """The part of docs/performance.md between the markers."""
    parts = [table.markdown() for table in tables(findings)]
    contenders = next(iter(findings.results.values()))
    parts.append("\n".join(f"- **{result.contender.name}**: {result.contender.what}." for result in contenders))
    parts.append("\n".join(f"- {line}" for line in findings.conditions))
    return "\n\n".join(parts)
