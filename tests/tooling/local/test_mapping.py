"""Limits of Distributed Maps that are given in their input, in MiniStack."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from local.emulation.mapping import read_limits_from_input


def run(definition: dict[str, Any], document: dict[str, Any]) -> dict[str, Any]:
    """Return the definition that MiniStack receives."""
    seen: list[dict[str, Any]] = []
    states = SimpleNamespace(_run_distributed_map=lambda definition, *_: seen.append(definition))
    read_limits_from_input(states)
    states._run_distributed_map(definition, document, document, {}, {}, {})
    return seen[0]


def test_paths_are_resolved() -> None:
    definition = {"MaxConcurrencyPath": "$.limits.most", "ToleratedFailurePercentagePath": "$.tolerated"}
    found = run(definition, {"limits": {"most": 3}, "tolerated": 5.5})
    assert (found["MaxConcurrency"], found["ToleratedFailurePercentage"]) == (3, 5.5)


def test_numbers_do_not_change() -> None:
    assert run({"MaxConcurrency": 7}, {}) == {"MaxConcurrency": 7}
