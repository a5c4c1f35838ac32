"""While a canary takes calls, the incumbent is asked about the same pictures: its word is kept, and both are compared.

So a bad canary harms no picture, and what it is judged by is about the same pictures for both.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import NamedTuple

from ...aws.clients import client
from ...aws.model import Endpoint, Told
from ...aws.telemetry.protocol import Observer
from ...aws.variants import Variants
from ...errors import Unavailable
from ...findings import Finding
from ...watch.agreement import disagreement
from ...watch.sample import Compared, Trial, said
from .breaker import Breaker
from .calling import CALL_S, Caller

MAIN = "main"
"""The variant of an endpoint that does not tell its variants."""

REMEMBERED_S = 60.0
"""How long weights are not read again: a canary takes minutes to start, and hours to take over."""

WEIGHTS_S = 5.0
"""How long an answer about them may take, which holds up a picture."""

SECOND_S = 25.0
"""For asking the incumbent after a canary: one try, so that a message ends in its time."""

_BEGIN_S = 1.0
"""For what comes before a call."""

FURTHER_S = 45.0
"""For the further images of a source together: no call is begun that could end after it."""


class Standing(NamedTuple):
    """The variant that takes the most calls, and the next one that takes any, "" if there is none."""

    incumbent: str
    canary: str = ""


class Tried(NamedTuple):
    """Whose word counts, and how a canary did beside it, if one was asked."""

    told: Told
    trial: Trial | None = None


@dataclass
class Standings:
    """How the variants stand, seen through a short memory. ``variants`` opens them when they are first looked at.

    A variant that answers and was not known to take calls is new: its word would count until the memory fades.
    """

    variants: Callable[[], Variants]
    observer: Observer
    monotonic: Callable[[], float] = time.monotonic
    _known: Standing = Standing(MAIN)
    _read_at_s: float | None = None
    _answered: set[str] = field(default_factory=set)

    def now(self, answered: str = "") -> Standing:
        """As they stand, or stood when the endpoint last told; ``answered`` is the variant that has just answered."""
        now_s = self.monotonic()
        strange = bool(answered) and answered not in {*self._known, *self._answered}
        if strange or self._read_at_s is None or now_s - self._read_at_s >= REMEMBERED_S:
            self._answered = {*self._answered, answered} if strange else set()
            self._read_at_s = now_s
            try:
                self._known = standing({name: one.weight for name, one in self.variants().now().items()})
            except Unavailable as error:
                self.observer.log("WARNING", "the endpoint does not tell its variants", detail=error.detail)
        return self._known


def standing(weights: Mapping[str, float]) -> Standing:
    """Who is who by ``weights``: of equals MAIN comes first, then the first by name."""
    names = sorted(weights, key=lambda name: (-weights[name], name != MAIN, name))
    takes_calls = [name for name in names if weights[name] > 0]
    return Standing(*takes_calls[:2]) if takes_calls else Standing(names[0] if names else MAIN)


@dataclass(frozen=True)
class Trials:
    """Asks the endpoint, and its incumbent too whenever somebody else has answered."""

    caller: Caller
    standings: Standings

    def ask(self, jpeg: bytes, tasks: Sequence[str], image_id: str) -> Tried | None:
        """What the incumbent says, or the only variant; None if it does not answer. A canary's word alone is none."""
        told = self.caller.ask(jpeg, tasks, image_id)
        if told is None:
            return None
        incumbent, canary = self.standings.now(told.variant)
        if not canary or told.variant == incumbent:
            return Tried(told)
        theirs = replace(self.caller, within_s=SECOND_S).ask(jpeg, tasks, image_id, variant=incumbent)
        if theirs is None:
            return None
        if not told.variant and _refused(theirs):  # SageMaker does not say who refuses: it may have been the incumbent
            return Tried(theirs)
        return Tried(theirs, compared(told.variant or canary, told, incumbent, theirs))

    def ask_also(
        self, views: Sequence[tuple[bytes, Sequence[str]]], image_id: str, *, needed: int
    ) -> list[Mapping[str, Finding]] | None:
        """Return the baseline's findings in further images of the same source, each for its own tasks.

        Only of the first ones if FURTHER_S does not suffice for all: the next attempt would not get farther. None if
        one is not answered at all, or the time does not suffice for ``needed``. A canary is not compared by them.
        """
        ends_s = self.caller.monotonic() + FURTHER_S
        baseline, canary = self.standings.now() if views else Standing(MAIN)
        found: list[Mapping[str, Finding]] = []
        for jpeg, tasks in views:
            left_s = ends_s - self.caller.monotonic()
            if left_s < self.caller.call_s + _BEGIN_S and len(found) >= needed:
                break
            caller = replace(self.caller, within_s=left_s)
            told = caller.ask(jpeg, tasks, image_id, variant=baseline if canary else "")
            if told is None:
                return None
            found.append(told.found)
        return found


def open_trials(environment: Mapping[str, str], breaker: Breaker, observer: Observer) -> Trials | None:
    """Those at the endpoint that a deployment names; None if it has none."""
    if environment["INFERENCE_MODE"] != "endpoint":
        return None
    name = environment.get("ENDPOINT_NAME", "")
    endpoint = Endpoint(client("sagemaker-runtime", environment, read_s=CALL_S, attempts=1), name)

    @cache
    def variants() -> Variants:  # a service that takes long to load
        return Variants(client("sagemaker", environment, read_s=WEIGHTS_S, attempts=2), name)

    return Trials(Caller(endpoint, breaker, observer), Standings(variants, observer))


def compared(canary: str, said_anew: Told, incumbent: str, said_before: Told) -> Trial:
    """How what ``canary`` says differs from what ``incumbent`` says, for the tasks that both did."""
    ours, theirs = said_anew.found, said_before.found
    tasks = {task: _compared(ours[task], theirs[task]) for task in ours if task in theirs}
    return Trial(canary, incumbent, tasks, (said_anew.took_ms, said_before.took_ms))


def _compared(ours: Finding, theirs: Finding) -> Compared:
    mine, other = said(ours), said(theirs)
    return Compared(disagreement(ours, theirs), (mine.empty, other.empty), (mine.confidence, other.confidence))


def _refused(told: Told) -> bool:
    return all(finding.error for finding in told.found.values())
