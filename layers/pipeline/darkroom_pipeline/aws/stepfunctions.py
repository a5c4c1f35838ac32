"""Start executions of a Step Functions state machine."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from darkroom.errors import Unavailable

from .clients import translate_errors

MAX_EXECUTIONS = 100
"""Executions of one job: their names stay reserved for 90 days after they have ended."""


@dataclass(frozen=True)
class StateMachine:
    """A state machine of type STANDARD."""

    client: Any
    arn: str

    def start(self, work: str, document: Mapping[str, object]) -> str:
        """Start an execution for the job ``work`` with the input ``document``, unless one is running; return its name.

        Idempotent: however often it is called, one execution runs at a time. Raises Unavailable.
        """
        for number in range(1, MAX_EXECUTIONS + 1):
            name = f"{work}-{number}"
            with translate_errors(f"start {name}"):
                try:
                    self.client.start_execution(stateMachineArn=self.arn, name=name, input=json.dumps(dict(document)))
                except self.client.exceptions.ExecutionAlreadyExists:
                    if self._is_running(name):
                        return name
                    continue
            return name
        raise Unavailable(detail=f"{work} has had {MAX_EXECUTIONS} executions")

    def _is_running(self, name: str) -> bool:
        execution = self.arn.replace(":stateMachine:", ":execution:") + f":{name}"
        return bool(self.client.describe_execution(executionArn=execution)["status"] == "RUNNING")
