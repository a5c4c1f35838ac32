"""Examine the facts of a stack: what is wrong, and the commands that repair it. Pure.

Commands are those for a stack ``darkroom`` on AWS, which :func:`cli.runbooks.write_for` writes for another one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from cli.releases.change_sets import UNUSABLE
from cli.terminal import Line, Style
from extensions import list_extensions
from observability.alarm import CompositeAlarm, MetricAlarm
from observability.alarms import EVERY

from .facts import AlarmFact, Facts, Unread

STACK = "--stack darkroom"
AWS_STACK = "--stack-name darkroom"
FAULTS = (
    f"aws cloudformation describe-stack-events {AWS_STACK} "
    "--query \"StackEvents[?contains(ResourceStatus,'FAILED')].[LogicalResourceId,ResourceStatusReason]\" --output text"
)


class Outcome(StrEnum):
    """Result of a check."""

    OK = "ok"
    PROBLEM = "problem"
    NOT_CHECKED = "not checked"


_STYLES = {Outcome.OK: Style.GOOD, Outcome.PROBLEM: Style.PROBLEM}


@dataclass(frozen=True, slots=True)
class Finding:
    """A check's result: what was found, or why it was not checked, and the commands that repair it."""

    name: str
    outcome: Outcome
    detail: str
    fixes: Sequence[str] = ()


def examine(facts: Facts, now_s: float) -> list[Finding]:
    """Run all checks."""
    return [
        check_stack(facts),
        check_probe(facts),
        check_settings(facts),
        check_switches(facts, now_s),
        check_dead_letters(facts),
        check_alarms(facts),
        check_functions(facts),
    ]


def check_stack(facts: Facts) -> Finding:
    """Check the state of CloudFormation."""
    name, status = "stack", facts.status
    if status in UNUSABLE:
        return Finding(name, Outcome.PROBLEM, status, (FAULTS, f"./darkroom uninstall {STACK}"))
    if status == "UPDATE_ROLLBACK_FAILED":
        return Finding(
            name, Outcome.PROBLEM, status, (FAULTS, f"aws cloudformation continue-update-rollback {AWS_STACK}")
        )
    if "ROLLBACK" in status or status.endswith("_FAILED"):
        return Finding(name, Outcome.PROBLEM, f"{status}: the last deployment failed; deploy it again", (FAULTS,))
    if status.endswith("_IN_PROGRESS"):
        return Finding(name, Outcome.NOT_CHECKED, f"{status}: a deployment runs; run the command again after it")
    return Finding(name, Outcome.OK, status)


def check_probe(facts: Facts) -> Finding:
    """Check the CDN's answer to the request of an image that does not exist."""
    name, found = "cdn", facts.probe
    if isinstance(found, Unread):
        return _not_checked(name, found)
    if found.failed:
        logs = f"./darkroom logs transform {STACK} --since 15m --filter ERROR"
        return Finding(name, Outcome.PROBLEM, found.failed, (logs, _runbook("bad-deploy")))
    return Finding(name, Outcome.OK, f"404 for a missing image, {found.answered or 'without a type'}")


def check_settings(facts: Facts) -> Finding:
    """Check the settings document and the entries of the edge."""
    name, found = "settings", facts.settings
    if isinstance(found, Unread):
        return _not_checked(name, found)
    history, edit = f"./darkroom settings history {STACK}", f"./darkroom settings edit {STACK}"
    if found.invalid:
        return Finding(name, Outcome.PROBLEM, f"not valid: {'; '.join(found.invalid)}", (history, edit))
    problems, fixes = [*found.missing], [edit] if found.missing else []
    if found.stale:
        problems.append(f"the edge has other entries than version {found.version}: {', '.join(found.stale)}")
        fixes.append(f"./darkroom settings check {STACK} --repair")
    if problems:
        return Finding(name, Outcome.PROBLEM, "; ".join(problems), fixes)
    return Finding(
        name, Outcome.OK, f"version {found.version} is in force at the edge" if found.version else "defaults"
    )


def check_switches(facts: Facts, now_s: float) -> Finding:
    """Check that no switch is on."""
    name, found = "switches", facts.switches
    if isinstance(found, Unread):
        return _not_checked(name, found)
    turned = {one: switch for one, switch in found.items() if switch.is_on_at(now_s)}
    if not turned:
        return Finding(name, Outcome.OK, f"off: {', '.join(found)}")
    said = (f"{one} is on, by {switch.by or 'an unknown user'}: {switch.reason}" for one, switch in turned.items())
    return Finding(name, Outcome.PROBLEM, "; ".join(said), [f"./darkroom switch {STACK} {one} off" for one in turned])


