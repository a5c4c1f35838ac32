"""Distributed Maps: limits that are given in their input, and the end of their children when the run is stopped."""

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


def end_children_of_stopped_runs(states: Any) -> None:
    """Start no child of a Distributed Map whose execution was stopped, and leave the execution stopped.

    MiniStack 1.5.33 marks the execution only, goes on with all items, and marks it as failed if one of them fails. AWS
    aborts the Map Run and its children (API reference, "StopExecution"); a function that runs already ends by itself in
    both.
    """
    own, fail = states._run_sub_machine, states._fail_execution

    def fail_unless_stopped(execution: Any, *cause: Any) -> None:
        if execution["status"] != "ABORTED":
            fail(execution, *cause)

    def run(definitions: Any, start_at: Any, given: Any, execution: Any, ctx: Any) -> Any:
        map_run = states._map_runs.get(execution.get("mapRunArn", ""), {})
        parent = states._executions.get(map_run.get("executionArn", ""), {})
        if parent.get("status") == "ABORTED":
            raise states._ExecutionError("States.Aborted", "the execution was stopped")
        return own(definitions, start_at, given, execution, ctx)

    states._run_sub_machine = run
    states._fail_execution = fail_unless_stopped


def _at(path: str, document: Any) -> Any:
    for name in path.removeprefix("$.").split("."):
        document = document[name]
    return document
