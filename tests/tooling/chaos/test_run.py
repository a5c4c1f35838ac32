"""A short storm over the real functions. `make chaos` is the long one."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from chaos.report import report
from chaos.run import Settings, run

pytestmark = pytest.mark.slow

ENOUGH_MINUTES = 1.5
"""The storm ends with its work. At 0.6 a busy machine left most of that to the calm, in which nothing fails."""


def test_after_a_storm_nothing_is_lost_torn_or_left_over(tmp_path: Path) -> None:
    findings = asyncio.run(run(Settings(seed=20, uploads=40, minutes=ENOUGH_MINUTES), tmp_path, lambda _: None))
    printed = report(findings)
    assert findings.violations == [], printed
    assert sum(findings.injected.values()) >= 50, printed
    assert sum(findings.deaths.values()) >= 10, printed
    assert len(findings.case.evidence.announced) >= len(findings.case.expected) // 2, printed
    assert "python -m chaos --seed 20 --uploads 40" in printed
