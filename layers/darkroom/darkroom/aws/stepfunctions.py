"""A state machine of Step Functions."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

from ..errors import Unavailable
from .clients import translate_errors

MAX_EXECUTIONS = 100
"""Of one piece of work: their names stay taken for 90 days after they have ended."""


@dataclass(frozen=True)
class StateMachine:
    """One, of the type STANDARD. ``connect`` makes its client, when it is first needed: most workers never do."""

    connect: Callable[[], Any]
    arn: str

    @classmethod
    def from_arn(cls, arn: str, connect: Callable[[], Any]) -> Self | None:
        """The one with that ARN, None for an empty one."""
        return cls(connect, arn) if arn else None

    def start(self, work: str, document: Mapping[str, object]) -> str:
        """See that an execution works on ``work``, with that input; the name of the one that does.

        One that does already is left at it: however often this is called, there is one at a time. Raises Unavailable.
        """
        for number in range(1, MAX_EXECUTIONS + 1):
            name = f"{work}-{number}"
            with translate_errors(f"start {name}"):
                try:
                    self._client.start_execution(stateMachineArn=self.arn, name=name, input=json.dumps(dict(document)))
                except self._client.exceptions.ExecutionAlreadyExists:
                    if self._is_running(name):
                        return name
                    continue
            return name
        raise Unavailable(detail=f"{work} has been worked on {MAX_EXECUTIONS} times")

    @cached_property
    def _client(self) -> Any:
        return self.connect()

    def _is_running(self, name: str) -> bool:
        execution = self.arn.replace(":stateMachine:", ":execution:") + f":{name}"
        return bool(self._client.describe_execution(executionArn=execution)["status"] == "RUNNING")
