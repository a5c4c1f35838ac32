"""Evaluate composite alarms: rules on the states of other alarms, and suppression of actions.

Sources: "Combining alarms" and "Alarm suppression" of the CloudWatch User Guide. Properties are those of
AWS::CloudWatch::CompositeAlarm, resolved; alarms are known by their names.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from graphlib import TopologicalSorter
from typing import Any

from .alarm_states import State


class BadRule(ValueError):
    """The text is not a rule of a composite alarm."""


type Rule = Callable[[Mapping[str, State]], bool]


@dataclass(frozen=True, slots=True)
class Composite:
    """An AWS::CloudWatch::CompositeAlarm."""

    logical_id: str
    name: str
    description: str
    rule: Rule
    children: frozenset[str]
    actions: tuple[str, ...]
    suppressor: str
    """The alarm that suppresses the actions, or ""."""
    wait_s: int
    extension_s: int

    @classmethod
    def read(cls, logical_id: str, properties: Mapping[str, Any]) -> Composite:
        """Parse the properties. BadRule if the rule is invalid; KeyError without a rule or a name."""
        rule, children = parse_rule(str(properties["AlarmRule"]))
        return cls(
            logical_id=logical_id,
            name=str(properties["AlarmName"]),
            description=str(properties.get("AlarmDescription", "")),
            rule=rule,
            children=children,
            actions=tuple(properties.get("AlarmActions", ())),
            suppressor=_name(str(properties.get("ActionsSuppressor", ""))),
            wait_s=int(properties.get("ActionsSuppressorWaitPeriod", 0)),
            extension_s=int(properties.get("ActionsSuppressorExtensionPeriod", 0)),
        )


def evaluate_composites(composites: Iterable[Composite], states: Mapping[str, State]) -> dict[str, State]:
    """Return the states of composites by name. An unknown child counts as INSUFFICIENT_DATA."""
    by_name = {composite.name: composite for composite in composites}
    known = dict(states)
    order = TopologicalSorter({name: composite.children & by_name.keys() for name, composite in by_name.items()})
    for name in order.static_order():
        known[name] = "ALARM" if by_name[name].rule(known) else "OK"
    return {name: known[name] for name in by_name}


@dataclass(frozen=True, slots=True)
class StateSince:
    """A state and its start in Unix time."""

    state: State
    since_s: float


def has_acted(composite: Composite, own: StateSince, suppressor: StateSince | None, now_s: float) -> bool:
    """Whether a composite has taken its actions by now.

    It waits ``wait_s`` for the suppressor, takes no action while that is in alarm and for ``extension_s`` after. Later
    changes of the suppressor have no effect.
    """
    if own.state != "ALARM":
        return False
    if suppressor is None:
        return True
    waited = now_s >= own.since_s + composite.wait_s
    if suppressor.state == "ALARM":
        return suppressor.since_s > own.since_s + composite.wait_s
    if suppressor.since_s >= own.since_s:
        return now_s >= suppressor.since_s + composite.extension_s
    return waited


# -------------------------------------------------------------------- rules

_WORDS = re.compile(r'(ALARM|OK|INSUFFICIENT_DATA)\s*\(\s*"?([^"()]+?)"?\s*\)|\b(AND|OR|NOT|TRUE|FALSE)\b')


def parse_rule(text: str) -> tuple[Rule, frozenset[str]]:
    """Return a rule and the names of the alarms in it. BadRule if it is invalid.

    It is parsed by Python's grammar, of which that of rules is a part: NOT binds closest, then AND, then OR.
    """
    named: set[str] = set()

    def spell(found: re.Match[str]) -> str:
        if found[3]:
            return found[3].capitalize() if found[3] in ("TRUE", "FALSE") else f" {found[3].lower()} "
        named.add(_name(found[2]))
        return repr((found[1], _name(found[2])))

    try:
        syntax = ast.parse(_WORDS.sub(spell, text).strip(), mode="eval").body
    except (SyntaxError, ValueError) as error:
        raise BadRule(f"cannot read {text!r}: {error}") from error
    return _to_rule(syntax), frozenset(named)


def _to_rule(syntax: ast.expr) -> Rule:
    match syntax:
        case ast.BoolOp(op=sign, values=parts):
            fold, rules = any if isinstance(sign, ast.Or) else all, [_to_rule(part) for part in parts]
            return lambda states: fold(rule(states) for rule in rules)
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            negated = _to_rule(operand)
            return lambda states: not negated(states)
        case ast.Constant(value=bool() as value):
            return lambda _: value
        case ast.Tuple(elts=[ast.Constant(value=state), ast.Constant(value=str() as name)]):
            return lambda states: states.get(name, "INSUFFICIENT_DATA") == state
        case _:
            raise BadRule(f"did not expect {ast.unparse(syntax)!r}")


def _name(reference: str) -> str:
    """Return the name of an alarm from a name or an ARN."""
    return reference.rpartition(":alarm:")[2] if reference.startswith("arn:") else reference
