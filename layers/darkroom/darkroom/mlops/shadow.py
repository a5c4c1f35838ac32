"""While a canary takes calls, the incumbent is asked about the same pictures: its word is kept, and both are compared.

So a bad canary harms no picture, and what it is judged by is about the same pictures for both.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import NamedTuple

from ..aws.clients import client
from ..aws.sagemaker import Endpoint, InferenceResult
from ..aws.telemetry import Observer
from ..environment import InferEnvironment
from ..errors import Unavailable
from ..findings import Finding
from ..services.inference.breaker import CircuitBreaker
from ..services.inference.endpoint_client import CALL_TIMEOUT_S, EndpointClient
from .agreement import disagreement
from .endpoint_variants import EndpointVariants
from .sample import ShadowComparison, TaskComparison, summarise

MAIN = "main"
"""The variant of an endpoint that does not tell its variants."""

ROLES_TTL_S = 60.0
"""How long weights are not read again: a canary takes minutes to start, and hours to take over."""

WEIGHTS_TIMEOUT_S = 5.0
"""How long an answer about them may take, which holds up a picture."""

INCUMBENT_TIMEOUT_S = 25.0
"""For asking the incumbent after a canary: one try, so that a message ends in its time."""

_MARGIN_S = 1.0
"""For what comes before a call."""

VIEWS_TIMEOUT_S = 45.0
"""For the further images of a source together: no call is begun that could end after it."""


class VariantRoles(NamedTuple):
    """The variant that takes the most calls, and the next one that takes any, "" if there is none."""

    incumbent: str
    canary: str = ""


class ShadowResult(NamedTuple):
    """Whose word counts, and how a canary did beside it, if one was asked."""

    result: InferenceResult
    comparison: ShadowComparison | None = None


@dataclass
class VariantRolesCache:
    """How the variants stand, seen through a short memory. ``variants`` opens them when they are first looked at.

    A variant that answers and was not known to take calls is new: its word would count until the memory fades.
    """

    variants: Callable[[], EndpointVariants]
    observer: Observer
    monotonic: Callable[[], float] = time.monotonic
    _known: VariantRoles = VariantRoles(MAIN)
    _read_at_s: float | None = None
    _answered: set[str] = field(default_factory=set)

    def current(self, answered: str = "") -> VariantRoles:
        """As they stand, or stood when the endpoint last told; ``answered`` is the variant that has just answered."""
        now_s = self.monotonic()
        strange = bool(answered) and answered not in {*self._known, *self._answered}
        if strange or self._read_at_s is None or now_s - self._read_at_s >= ROLES_TTL_S:
            self._answered = {*self._answered, answered} if strange else set()
            self._read_at_s = now_s
            try:
                self._known = assign_roles({name: one.weight for name, one in self.variants().read_all().items()})
            except Unavailable as error:
                self.observer.log("WARNING", "the endpoint does not tell its variants", detail=error.detail)
        return self._known


def assign_roles(weights: Mapping[str, float]) -> VariantRoles:
    """Who is who by ``weights``: of equals MAIN comes first, then the first by name."""
    names = sorted(weights, key=lambda name: (-weights[name], name != MAIN, name))
    takes_calls = [name for name in names if weights[name] > 0]
    return VariantRoles(*takes_calls[:2]) if takes_calls else VariantRoles(names[0] if names else MAIN)


@dataclass(frozen=True)
class ShadowClient:
    """Asks the endpoint, and its incumbent too whenever somebody else has answered."""

    client: EndpointClient
    roles: VariantRolesCache

    def analyse(self, jpeg: bytes, tasks: Sequence[str], image_id: str) -> ShadowResult | None:
        """What the incumbent says, or the only variant; None if it does not answer. A canary's word alone is none."""
        told = self.client.invoke(jpeg, tasks, image_id)
        if told is None:
            return None
        incumbent, canary = self.roles.current(told.variant)
        if not canary or told.variant == incumbent:
            return ShadowResult(told)
        theirs = replace(self.client, deadline_s=INCUMBENT_TIMEOUT_S).invoke(jpeg, tasks, image_id, variant=incumbent)
        if theirs is None:
            return None
        if not told.variant and _is_refused(
            theirs
        ):  # SageMaker does not say who refuses: it may have been the incumbent
            return ShadowResult(theirs)
        return ShadowResult(theirs, compare_results(told.variant or canary, told, incumbent, theirs))

    def analyse_views(
        self, views: Sequence[tuple[bytes, Sequence[str]]], image_id: str, *, needed: int
    ) -> list[Mapping[str, Finding]] | None:
        """Return the baseline's findings in further images of the same source, each for its own tasks.

        Only of the first ones if FURTHER_S does not suffice for all: the next attempt would not get farther. None if
        one is not answered at all, or the time does not suffice for ``needed``. A canary is not compared by them.
        """
        ends_s = self.client.monotonic() + VIEWS_TIMEOUT_S
        baseline, canary = self.roles.current() if views else VariantRoles(MAIN)
        found: list[Mapping[str, Finding]] = []
        for jpeg, tasks in views:
            left_s = ends_s - self.client.monotonic()
            if left_s < self.client.call_timeout_s + _MARGIN_S and len(found) >= needed:
                break
            caller = replace(self.client, deadline_s=left_s)
            told = caller.invoke(jpeg, tasks, image_id, variant=baseline if canary else "")
            if told is None:
                return None
            found.append(told.found)
        return found


def open_shadow_client(
    environment: InferEnvironment, breaker: CircuitBreaker, observer: Observer
) -> ShadowClient | None:
    """Those at the endpoint that a deployment names; None if it has none."""
    if environment.inference_mode != "endpoint":
        return None
    name = environment.endpoint_name
    endpoint = Endpoint(client("sagemaker-runtime", environment.variables, read_s=CALL_TIMEOUT_S, attempts=1), name)

    @cache
    def variants() -> EndpointVariants:  # a service that takes long to load
        return EndpointVariants(client("sagemaker", environment.variables, read_s=WEIGHTS_TIMEOUT_S, attempts=2), name)

    return ShadowClient(EndpointClient(endpoint, breaker, observer), VariantRolesCache(variants, observer))


def compare_results(
    canary: str, said_anew: InferenceResult, incumbent: str, said_before: InferenceResult
) -> ShadowComparison:
    """How what ``canary`` says differs from what ``incumbent`` says, for the tasks that both did."""
    ours, theirs = said_anew.found, said_before.found
    tasks = {task: _compare_findings(ours[task], theirs[task]) for task in ours if task in theirs}
    return ShadowComparison(canary, incumbent, tasks, (said_anew.duration_ms, said_before.duration_ms))


def _compare_findings(ours: Finding, theirs: Finding) -> TaskComparison:
    mine, other = summarise(ours), summarise(theirs)
    return TaskComparison(disagreement(ours, theirs), (mine.empty, other.empty), (mine.confidence, other.confidence))


def _is_refused(told: InferenceResult) -> bool:
    return all(finding.error for finding in told.found.values())
