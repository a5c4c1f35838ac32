"""Evaluate composite alarms: rules on the states of other alarms, and suppression of actions.

Sources: "Combining alarms" and "Alarm suppression" of the CloudWatch User Guide. Properties are those of
AWS::CloudWatch::CompositeAlarm, resolved; alarms are known by their names.
"""

from __future__ import annotations

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

_TOKEN = re.compile(r'\s*(?:(ALARM|OK|INSUFFICIENT_DATA)\s*\(\s*"?([^"()]+?)"?\s*\)|(AND|OR|NOT|TRUE|FALSE|[()])|$)')


def parse_rule(text: str) -> tuple[Rule, frozenset[str]]:
    """Return a rule and the names of the alarms in it. BadRule if it is invalid."""
    reader = _RuleParser(text)
    return reader.whole(), frozenset(reader.named)


class _RuleParser:
    """NOT binds closest, then AND, then OR."""

    def __init__(self, text: str) -> None:
        self.named: set[str] = set()
        self._left = text

    def whole(self) -> Rule:
        rule = self._either()
        if self._left.strip():
            raise BadRule(f"did not expect {self._left.strip()!r}")
        return rule

    def _match(self) -> re.Match[str]:
        if (match := _TOKEN.match(self._left)) is None:
            raise BadRule(f"cannot read {self._left.strip()!r}")
        return match

    def _took(self, word: str) -> bool:
        if (match := self._match())[3] != word:
            return False
        self._left = self._left[match.end() :]
        return True

    def _either(self) -> Rule:
        rules = [self._both()]
        while self._took("OR"):
            rules.append(self._both())
        return rules[0] if len(rules) == 1 else lambda states: any(rule(states) for rule in rules)

    def _both(self) -> Rule:
        rules = [self._single()]
        while self._took("AND"):
            rules.append(self._single())
        return rules[0] if len(rules) == 1 else lambda states: all(rule(states) for rule in rules)

    def _single(self) -> Rule:
        if self._took("NOT"):
            negated = self._single()
            return lambda states: not negated(states)
        if self._took("("):
            inner = self._either()
            if not self._took(")"):
                raise BadRule(f"expected ) before {self._left.strip()!r}")
            return inner
        for word in ("TRUE", "FALSE"):
            if self._took(word):
                return lambda _states, value=word == "TRUE": value  # type: ignore[misc]
        return self._reference()

    def _reference(self) -> Rule:
        match = self._match()
        if match[1] is None:
            raise BadRule(f"expected an alarm's state at {self._left.strip()!r}")
        self._left = self._left[match.end() :]
        state, name = match[1], _name(match[2])
        self.named.add(name)
        return lambda states: states.get(name, "INSUFFICIENT_DATA") == state


def _name(reference: str) -> str:
    """Return the name of an alarm from a name or an ARN."""
    return reference.rpartition(":alarm:")[2] if reference.startswith("arn:") else reference
