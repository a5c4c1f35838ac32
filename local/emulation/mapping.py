"""Distributed Maps whose limits are in their input."""

from __future__ import annotations

from typing import Any

LIMITS = {"MaxConcurrencyPath": "MaxConcurrency", "ToleratedFailurePercentagePath": "ToleratedFailurePercentage"}
"""Fields of a Map state (Step Functions developer guide, "Map workflow state"), and those whose values they name."""


def read_limits_from_input(states: Any) -> None:
    """Have Distributed Maps heed limits that are paths into their input, which MiniStack 1.5.33 ignores: it would run
    as many workers as it has threads, and end a run at the first failure.

    ``states`` is its module of Step Functions.
    """
    own = states._run_distributed_map

    def run(definition: Any, raw_input: Any, effective: Any, *further: Any) -> Any:
        found = {LIMITS[name]: _at(definition[name], effective) for name in LIMITS if name in definition}
        return own({**definition, **found}, raw_input, effective, *further)

    states._run_distributed_map = run


def _at(path: str, document: Any) -> Any:
    for name in path.removeprefix("$.").split("."):
        document = document[name]
    return document
