"""IAM's simulation of policies in MiniStack, for every resource and with keys of conditions.

Version 1.5.33 evaluates the first of ``ResourceArns`` and ignores ``ContextEntries`` (IAM API reference,
"SimulatePrincipalPolicy").
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import escape

DECISIONS = {"Allow": "allowed", "Deny": "explicitDeny"}


@dataclass(frozen=True, slots=True)
class Simulated:
    """What a request names besides its actions."""

    resources: tuple[str, ...]
    context: Mapping[str, str]


def simulate_all(evaluator: Any, iam: Any) -> None:
    """Patch MiniStack's simulation of policies."""
    own = iam._extract_simulate_params

    def extract(parameters: Any) -> tuple[list[str], Simulated]:
        def read(name: str) -> str:
            return str(iam._p(parameters, name) or "")

        return own(parameters)[0], Simulated(tuple(read_list(read, "ResourceArns")) or ("*",), read_context(read))

    def build(actions: list[str], asked: Simulated, principal: str, account: str, policies: Any) -> str:
        def decide(action: str, resource: str) -> str:
            context = evaluator.EvalContext(
                *(principal, "User", account, action, resource, iam.get_region()), service_context=dict(asked.context)
            )
            found = evaluator.evaluate(context, policies).decision if policies else ""
            return DECISIONS.get(found, "implicitDeny")

        return "".join(
            f"<member><EvalActionName>{escape(action)}</EvalActionName><EvalResourceName>{escape(resource)}"
            f"</EvalResourceName><EvalDecision>{decide(action, resource)}</EvalDecision></member>"
            for action in actions
            for resource in asked.resources
        )

    iam._extract_simulate_params, iam._build_simulate_results_real = extract, build


def read_list(read: Callable[[str], str], name: str) -> Iterator[str]:
    """Yield the members of a list in the parameters of a Query request."""
    number = 1
    while value := read(f"{name}.member.{number}"):
        yield value
        number += 1


def read_context(read: Callable[[str], str]) -> dict[str, str]:
    """Return the first value of each of ``ContextEntries``, by its key in lower case, as MiniStack evaluates it."""
    found, number = dict[str, str](), 1
    while key := read(f"ContextEntries.member.{number}.ContextKeyName"):
        found[key.lower()] = read(f"ContextEntries.member.{number}.ContextKeyValues.member.1")
        number += 1
    return found
