"""Keys that ``darkroom purge`` sends, and what their purge costs and takes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from darkroom.errors import BadKey
from darkroom.image_keys import check_key
from darkroom_pipeline.aws.cloudfront import MAX_WILDCARDS
from darkroom_pipeline.operations.cost_model import PriceTable
from darkroom_pipeline.services.purge.consumer import BULK_MESSAGES, BULK_PERIOD_S, REPEAT_AFTER_S, RESERVED_WILDCARDS

PASSES = 2
KEYS_A_SECOND = 10
"""Keys of two workers that compare a few derivatives each; a key with hundreds takes longer."""

INVALIDATION_S = 45
"""CloudFront completes an invalidation in ten seconds to a minute."""

ASKED_FROM = 100
"""Keys from which the command asks before it purges."""


class BadKeys(Exception):
    """Lines that are no keys, with the reason of the first ones."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a purge of ``keys`` costs at most in US dollars, beyond free tiers, and about how long it takes."""

    keys: int
    usd: float
    seconds: int

    def describe(self) -> str:
        """Return one line."""
        minutes = max(1, round(self.seconds / 60))
        took = f"{minutes} min" if minutes < 120 else f"{round(minutes / 60)} h"
        return f"{self.keys} {'key' if self.keys == 1 else 'keys'}: at most ${self.usd:.2f}, about {took}"


def estimate(keys: int, *, dialects: bool, prices: PriceTable) -> Estimate:
    """Estimate a purge of ``keys``. ``dialects``: whether a key has a path of IIIF, too."""
    wildcards = 2 if dialects else 1
    listed_s = PASSES * keys // KEYS_A_SECOND
    if keys < BULK_MESSAGES:
        paths = PASSES * keys * (1 + wildcards)
        waves = -(-PASSES * keys // ((MAX_WILDCARDS - RESERVED_WILDCARDS) // wildcards))
        seconds = max(listed_s, waves * INVALIDATION_S) + REPEAT_AFTER_S
    else:
        seconds = listed_s + 2 * BULK_PERIOD_S
        paths = seconds // BULK_PERIOD_S + 1
    requests = PASSES * keys
    amounts = {"s3-puts": 2.0 * requests, "s3-gets": 6.0 * requests, "sqs-requests": 2.0 * requests}
    usd = sum(prices.cost(amounts | {"cdn-invalidation-paths": float(paths)}).values())
    return Estimate(keys, usd, seconds)


def parse_keys(lines: Iterable[str]) -> list[str]:
    """Return the keys of a manifest, one a line, each once. Raises BadKeys for lines that are none."""
    keys, wrong = dict[str, None](), list[str]()
    for number, line in enumerate(lines, 1):
        if not (key := line.rstrip("\r\n")):
            continue
        try:
            keys[check_key(key)] = None
        except BadKey as error:
            wrong.append(f"line {number}: {error.message}")
    if wrong:
        more = f", and {len(wrong) - 3} more lines" if len(wrong) > 3 else ""
        raise BadKeys("; ".join(wrong[:3]) + more)
    return list(keys)
