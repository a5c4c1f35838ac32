"""Run every command of the operating guide on the stack, as the people on call do."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from darkroom.slo import SLOS
from tests.images.photographs import jpeg_photo

from .conftest import Stack
from .operating import Operator

pytestmark = pytest.mark.slow

OBJECTIVES = [slo.name for slo in SLOS if not slo.needs_inference]
KEY = "trips/guide.jpg"


@pytest.fixture
def operator(stack: Stack, tmp_path: Path) -> Operator:
    return Operator(stack, tmp_path)


def named(done: subprocess.CompletedProcess[str]) -> list[str]:
    """The objectives in the output. The command fails if one is missed: other tests of this stack cause faults."""
    missed = [line.split(" is missed: ")[0] for line in done.stderr.splitlines() if " is missed: " in line]
    assert done.returncode == bool(missed), done.stderr
    assert set(missed) <= set(OBJECTIVES)
    return [line.split()[0] for line in done.stdout.splitlines()[1:]]


def test_playbooks(operator: Operator) -> None:
    operator.upload(KEY, jpeg_photo())
    said = operator.follow("../operations/playbooks.md")
    assert set(OBJECTIVES) <= {line.split(" ")[0] for line in said.splitlines()}


def test_objectives_are_read_as_the_routines_say(operator: Operator) -> None:
    assert named(operator.run_blocks("../operations/routines.md", 2)) == OBJECTIVES
    assert named(operator.run_blocks("../operations/routines.md", 8)) == OBJECTIVES


def test_daily_and_weekly_routines(operator: Operator) -> None:
    daily = operator.run_blocks("../operations/routines.md", 1)
    waiting, stack, *_ = daily.stdout.splitlines()
    assert waiting.startswith("waiting: ")
    assert stack.split() == ["ok", "stack", "CREATE_COMPLETE"]
    assert daily.returncode == ("\nproblem " in daily.stdout), "other tests of this stack leave dead letters"
    assert operator.follow("../operations/routines.md", 3).splitlines()[-1].isdigit()
    alarms = operator.follow("../operations/routines.md", 4)
    assert all("\tdarkroom-" in line for line in alarms.splitlines())
    models = operator.run_blocks("../operations/routines.md", 5)
    drift, *_, trend = models.stdout.splitlines()
    assert (models.returncode, drift.split()[0]) == (1, "DriftPsi")
    assert trend == "No model was evaluated in the last two weeks.", "which is not passed"
    assert [line.split()[0] for line in operator.follow("../operations/routines.md", 6).splitlines()] == [
        "CacheHitRatio",
        "CostPerImage",
    ]


def test_the_audit_log_of_a_week_is_listed(operator: Operator) -> None:
    done = operator.darkroom("switch", "fallback", "on", "--for", "1", "--by", "ada")
    assert done.returncode == 0, done.stderr
    assert operator.darkroom("switch", "fallback", "off", "--by", "ada").returncode == 0
    entries = operator.follow("../operations/routines.md", 7).splitlines()
    assert len([line for line in entries if line.endswith(".json")]) >= 2


def test_monthly_and_quarterly_routines(operator: Operator) -> None:
    parts = operator.follow("../operations/routines.md", 9).splitlines()[:5]
    assert [line.split()[:2] for line in parts] == [
        ["CostPerHour", f"Name=part,Value={part}"]
        for part in ("compute", "requests", "storage", "monitoring", "endpoint")
    ]
    secret, _ = operator.follow("../operations/routines.md", 11).splitlines()[-1].split("\t")
    assert secret in operator.info["outputs"]["SigningKeysArn"]
    operator.follow("../operations/routines.md", 12)
    said = operator.follow("../operations/routines.md", 13)
    assert "GOVERNANCE" in said
    groups = [line.split("\t") for line in said.splitlines() if line.startswith("/aws/lambda/darkroom-")]
    assert groups
    assert all(days.isdigit() for _, days in groups)


def test_postmortems(operator: Operator) -> None:
    said = operator.follow("../operations/postmortem.md")
    entries = [json.loads(line) for line in said.splitlines() if line.startswith("{")]
    assert all(entry.keys() >= {"at", "kind", "subject", "by"} for entry in entries)
    assert any(line.startswith("$LATEST\t") for line in said.splitlines())
