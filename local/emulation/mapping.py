"""Limits of Distributed Maps that are given in their input."""

from __future__ import annotations

from typing import Any

LIMITS = {"MaxConcurrencyPath": "MaxConcurrency", "ToleratedFailurePercentagePath": "ToleratedFailurePercentage"}
"""Fields of a Map state that contain paths (Step Functions developer guide, "Map workflow state"), and their targets.
"""


def read_limits_from_input(states: Any) -> None:
    """Apply limits that are paths into the input of a Distributed Map.

    MiniStack 1.5.33 ignores them: it runs as many workers as it has threads, and ends a run at the first failure.
    ``states`` is its Step Functions module.
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
