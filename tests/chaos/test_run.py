"""A short storm over the real functions. `make chaos` is the long one."""

from __future__ import annotations

import asyncio
from pathlib import Path

from chaos.report import report
from chaos.run import Settings, run

FEWEST_FAULTS, FEWEST_DEATHS = 20, 5
"""Faults come by requests and deaths by calls: a busy machine saw 36 and 12, an idle one sees twice as many."""


def test_after_a_storm_nothing_is_lost_torn_or_left_over(tmp_path: Path) -> None:
    findings = asyncio.run(run(Settings(seed=20, uploads=40, minutes=0.6), tmp_path, lambda _: None))
    printed = report(findings)
    assert findings.violations == [], printed
    assert sum(findings.injected.values()) >= FEWEST_FAULTS, printed
    assert sum(findings.deaths.values()) >= FEWEST_DEATHS, printed
    assert len(findings.case.evidence.announced) >= len(findings.case.expected) // 2, printed
    assert "python -m chaos --seed 20 --uploads 40" in printed
