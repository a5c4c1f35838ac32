"""Format results: a table for terminals, a JSON document for programs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..terminal import Line, Style
from .model import Outcome, Result

MARKS = {
    Outcome.PASSED: ("ok  ", Style.GOOD),
    Outcome.FAILED: ("FAIL", Style.PROBLEM),
    Outcome.SKIPPED: ("skip", Style.PLAIN),
}

INTERRUPTED = 130
"""The exit status of a command that SIGINT ended (POSIX shells)."""


@dataclass
class Report:
    """Results by group, and objects that could not be removed."""

    stack: str
    region: str
    folder: str
    started_at: str
    results: list[tuple[str, Result]] = field(default_factory=list)
    left: Sequence[str] = ()
    is_interrupted: bool = False

    @property
    def status(self) -> int:
        """The exit status: 0 if no check failed and nothing is left."""
        if self.is_interrupted:
            return INTERRUPTED
        return int(bool(self.left) or any(result.outcome is Outcome.FAILED for _, result in self.results))

    def lines(self) -> Iterator[str]:
        """Format a line for each check, one more for a failed one, and the sums."""
        width = max((len(result.check.name) for _, result in self.results), default=0)
        group = ""
        for name, result in self.results:
            if name != group:
                group = name
                yield Line((group, Style.HEADING))
            took = f"{result.took_s:7.1f} s"
            yield Line("  ", MARKS[result.outcome], f"  {result.check.name:<{width}}  {took}  {result.detail}")
            indent = " " * (width + 10)
            if result.outcome is Outcome.FAILED:
                yield f"{indent}check: {result.check.look_at}"
            elif result.outcome is Outcome.PASSED:
                yield f"{indent}proves: {result.check.proves}"
        counts = [sum(result.outcome is outcome for _, result in self.results) for outcome in Outcome]
        yield ", ".join(f"{count} {outcome}" for count, outcome in zip(counts, Outcome, strict=True))
        yield from (Line((f"not removed: {one}", Style.PROBLEM)) for one in self.left)

    def document(self) -> dict[str, Any]:
        """Return the report as a JSON document."""
        return {
            "stack": self.stack,
            "region": self.region,
            "folder": self.folder,
            "started_at": self.started_at,
            "interrupted": self.is_interrupted,
            "checks": [
                {
                    "name": result.check.name,
                    "group": group,
                    "proves": result.check.proves,
                    "look_at": result.check.look_at,
                    "outcome": result.outcome.value,
                    "detail": result.detail,
                    "took_s": round(result.took_s, 1),
                }
                for group, result in self.results
            ],
            "not_removed": list(self.left),
        }
