"""A pytest plugin that counts what tests send and store, and reports the sums at the end of the run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

PREFIX = "tally:"
"""Begins the names of the properties that reports carry the counts in, from a worker of pytest-xdist too."""


class Tally:
    """Counts of one test by name: ``requests``, ``objects``, ``files`` and the like."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()

    def add(self, name: str, count: int = 1) -> None:
        """Add ``count`` to the counter ``name``, a plural noun."""
        self._counts[name] += count

    def items(self) -> list[tuple[str, int]]:
        """Return the names and their counts."""
        return sorted(self._counts.items())


@pytest.fixture
def tally(record_property: Any) -> Iterator[Tally]:
    """The counts of this test. They are logged after the run, also if the test fails."""
    counts = Tally()
    yield counts
    for name, count in counts.items():
        record_property(PREFIX + name, count)


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Print the counts of each test that has any, and their sums."""
    reports = [report for found in terminalreporter.stats.values() for report in found if hasattr(report, "nodeid")]
    rows: dict[str, Counter[str]] = {}
    for report in reports:
        if getattr(report, "when", "") == "teardown" or getattr(report, "outcome", "") == "failed":
            counts = {name: count for name, count in getattr(report, "user_properties", ()) if name.startswith(PREFIX)}
            if counts:
                rows[report.nodeid] = Counter({name.removeprefix(PREFIX): count for name, count in counts.items()})
    if not rows:
        return
    terminalreporter.section("counted")
    for test, counts in sorted(rows.items()):
        terminalreporter.write_line(f"{test}: {_text(counts)}")
    terminalreporter.write_line(f"in all: {_text(sum(rows.values(), Counter()))}")


def _text(counts: Counter[str]) -> str:
    return ", ".join(f"{count:,} {name}" for name, count in sorted(counts.items()))
