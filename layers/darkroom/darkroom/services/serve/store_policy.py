"""Choose by chance whether a rendered derivative is stored: the setting ``store_derivatives = "auto"``.

Whether a derivative will be missed again is unknown. Rendering it at every miss is renting, storing it is buying: the
ski rental problem. The best strategy stores when the renders so far have cost a threshold, which is drawn from [0, 1]
with the density e^x / (e - 1), in units of the price of storing (Karlin, Manasse, McGeoch and Owicki, "Competitive
randomized algorithms for nonuniform problems", 1994). It costs at most e / (e - 1) = 1.58 times what an oracle pays.

That strategy needs a count of the misses of each derivative. Without one, every miss is taken for the first, with the
density at 0: this probability is close to the best constant one (``bench/storing.py``). A process that has seen misses
of the same derivative uses the density after those. The price to reach is then that of storing and a render, which an
oracle that stores pays, too.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from math import e, exp

PRICES = "prices.toml"

STORED_MONTHS = 1.0
"""Storage that a derivative is charged for, as in the tables of docs/explanation/cost.md."""

MAX_SEEN = 10_000
"""Derivatives whose misses a process remembers: about 1 MB."""

MEMORY_MB = "AWS_LAMBDA_FUNCTION_MEMORY_SIZE"
DEFAULT_MEMORY_MB = 1769.0
"""Memory outside of Lambda: that of ``Size=standard``."""


@dataclass(frozen=True, slots=True)
class UnitPrices:
    """US dollars of a second with 1 GB of memory, of a request to Lambda, a GET, a PUT, and a GB for a month."""

    gb_second: float
    request: float
    get: float
    put: float
    gb_month: float

    def price_call(self, memory_mb: float, billed_ms: float, gets: int) -> float:
        """Return the price of an invocation that takes ``billed_ms`` and reads ``gets`` objects."""
        return self._price_time(memory_mb, billed_ms) + self.request + gets * self.get

    def price_storing(self, memory_mb: float, wait_ms: float, size_bytes: int) -> float:
        """Return the price of a PUT and the check of the source beside it, of the wait for both, and of the storage."""
        storage = size_bytes / 1e9 * self.gb_month * STORED_MONTHS
        return self._price_time(memory_mb, wait_ms) + self.put + self.get + storage

    def _price_time(self, memory_mb: float, billed_ms: float) -> float:
        return memory_mb / 1024 * billed_ms / 1000 * self.gb_second


@dataclass(frozen=True, slots=True)
class MissCosts:
    """US dollars of a derivative: of a miss that renders it, of storing it, and of a miss that finds it stored."""

    render: float
    storing: float
    read: float


def compute_probability(costs: MissCosts, misses_seen: int = 0) -> float:
    """Return the probability with which a render is stored after ``misses_seen`` earlier ones of its derivative.

    Each render has the rent that storing would have saved. One without is never stored; one whose rent is e - 1 times
    the price of storing always is.
    """
    rent = costs.render - costs.read
    if rent <= 0:
        return 0.0
    if rent >= (e - 1) * costs.storing:
        return 1.0
    if not misses_seen:
        return rent / ((e - 1) * costs.storing)
    step = rent / (costs.storing + rent)
    spent = misses_seen * step
    return min(1.0, step * exp(spent) / (e - exp(spent))) if spent < 1 else 1.0


class SeenMisses:
    """Counts of the misses that a process has seen, of the ``most`` latest derivatives."""

    def __init__(self, most: int = MAX_SEEN) -> None:
        self._most = most
        self._counts: dict[int, int] = {}

    def add(self, derivative: object) -> int:
        """Count a miss of ``derivative``, of which only the hash is kept. Return the number of earlier ones."""
        key = hash(derivative)
        earlier = self._counts.pop(key, 0)
        self._counts[key] = earlier + 1
        if len(self._counts) > self._most:
            del self._counts[next(iter(self._counts))]
        return earlier

    def __len__(self) -> int:
        return len(self._counts)


def draw_uniform() -> float:
    """Draw a number of [0, 1). Processes of one snapshot draw different ones; :mod:`random` takes a cold start 4 ms."""
    return int.from_bytes(os.urandom(6)) / 2**48


@dataclass(frozen=True, slots=True)
class Rendering:
    """A derivative that was rendered, and what that took.

    ``version``: the entity tag of its master, whose other versions have other derivatives. ``gets``: objects that the
    function has requested. ``fetch_ms``: the part of ``billed_ms`` that S3 took to respond. A PUT takes about as long,
    and so does a stored derivative that the function reads.
    """

    name: str
    version: str
    size_bytes: int
    billed_ms: float
    fetch_ms: float
    gets: int


@dataclass(frozen=True, slots=True)
class StorePolicy:
    """Decides about renders of one process.

    ``cdn_reads``: the CDN reads the store before it calls the function. Otherwise the function does both.
    """

    prices: Callable[[], UnitPrices]
    memory_mb: float = DEFAULT_MEMORY_MB
    cdn_reads: bool = True
    draw: Callable[[], float] = draw_uniform
    seen: SeenMisses = field(default_factory=SeenMisses)

    def chooses(self, rendering: Rendering) -> bool:
        """Return whether to store ``rendering``, whose miss is counted."""
        misses_seen = self.seen.add((rendering.name, rendering.version))
        return self.draw() < compute_probability(self.price(rendering), misses_seen)

    def price(self, rendering: Rendering) -> MissCosts:
        """Return the prices of a miss like that of ``rendering``, and of storing it."""
        prices = self.prices()
        asked = prices.get if self.cdn_reads else 0.0
        render = asked + prices.price_call(self.memory_mb, rendering.billed_ms, rendering.gets)
        by_function = prices.price_call(self.memory_mb, rendering.fetch_ms, rendering.gets)
        read = prices.get if self.cdn_reads else by_function
        storing = prices.price_storing(self.memory_mb, rendering.fetch_ms, rendering.size_bytes)
        return MissCosts(render, storing, read)


@cache
def load_unit_prices(machine: str) -> UnitPrices:
    """Read the prices of S3 and of a function on ``machine``, as :func:`os.uname` names it, from ``prices.toml``."""
    import tomllib
    from pathlib import Path

    document = tomllib.loads((Path(__file__).parents[2] / PRICES).read_text(encoding="utf-8"))

    def price(name: str) -> float:
        entry: Mapping[str, float] = document["prices"][name]
        return entry["usd"] / entry["per"]

    compute = "lambda-x86-gb-seconds" if machine == "x86_64" else "lambda-arm64-gb-seconds"
    names = (compute, "lambda-requests", "s3-gets", "s3-puts", "s3-gb-months")
    return UnitPrices(*map(price, names))


def build_store_policy(*, cdn_reads: bool, environment: Mapping[str, str] = os.environ) -> StorePolicy:
    """Return the policy of a function with this environment."""
    memory_mb = float(environment.get(MEMORY_MB, DEFAULT_MEMORY_MB))
    return StorePolicy(lambda: load_unit_prices(os.uname().machine), memory_mb, cdn_reads)
