"""Test of a short run over the real functions. `make chaos` runs a longer one."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest

from chaos.faults import Fault
from chaos.report import report
from chaos.run import FAULTS_PER_ACT, RATES, Settings, run

pytestmark = pytest.mark.slow

SEED, UPLOADS = 20, 40
TODAY = int(f"{datetime.now(UTC):%Y%m%d}")
MINUTES = 10.0
"""Limit of the fault phase, after which it ends with what has been done; a busy machine needs a few."""

LEAST_PER_ACT, MOST_PER_ACT = 2.0, FAULTS_PER_ACT + 1.0
"""Faults of ingest and purge per action: less than they may have if few of their requests are repeated; more by the
requests that are decided at once."""

ACTIONS_PER_CRASH = 10
"""Most actions per crash: lives end after a few invocations, and by SIGKILL."""


@pytest.mark.parametrize("seed", [SEED, TODAY], ids=["fixed", "of the day"])
def test_after_faults_nothing_is_lost_corrupt_or_left_over(tmp_path: Path, seed: int) -> None:
    """Assert rates per action and kinds only: the number of requests depends on the machine."""
    findings = run(Settings(seed, UPLOADS, minutes=MINUTES), tmp_path, lambda _: None)
    output = report(findings)
    assert findings.violations == [], output
    faults: Counter[Fault] = Counter()
    for (_, fault), count in findings.injected.items():
        faults[fault] += count
    assert LEAST_PER_ACT <= findings.limited_faults / findings.acts <= MOST_PER_ACT, output
    assert {Fault.ERROR, Fault.THROTTLE, Fault.ERROR_AFTER, Fault.RESET_AFTER} <= faults.keys(), output
    assert {"s3", "dynamodb", "sqs"} <= {service for service, _ in findings.injected} <= RATES.keys(), output
    killed, at_a_line = (
        sum(count for place, count in findings.deaths.items() if place.startswith("SIGKILL")),
        sum(count for place, count in findings.deaths.items() if ".py:" in place),
    )
    assert min(killed, at_a_line) > 0, output
    assert killed + at_a_line >= findings.acts // ACTIONS_PER_CRASH, output
    assert len(findings.case.snapshot.announced) >= len(findings.case.expected) // 2, output
    assert f"python -m chaos --seed {seed} --uploads {UPLOADS}" in output
