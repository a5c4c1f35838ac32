"""Shadow-test a canary: the incumbent analyses the same images, only its results are stored, and both are compared.

A bad canary therefore changes no findings, and it is judged by images that both variants have analysed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache

from darkroom.aws.telemetry import Observer
from darkroom.environment import InferEnvironment
from darkroom.findings import MODERATION, Explanation, Finding
from darkroom_pipeline.aws.clients import create_client
from darkroom_pipeline.aws.sagemaker import Endpoint, InferenceResult

from ..inference.breaker import CircuitBreaker
from ..inference.endpoint_client import CALL_TIMEOUT_S, START_TIMEOUT_S, EndpointClient
from ..inference.predictions import Prediction
from .agreement import disagreement
from .endpoint_variants import MAIN, EndpointVariants, VariantRoles, VariantRolesCache
from .sample import ShadowComparison, TaskComparison, summarise

WEIGHTS_TIMEOUT_S = 5.0
"""Timeout of reading them, which delays an analysis."""

INCUMBENT_TIMEOUT_S = 25.0
"""Time for the incumbent after a canary: one attempt, so that a message ends in its time."""

_MARGIN_S = 1.0
"""Time before a call starts."""

VIEWS_TIMEOUT_S = 45.0
"""Time for all further views of a source. No call is started that could end after it."""


@dataclass(frozen=True)
class ShadowClient:
    """The endpoint models that the analysis service requires. If a canary responds, the incumbent is invoked too.

    ``first`` is the client of the first call for an image, which waits for a serverless endpoint to start.
    """

    client: EndpointClient
    roles: VariantRolesCache
    first: EndpointClient | None = None

    def predict(self, jpeg: bytes, tasks: Sequence[str], image_id: str) -> Prediction[ShadowComparison] | None:
        """Return the incumbent's result, with the comparison if a canary responded; None if either does not respond."""
        result = (self.first or self.client).invoke(jpeg, tasks, image_id)
        if result is None:
            return None
        incumbent, canary = self.roles.current(result.variant)
        if not canary or result.variant == incumbent:
            return Prediction(result)
        client = replace(self.client, deadline_s=INCUMBENT_TIMEOUT_S)
        baseline = client.invoke(jpeg, tasks, image_id, variant=incumbent)
        if baseline is None:
            return None
        if not result.variant and _is_refused(baseline):  # SageMaker names no variant: the incumbent may have refused
            return Prediction(baseline)
        return Prediction(baseline, compare_results(result.variant or canary, result, incumbent, baseline))

    def predict_views(
        self, views: Sequence[tuple[bytes, Sequence[str]]], image_id: str, *, needed: int
    ) -> list[Mapping[str, Finding]] | None:
        """Return the incumbent's findings in further views, each for its own tasks; the canary is not compared.

        Only of the first views if VIEWS_TIMEOUT_S does not suffice for all: another attempt would not get farther. None
        if a call fails, or the time does not suffice for ``needed``.
        """
        ends_s = self.client.monotonic() + VIEWS_TIMEOUT_S
        incumbent, canary = self.roles.current() if views else VariantRoles(MAIN)
        found: list[Mapping[str, Finding]] = []
        for jpeg, tasks in views:
            left_s = ends_s - self.client.monotonic()
            if left_s < self.client.call_timeout_s + _MARGIN_S and len(found) >= needed:
                break
            client = replace(self.client, deadline_s=left_s)
            result = client.invoke(jpeg, tasks, image_id, variant=incumbent if canary else "")
            if result is None:
                return None
            found.append(result.found)
        return found

    def explain(self, jpeg: bytes, image_id: str, variant: str) -> Explanation | None:
        """Return the explanation of ``variant``, by one call; None if it flags nothing or does not respond."""
        client = replace(self.client, deadline_s=INCUMBENT_TIMEOUT_S)
        target = variant if self.roles.current().canary else ""
        result = client.invoke(jpeg, [MODERATION], image_id, variant=target, explains=True)
        return result.found[MODERATION].explanation if result is not None else None


def open_shadow_client(
    environment: InferEnvironment, breaker: CircuitBreaker, observer: Observer
) -> ShadowClient | None:
    """Return the client of the deployment's endpoint; None without one."""
    if environment.inference_mode != "endpoint":
        return None
    name = environment.endpoint_name

    def client(timeout_s: float) -> EndpointClient:
        runtime = create_client("sagemaker-runtime", environment.variables, read_s=timeout_s, attempts=1)
        return EndpointClient(Endpoint(runtime, name), breaker, observer, call_timeout_s=timeout_s)

    @cache
    def variants() -> EndpointVariants:  # a service that takes long to load
        return EndpointVariants(
            create_client("sagemaker", environment.variables, read_s=WEIGHTS_TIMEOUT_S, attempts=2), name
        )

    starts = replace(client(START_TIMEOUT_S), deadline_s=START_TIMEOUT_S + 1) if environment.is_serverless else None
    return ShadowClient(client(CALL_TIMEOUT_S), VariantRolesCache(variants, observer), starts)


def compare_results(
    canary: str, candidate: InferenceResult, incumbent: str, baseline: InferenceResult
) -> ShadowComparison:
    """Compare the canary's result ``candidate`` with the incumbent's ``baseline``, for the tasks of both."""
    tasks = {
        task: _compare_findings(finding, baseline.found[task])
        for task, finding in candidate.found.items()
        if task in baseline.found
    }
    return ShadowComparison(canary, incumbent, tasks, (candidate.duration_ms, baseline.duration_ms))


def _compare_findings(candidate: Finding, baseline: Finding) -> TaskComparison:
    one, other = summarise(candidate), summarise(baseline)
    distance = disagreement(candidate, baseline)
    return TaskComparison(distance, (one.empty, other.empty), (one.confidence, other.confidence))


def _is_refused(result: InferenceResult) -> bool:
    return all(finding.error for finding in result.found.values())
