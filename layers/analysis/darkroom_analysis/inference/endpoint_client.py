"""Invoke the endpoint with retries, within a deadline and behind the circuit breaker."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from darkroom.aws.telemetry import Observer
from darkroom.errors import ModelUnavailable
from darkroom_pipeline.aws.sagemaker import Endpoint, InferenceResult

from .breaker import CircuitBreaker

CALL_TIMEOUT_S = 20.0
"""Timeout of one call. SageMaker's own is 60 s."""

START_TIMEOUT_S = 60.0
"""Timeout of a call for which a serverless endpoint may have to start a container, which loads its models."""

MAX_ATTEMPTS = 3
FIRST_BACKOFF_S = 0.5
"""Delay before the second attempt, doubled before the third. Up to half of it is jitter."""

IN_PROCESS = "in-process"
"""Name of the models within this process, beside the production variants of the endpoint."""


@dataclass(frozen=True)
class EndpointClient:
    """``endpoint`` behind ``breaker``. No attempt is started that could end after ``deadline_s``."""

    endpoint: Endpoint
    breaker: CircuitBreaker
    observer: Observer
    deadline_s: float = 45.0
    call_timeout_s: float = CALL_TIMEOUT_S
    sleep: Callable[[float], None] = time.sleep
    monotonic: Callable[[], float] = time.monotonic

    def invoke(
        self, jpeg: bytes, tasks: Sequence[str], image_id: str, *, variant: str = "", explains: bool = False
    ) -> InferenceResult | None:
        """Return the result of the endpoint or ``variant``; None without a response or while the circuit is open."""
        ends_s = self.monotonic() + self.deadline_s
        for number in range(MAX_ATTEMPTS):
            if number:
                self.sleep(FIRST_BACKOFF_S * 2 ** (number - 1) * random.uniform(0.5, 1.0))  # noqa: S311
            if self.monotonic() + self.call_timeout_s > ends_s or not self.breaker.allows_call():
                return None
            try:
                with self.observer.step("invoke"):
                    trace = self.observer.trace_id()
                    result = self.endpoint.invoke(
                        jpeg, tasks, image_id, trace=trace, variant=variant, explains=explains
                    )
                    self._record_stages(result)
            except ModelUnavailable as error:
                self.observer.log("WARNING", "endpoint call failed", attempt=number + 1, detail=error.detail)
                self.breaker.record_failure()
                continue
            self.breaker.record_success()
            return result
        return None

    def _record_stages(self, result: InferenceResult) -> None:
        """Add the stages of the container, and the decoding of its response, to the current trace step."""
        ended_s = time.time() - result.decode_ms / 1000
        started_s = ended_s - result.duration_ms / 1000
        self.observer.record_remote_call("endpoint", result.stages_ms, started_s=started_s, ended_s=ended_s)
        self.observer.record_stages({"decode": result.decode_ms}, started_s=ended_s)
