"""Decide by the seed which request fails, and how."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from .parse_aws_request import AwsRequest
from .seeded_rng import seeded_random


class Fault(StrEnum):
    """Kinds of faults. The service does not receive the first four; it processes the others."""

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
"""Weights of the kinds.

Faults after the service processed the request are more frequent, because clients misjudge them.
"""

EXTRA_FAILURES = (0, 0, 0, 0, 1, 2, 3, 5)
"""How many repeats of a failed request fail as well. Clients retry twice: with fewer, a fault stays invisible."""


class FaultDecision(NamedTuple):
    """A fault, or None. ``share`` is the fraction of a pause or of a response, from 0 to 1."""

    fault: Fault | None
    share: float


@dataclass
class FaultPlan:
    """Decides for each request whether it fails. ``rates`` is the share of failing requests by service, from 0 to 1.

    The n-th occurrence of a worker's request for an object gets the same decision in every run with this seed.
    ``allowed`` returns the faults that there may be so far, of all workers but those that ``unlimited`` names.
    """

    seed: int
    rates: Mapping[str, float]
    allowed: Callable[[], float] = lambda: math.inf
    unlimited: frozenset[str] = frozenset()
    suspended: bool = False
    spent: int = 0
    _counts: Counter[AwsRequest] = field(default_factory=Counter)

    def decide(self, aws_request: AwsRequest) -> FaultDecision:
        """Decide about this request, and count it. None fails while ``suspended`` or without a rate."""
        number = self._counts[aws_request]
        self._counts[aws_request] += 1
        limited = aws_request.function not in self.unlimited
        ends = self.suspended or (limited and self.spent >= self.allowed())
        fault = None if ends else self.fault(aws_request, number)
        self.spent += limited and fault is not None
        return FaultDecision(fault, seeded_random(self.seed, "share", *aws_request, number).random() if fault else 0.0)

    def fault(self, aws_request: AwsRequest, number: int) -> Fault | None:
        """Return the fault of repeat ``number`` (from 0) of a request."""
        for back in range(min(number, max(EXTRA_FAILURES)) + 1):
            rng = seeded_random(self.seed, "fault", *aws_request, number - back)
            if rng.random() < self.rates.get(aws_request.service, 0.0) and rng.choice(EXTRA_FAILURES) >= back:
                return seeded_random(self.seed, "kind", *aws_request, number).choices(
                    list(WEIGHTS), list(WEIGHTS.values())
                )[0]
        return None
