"""Asking the endpoint, within a deadline and past a circuit breaker; and who is asked instead."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from ...aws.sagemaker import InferenceResult
from ...aws.telemetry import Observer
from ...errors import ModelUnavailable
from ...findings import Finding
from .breaker import CircuitBreaker

CALL_TIMEOUT_S = 20.0
"""How long an answer may take. SageMaker itself gives up after 60 s."""

MAX_ATTEMPTS = 3
FIRST_BACKOFF_S = 0.5
"""Before the second try; twice as long before the third. Up to half of it is left to chance."""

IN_PROCESS = "in-process"
"""What the models within this process are called beside the endpoint's production variants."""


class Detector(Protocol):
    """Models within this process."""

    @property
    def tasks(self) -> Sequence[str]:
        """What they can do."""

    def detect(self, jpeg: bytes, tasks: Sequence[str]) -> dict[str, Finding]:
        """What they say of a picture, for those of ``tasks`` that they can do."""


class ModelEndpoint(Protocol):
    """What the caller needs of the endpoint."""

    def invoke(
        self, jpeg: bytes, tasks: Sequence[str], image_id: str, *, trace: str = "", variant: str = ""
    ) -> InferenceResult:
        """As :meth:`darkroom.aws.sagemaker.Endpoint.ask`."""


@dataclass(frozen=True)
class EndpointClient:
    """The endpoint behind its breaker. ``within_s``: no try is begun that could end after it."""

    endpoint: ModelEndpoint
    breaker: CircuitBreaker
    observer: Observer
    deadline_s: float = 45.0
    call_timeout_s: float = CALL_TIMEOUT_S
    sleep: Callable[[float], None] = time.sleep
    monotonic: Callable[[], float] = time.monotonic

    def invoke(self, jpeg: bytes, tasks: Sequence[str], image_id: str, *, variant: str = "") -> InferenceResult | None:
        """What the endpoint, or its ``variant``, says; None if it does not answer, or may not be asked at this time."""
        ends_s = self.monotonic() + self.deadline_s
        for number in range(MAX_ATTEMPTS):
            if number:
                self.sleep(FIRST_BACKOFF_S * 2 ** (number - 1) * random.uniform(0.5, 1.0))  # noqa: S311
            if self.monotonic() + self.call_timeout_s > ends_s or not self.breaker.allows_call():
                return None
            try:
                with self.observer.step("invoke"):
                    told = self.endpoint.invoke(jpeg, tasks, image_id, trace=self.observer.trace_id(), variant=variant)
                    self._record_stages(told)
            except ModelUnavailable as error:
                self.observer.log("WARNING", "the endpoint does not answer", tries=number + 1, detail=error.detail)
                self.breaker.record_failure()
                continue
            self.breaker.record_success()
            return told
        return None

    def _record_stages(self, told: InferenceResult) -> None:
        """Show within the present step what has just been done: the endpoint's stages, and reading its answer."""
        answered_s = time.time() - told.decode_ms / 1000
        self.observer.record_remote_call(
            "endpoint", told.stages_ms, started_s=answered_s - told.duration_ms / 1000, ended_s=answered_s
        )
        self.observer.record_stages({"decode": told.decode_ms}, started_s=answered_s)
