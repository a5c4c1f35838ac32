"""Which request goes wrong, and how."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from .parse_aws_request import AwsRequest
from .seeded_rng import seeded_random


class Fault(StrEnum):
    """What happens to a request. The first four never reach the service; the others are carried out."""

    ERROR = "5xx instead"
    THROTTLE = "throttled"
    RESET = "connection reset before"
    HANG = "no answer, not carried out"
    ERROR_AFTER = "carried out, then 5xx"
    RESET_AFTER = "carried out, then connection reset"
    HANG_AFTER = "carried out, no answer"
    CUT = "answer cut off"
    LATE = "connection reset, carried out later"
    SLOW = "slow"


WEIGHTS: Mapping[Fault, int] = {
    Fault.ERROR: 3,
    Fault.THROTTLE: 3,
    Fault.RESET: 2,
    Fault.HANG: 1,
    Fault.ERROR_AFTER: 4,
    Fault.RESET_AFTER: 4,
    Fault.HANG_AFTER: 1,
    Fault.CUT: 2,
    Fault.LATE: 2,
    Fault.SLOW: 3,
}
"""Most lots fall on what was carried out although its caller thinks otherwise: that is the nastier case."""

GRUDGES = (0, 0, 0, 0, 1, 2, 3, 5)
"""How many repeats of a faulted request fail as well. Clients repeat twice: only a grudge gets past them."""


class FaultDecision(NamedTuple):
    """What goes wrong, and how far: ``share`` of a pause or of an answer, from 0 to 1."""

    fault: Fault | None
    share: float


@dataclass
class FaultPlan:
    """Says of each request whether it fails. ``rates`` is the share of requests by service, from 0 to 1.

    The n-th time that a worker asks the same of the same object has the same fate in every run with this seed.
    """

    seed: int
    rates: Mapping[str, float]
    calm: bool = False
    _asked: Counter[AwsRequest] = field(default_factory=Counter)

    def next_fate(self, asked: AwsRequest) -> FaultDecision:
        """The fate of this request, counted as one more of its kind. In calm none fails, without a rate neither."""
        number = self._asked[asked]
        self._asked[asked] += 1
        fault = None if self.calm else self.fault(asked, number)
        return FaultDecision(fault, seeded_random(self.seed, "share", *asked, number).random() if fault else 0.0)

    def fault(self, asked: AwsRequest, number: int) -> Fault | None:
        """The fate of repeat ``number`` (from 0) of a request."""
        for back in range(min(number, max(GRUDGES)) + 1):
            chance = seeded_random(self.seed, "fault", *asked, number - back)
            if chance.random() < self.rates.get(asked.service, 0.0) and chance.choice(GRUDGES) >= back:
                return seeded_random(self.seed, "kind", *asked, number).choices(list(WEIGHTS), list(WEIGHTS.values()))[
                    0
                ]
        return None
