"""What `darkroom doctor` finds in facts of a stack, and the commands that it names."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import click
import pytest

from cli.commands import app
from cli.doctor.checks import Finding, Outcome, examine, format_findings
from cli.doctor.facts import AlarmFact, Facts, ProbeFact, SettingsFact, Unread
from cli.runbooks import list_runbooks, name_aws_stack, write_for
from darkroom.aws.switches import Switch
from extensions import list_extensions
from observability.alarms import EVERY

NOW_S = 1_800_000_000.0
HEALTHY = Facts(
    name="shop",
    status="UPDATE_COMPLETE",
    alarm_level="essential",
    settings=SettingsFact(3),
    dead_letters={"ingest": 0, "purge": 0},
    switches={"presets-only": Switch(), "fallback": Switch(on=True, until_s=NOW_S - 1)},
    alarms=[AlarmFact("shop-viewers", "OK"), AlarmFact("shop-drift", "INSUFFICIENT_DATA", is_new=True)],
    updates={"TransformFunction": {"LastUpdateStatus": "Successful", "State": "Inactive"}},
    probe=ProbeFact("application/problem+json"),
)


def find(**facts: Any) -> dict[str, Finding]:
    """The findings that are not ok by their names, of a stack that is healthy but for ``facts``."""
    found = examine(replace(HEALTHY, **facts), NOW_S)
    return {one.name: one for one in found if one.outcome is not Outcome.OK}


def test_a_healthy_stack_has_no_problem() -> None:
    assert find() == {}
    lines = [*format_findings(examine(HEALTHY, NOW_S))]
    assert "fixes" not in lines
    assert lines[5].split(maxsplit=2) == ["ok", "alarms", "1 without a fault, 1 have no data yet"]


@pytest.mark.parametrize(
    ("facts", "name", "detail", "fix"),
    [
        ({"status": "ROLLBACK_COMPLETE"}, "stack", "ROLLBACK_COMPLETE", "./darkroom uninstall --stack darkroom"),
        (
            {"status": "UPDATE_ROLLBACK_FAILED"},
            "stack",
            "UPDATE_ROLLBACK_FAILED",
            "aws cloudformation continue-update-rollback --stack-name darkroom",
        ),
        ({"status": "UPDATE_ROLLBACK_COMPLETE"}, "stack", "deploy it again", "describe-stack-events"),
        ({"status": "UPDATE_FAILED"}, "stack", "deploy it again", "describe-stack-events"),
        ({"probe": ProbeFact(failed="the answer is 503")}, "cdn", "503", "./darkroom runbook bad-deploy"),
        (
            {"settings": SettingsFact(3, ["s:w"])},
            "settings",
            "version 3: s:w",
            "settings check --stack darkroom --repair",
        ),
        ({"settings": SettingsFact(3, (), ["needs Refine"])}, "settings", "needs Refine", "settings edit"),
        ({"settings": SettingsFact(invalid=["no key x"])}, "settings", "no key x", "settings history"),
        (
            {"switches": {"fallback": Switch(on=True, by="ada", reason="slow")}},
            "switches",
            "fallback is on, by ada: slow",
            "./darkroom switch --stack darkroom fallback off",
        ),
        ({"dead_letters": {"ingest": 2, "purge": 0}}, "dead letters", "2 of ingest", "redrive --stack darkroom ingest"),
        ({"alarms": [AlarmFact("shop-refine-age", "ALARM")]}, "alarms", "shop-refine-age", "runbook queue-backlog"),
        (
            {"alarms": [AlarmFact("shop-monitor-silent", "INSUFFICIENT_DATA")]},
            "alarms",
            "monitor-silent",
            "runbook bad-deploy",
        ),
        (
            {"updates": {"A": {"LastUpdateStatus": "Failed", "LastUpdateStatusReason": "no role"}}},
            "functions",
            "A: no role",
            "runbook bad-deploy",
        ),
    ],
)
def test_a_problem_has_a_fix(facts: dict[str, Any], name: str, detail: str, fix: str) -> None:
    [(found, one)] = find(**facts).items()
    assert (found, one.outcome) == (name, Outcome.PROBLEM)
    assert detail in one.detail
    assert any(fix in command for command in one.fixes)
    assert f"  $ {one.fixes[-1]}" in format_findings([one])
    for command in one.fixes:
        assert "darkroom" not in write_for(name_aws_stack("shop"), command).replace("./darkroom", "")


@pytest.mark.parametrize(
    ("facts", "name", "reason"),
    [
        ({"status": "UPDATE_IN_PROGRESS"}, "stack", "UPDATE_IN_PROGRESS"),
        ({"alarm_level": "off", "alarms": []}, "alarms", "Alarms=off"),
        ({"alarms": [AlarmFact("shop-staging-viewers", "ALARM")]}, "alarms", "no alarm of the stack"),
        ({"alarms": [AlarmFact("shop-drift", "INSUFFICIENT_DATA", is_new=True)]}, "alarms", "1 have no data yet"),
        ({"updates": {"A": {}}}, "functions", "without a state of their last update: A"),
        *(({field: Unread("no permission")}, name, "no permission") for field, name in [
            ("probe", "cdn"), ("settings", "settings"), ("switches", "switches"), ("dead_letters", "dead letters"),
            ("alarms", "alarms"), ("updates", "functions"),
        ]),
    ],
)  # fmt: skip
def test_what_is_not_known_is_not_ok(facts: dict[str, Any], name: str, reason: str) -> None:
    [(found, one)] = find(**facts).items()
    assert (found, one.outcome, one.fixes) == (name, Outcome.NOT_CHECKED, ())
    assert reason in one.detail


def test_every_alarm_has_a_runbook_or_the_guide_of_its_extension() -> None:
    for one in EVERY:
        [fix] = find(alarms=[AlarmFact(f"shop-{one.name}", "ALARM")])["alarms"].fixes
        assert fix.split()[2] in list_runbooks()
    for extension in list_extensions():
        found = find(alarms=[AlarmFact(f"shop-{extension.flag}-faults", "ALARM")])["alarms"]
        assert [*found.fixes] == [f"less {extension.guide}"]


def test_the_runbook_is_that_of_the_alarm_that_caused_the_composite_one() -> None:
    alarms = [AlarmFact(f"shop-{name}", "ALARM") for name in ("viewers", "viewers-latency-fast")]
    found = find(alarms=alarms)["alarms"]
    assert [fix.split()[2] for fix in found.fixes] == ["cache-storm"]
    assert found.detail == "in alarm: shop-viewers, shop-viewers-latency-fast"


def test_each_command_of_a_fix_exists() -> None:
    broken = examine(
        replace(
            HEALTHY,
            status="ROLLBACK_FAILED",
            probe=ProbeFact(failed="503"),
            settings=SettingsFact(1, ["a"], ["b"]),
            switches={"fallback": Switch(on=True)},
            dead_letters={"ingest": 1},
        ),
        NOW_S,
    )
    fixes = [fix.split() for one in broken for fix in one.fixes if fix.startswith("./darkroom")]
    assert len(fixes) == 8
    for _, name, *words in fixes:
        command: click.Command = app.commands[name]
        if isinstance(command, click.Group):
            command = command.commands[words.pop(0)]
        command.make_context(name, words)