def check_dead_letters(facts: Facts) -> Finding:
    """Check that no message was given up."""
    name, found = "dead letters", facts.dead_letters
    if isinstance(found, Unread):
        return _not_checked(name, found)
    waiting = {queue: count for queue, count in found.items() if count}
    if not waiting:
        return Finding(name, Outcome.OK, f"none of {', '.join(found)}")
    queues = " ".join(waiting)
    return Finding(
        name,
        Outcome.PROBLEM,
        ", ".join(f"{count} of {queue}" for queue, count in waiting.items()),
        (f"./darkroom redrive {STACK} --dry-run {queues}", f"./darkroom redrive {STACK} {queues}"),
    )


def check_alarms(facts: Facts) -> Finding:
    """Check the states of alarms. Those of other stacks, whose names begin with that of this one, are left out."""
    name, found = "alarms", facts.alarms
    if facts.alarm_level == "off":
        return Finding(name, Outcome.NOT_CHECKED, "Alarms=off: the stack has none")
    if isinstance(found, Unread):
        return _not_checked(name, found)
    own = {one: fix for one in found if (fix := _find_runbook(_shorten(one.name, facts)))}
    if not own:
        return Finding(name, Outcome.NOT_CHECKED, "CloudWatch has no alarm of the stack")
    active = [one for one in own if _acts(one, _shorten(one.name, facts))]
    if active:
        parts = [one for one in active if not isinstance(_ALARMS.get(_shorten(one.name, facts)), CompositeAlarm)]
        fixes = dict.fromkeys(own[one] for one in parts or active)
        return Finding(name, Outcome.PROBLEM, f"in alarm: {', '.join(one.name for one in active)}", [*fixes])
    counted = Counter(one.state for one in own)
    unknown = counted.pop("INSUFFICIENT_DATA", 0)
    detail = f"{counted['OK']} without a fault" + (f", {unknown} have no data yet" if unknown else "")
    return Finding(name, Outcome.OK if counted["OK"] else Outcome.NOT_CHECKED, detail)


_ALARMS = {one.name: one for one in EVERY}


def _shorten(alarm: str, facts: Facts) -> str:
    return alarm.removeprefix(f"{facts.name}-")


def _find_runbook(alarm: str) -> str:
    """Return the command or page for an alarm, without the name of its stack; "" for an alarm of another stack."""
    if alarm in _ALARMS:
        return _runbook(_ALARMS[alarm].runbook)
    return next((f"less {one.guide}" for one in list_extensions() if alarm.startswith(f"{one.flag}-")), "")


def _acts(alarm: AlarmFact, name: str) -> bool:
    one = _ALARMS.get(name)
    if isinstance(one, MetricAlarm) and one.acts_without_data:
        return alarm.state != "OK" and not alarm.is_new
    return alarm.state == "ALARM"


def check_functions(facts: Facts) -> Finding:
    """Check that the last update of each function succeeded."""
    name, found = "functions", facts.updates
    if isinstance(found, Unread):
        return _not_checked(name, found)
    failed, unknown = list[str](), list[str]()
    for function, one in found.items():
        if one.get("LastUpdateStatus") == "Failed" or one.get("State") == "Failed":
            reason = one.get("LastUpdateStatusReason") or one.get("StateReason") or "Lambda gives no reason"
            failed.append(f"{function}: {reason}")
        elif "LastUpdateStatus" not in one:
            unknown.append(function)
    if failed:
        return Finding(name, Outcome.PROBLEM, "; ".join(failed), (_runbook("bad-deploy"),))
    if unknown:
        return Finding(name, Outcome.NOT_CHECKED, f"without a state of their last update: {', '.join(unknown)}")
    return Finding(name, Outcome.OK, f"{len(found)} were updated")


def _not_checked(name: str, found: Unread) -> Finding:
    return Finding(name, Outcome.NOT_CHECKED, found.reason)


def _runbook(name: str) -> str:
    return f"./darkroom runbook {name} {STACK}"


def format_findings(findings: Sequence[Finding]) -> Iterator[str]:
    """Yield a line for each check, and the commands of those that found a problem."""
    width = max(len(one.name) for one in findings)
    for one in findings:
        outcome = (f"{one.outcome.value:<11}", _STYLES.get(one.outcome, Style.PLAIN))
        yield Line(outcome, f"  {one.name:<{width}}  {one.detail}")
    if fixes := list(dict.fromkeys(fix for one in findings for fix in one.fixes)):
        yield Line(("fixes", Style.HEADING))
        yield from (f"  $ {fix}" for fix in fixes)
