"""Test of a short run over the real functions. `make chaos` runs a longer one."""

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
"""Least share of faults among requests: slightly below the rate of each service."""

ACTIONS_PER_CRASH = 10
"""Most actions per crash: lives end after a few uploads, counted in lines, and after a number of requests."""


def test_after_faults_nothing_is_lost_corrupt_or_left_over(tmp_path: Path) -> None:
    """Assert shares and kinds only: the number of requests depends on the machine."""
    findings = asyncio.run(run(Settings(SEED, UPLOADS), tmp_path, lambda _: None))
    output = report(findings)
    assert findings.violations == [], output
    faults: Counter[Fault] = Counter()
    for (_, fault), count in findings.injected.items():
        faults[fault] += count
    assert faults.total() >= LEAST_SHARE * findings.forwarded > 0, output
    assert {Fault.ERROR, Fault.THROTTLE, Fault.ERROR_AFTER, Fault.RESET_AFTER} <= faults.keys(), output
    assert {"s3", "dynamodb", "sqs"} <= {service for service, _ in findings.injected} <= RATES.keys(), output
    killed, at_a_line = (
        sum(count for place, count in findings.deaths.items() if place.startswith("SIGKILL")),
        sum(count for place, count in findings.deaths.items() if ".py:" in place),
    )
    assert min(killed, at_a_line) > 0, output
    assert killed + at_a_line >= len(write_script(SEED, UPLOADS)) // ACTIONS_PER_CRASH, output
    assert len(findings.case.snapshot.announced) >= len(findings.case.expected) // 2, output
    assert f"python -m chaos --seed {SEED} --uploads {UPLOADS}" in output
