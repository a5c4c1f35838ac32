"""What pictures cost: measured amounts times the price table. Pure, but for reading that table beside this file.

An amount is named by what is charged for, as the table names it: ``{"lambda-requests": 1200, "s3-puts": 300}``.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from math import ceil
from pathlib import Path

PRICES = Path(__file__).with_name("prices.toml")

PARTS = ("compute", "requests", "storage", "monitoring", "endpoint")
"""What a cost is divided into. ``requests`` has all that is charged by the piece, and what the CDN delivers;
``monitoring`` is metrics, alarms, dashboards and the calls that read them."""

FULL_CORE_MB = 1769
"""The memory at which Lambda gives a function one whole processor core (AWS Lambda's guide, "Configure Lambda function
memory"). Below it the share of a core is in proportion."""

HOURS_A_MONTH = 730.0
"""As AWS's own calculator counts."""

COMPUTE = {"arm64": "lambda-arm64-gb-seconds", "x86_64": "lambda-x86-gb-seconds"}
"""What a function's time is charged as, by its processor as Lambda calls it."""

type Architecture = str
"""One of COMPUTE."""

type Amounts = Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Price:
    """``usd`` for ``per`` units. ``part`` is one of PARTS, ``page`` where the price was found."""

    usd: float
    per: float
    part: str
    page: str

    @property
    def usd_per_unit(self) -> float:
        """US dollars for one unit."""
        return self.usd / self.per


@dataclass(frozen=True, slots=True)
class PriceTable:
    """Prices by what they are for, as they were on the day that they were ``read``."""

    prices: Mapping[str, Price]
    read_on: date

    def cost(self, amounts: Amounts) -> dict[str, float]:
        """US dollars for ``amounts``, by part, every one of which is there; raises KeyError for what has no price."""
        parts = dict.fromkeys(PARTS, 0.0)
        for name, amount in amounts.items():
            price = self.prices[name]
            parts[price.part] += amount * price.usd_per_unit
        return parts

    def has_price(self, name: str) -> bool:
        """Whether there is a price for ``name``."""
        return name in self.prices


MEMORY_MB = (1024, 1769, 3008)
"""Sizes of the transform function that the template has (``RenderMb`` of its mapping Sizes)."""

MEMORY_MARGIN = 1.3
"""A function gets the memory that its process was seen to need, and so much more for pictures that need more."""

MEBIBYTE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class RenderTime:
    """One picture's render on one whole core: ``wall_ms`` in all, ``cpu_ms`` of it computing rather than waiting.

    ``start_ms`` is what a cold start takes more than that, all of it computing. Lambda bills that too, as part of the
    first request or, since August 2025, as its initialisation.
    """

    wall_ms: float
    cpu_ms: float
    start_ms: float = 0.0


@dataclass(frozen=True, slots=True)
class ServiceDesign:
    """How a service answers what its CDN does not have.

    ``stored``: the share of misses that an earlier render answers, out of a bucket. A render gets one object, and makes
    ``looks`` more requests that are charged like a GET; if ``stores``, it puts one, of ``picture_bytes``, which lies
    there for a month. ``cold``: the share of renders that start a process. ``rest_api``: the function is behind API
    Gateway.
    """

    render: RenderTime
    picture_bytes: int
    stores: bool = False
    stored_share: float = 0.0
    extra_gets: int = 0
    cold_share: float = 0.0
    rest_api: bool = False


def load_prices(path: Path = PRICES) -> PriceTable:
    """The table in ``path``; raises ValueError if it is none."""
    document = tomllib.loads(path.read_text(encoding="utf-8"))
    prices = {name: Price(**fields) for name, fields in document["prices"].items()}
    if wrong := [name for name, price in prices.items() if price.part not in PARTS or price.per <= 0]:
        raise ValueError(f"{path.name}: {', '.join(wrong)}")
    return PriceTable(prices, document["read"])


def function_amounts(
    memory_mb: float, billed_ms: float, requests: float, architecture: Architecture = "arm64"
) -> dict[str, float]:
    """What Lambda charges for ``requests`` that took ``billed_ms`` together."""
    return {COMPUTE[architecture]: memory_mb / 1024 * billed_ms / 1000, "lambda-requests": requests}


def endpoint_amounts(instance_type: str, machines: float, hours: float) -> dict[str, float]:
    """What SageMaker charges for ``machines`` of a type, such as ml.g4dn.xlarge, that ran for ``hours``."""
    return {f"endpoint-hours-{instance_type.replace('.', '-')}": machines * hours}


def sum_amounts(*amounts: Amounts) -> dict[str, float]:
    """All amounts together."""
    names = dict.fromkeys(name for one in amounts for name in one)
    return {name: sum(one.get(name, 0.0) for one in amounts) for name in names}


def billed_ms(work: RenderTime, memory_mb: float) -> int:
    """What Lambda bills for one warm render, in whole ms: computing takes longer on a part of a core, waiting does not.

    More memory than one core's worth makes nothing quicker: one picture is one thread's work.
    """
    return ceil(work.wall_ms + work.cpu_ms * (1 / _core_share(memory_mb) - 1))


def billed_start_ms(work: RenderTime, memory_mb: float) -> int:
    """What Lambda bills more for a render that starts a process, in whole ms."""
    return ceil(work.start_ms / _core_share(memory_mb))


def sufficient_sizes_mb(peak_rss_mb: float) -> list[int]:
    """The sizes of MEMORY_MB for a process that was seen to need ``peak_rss_mb`` at most, in MB of 10^6 bytes."""
    needed = peak_rss_mb * 1e6 / MEBIBYTE * MEMORY_MARGIN
    return [size for size in MEMORY_MB if size >= needed]


def cheapest_mb(
    prices: PriceTable, design: ServiceDesign, peak_rss_mb: float, architecture: Architecture = "x86_64"
) -> int:
    """The size that its misses cost least with; raises ValueError if none holds it."""
    return min(
        sufficient_sizes_mb(peak_rss_mb),
        key=lambda size: sum(misses_cost(prices, design, size, architecture=architecture).values()),
    )


def requests_cost(
    prices: PriceTable,
    design: ServiceDesign,
    memory_mb: float,
    *,
    requests: float = 1_000_000,
    hit_ratio: float = 0.8,
    architecture: Architecture = "x86_64",
) -> dict[str, float]:
    """US dollars by part for viewers' ``requests``, ``hit_ratio`` of which the CDN answers itself. Without delivery."""
    misses = requests * (1 - hit_ratio)
    viewers = {"cdn-requests": requests, "cdn-functions": requests}
    return prices.cost(sum_amounts(viewers, _miss_amounts(design, memory_mb, misses, architecture)))


def misses_cost(
    prices: PriceTable,
    design: ServiceDesign,
    memory_mb: float,
    *,
    misses: float = 1_000_000,
    architecture: Architecture = "x86_64",
) -> dict[str, float]:
    """US dollars by part for what the CDN does not have, without what it charges itself."""
    return prices.cost(_miss_amounts(design, memory_mb, misses, architecture))


def with_misses(design: ServiceDesign, times: float) -> ServiceDesign:
    """``design`` where the CDN misses each picture so many ``times`` within the month that it is stored for."""
    return replace(design, stored_share=1 - 1 / times if design.stores else 0.0)


def break_even_requests(
    prices: PriceTable, design: ServiceDesign, memory_mb: float, architecture: Architecture = "x86_64"
) -> float:
    """How many times a stored picture must be asked for again, in a month, to cost no more than rendering each time."""
    first = prices.cost({"s3-puts": 1, "s3-gb-months": design.picture_bytes / 1e9})
    render = prices.cost(_render_amounts(design, memory_mb, 1, architecture))
    look = prices.cost({"s3-gets": 1})
    return (sum(first.values()) + sum(look.values())) / (sum(render.values()) - sum(look.values()))


def _core_share(memory_mb: float) -> float:
    """The share of a processor's core that comes with a memory size."""
    return min(1.0, memory_mb / FULL_CORE_MB)


def _miss_amounts(
    design: ServiceDesign, memory_mb: float, misses: float, architecture: Architecture
) -> dict[str, float]:
    renders = misses * (1 - design.stored_share)
    return sum_amounts(
        _render_amounts(design, memory_mb, renders, architecture),
        _stored_amounts(design, misses, renders) if design.stores else {},
        {"rest-api-requests": misses} if design.rest_api else {},
    )


def _render_amounts(
    design: ServiceDesign, memory_mb: float, renders: float, architecture: Architecture
) -> dict[str, float]:
    """The function, and what it gets from its buckets."""
    each_ms = billed_ms(design.render, memory_mb) + design.cold_share * billed_start_ms(design.render, memory_mb)
    return sum_amounts(
        function_amounts(memory_mb, each_ms * renders, renders, architecture),
        {"s3-gets": (1 + design.extra_gets) * renders},
    )


def _stored_amounts(design: ServiceDesign, misses: float, renders: float) -> dict[str, float]:
    """The bucket is asked at every miss, and takes what is rendered."""
    return {"s3-gets": misses, "s3-puts": renders, "s3-gb-months": renders * design.picture_bytes / 1e9}
