"""A short storm over the real functions. `make chaos` is the long one."""

from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path

import pytest

from chaos.faults import Fault
from chaos.report import report
from chaos.run import RATES, Settings, run
from chaos.script import write_script

pytestmark = pytest.mark.slow

SEED, UPLOADS = 20, 40
LEAST_SHARE = 0.05
"""Of faults among the requests: a little less than the rate of each service. Grudges come on top."""

ACTS_PER_DEATH = 10
"""Lives end after a few uploads, counted in lines, and after a number of requests."""


def test_after_a_storm_nothing_is_lost_torn_or_left_over(tmp_path: Path) -> None:
    """Assert on shares and kinds: how many requests a storm takes depends on the machine."""
    findings = asyncio.run(run(Settings(SEED, UPLOADS), tmp_path, lambda _: None))
    printed = report(findings)
    assert findings.violations == [], printed
    faults: Counter[Fault] = Counter()
    for (_, fault), count in findings.injected.items():
        faults[fault] += count
    assert faults.total() >= LEAST_SHARE * findings.forwarded > 0, printed
    assert {Fault.ERROR, Fault.THROTTLE, Fault.ERROR_AFTER, Fault.RESET_AFTER} <= faults.keys(), printed
    assert {"s3", "dynamodb", "sqs"} <= {service for service, _ in findings.injected} <= RATES.keys(), printed
    killed, at_a_line = (
        sum(count for place, count in findings.deaths.items() if place.startswith("SIGKILL")),
        sum(count for place, count in findings.deaths.items() if ".py:" in place),
    )
    assert min(killed, at_a_line) > 0, printed
    assert killed + at_a_line >= len(write_script(SEED, UPLOADS)) // ACTS_PER_DEATH, printed
    assert len(findings.case.evidence.announced) >= len(findings.case.expected) // 2, printed
    assert f"python -m chaos --seed {SEED} --uploads {UPLOADS}" in printed
