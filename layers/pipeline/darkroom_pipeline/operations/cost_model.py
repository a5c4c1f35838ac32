"""Multiply amounts by the price table ``darkroom/prices.toml``.

Amounts are by the names of the table: ``{"lambda-requests": 1200, "s3-puts": 300}``.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import darkroom

PRICES = Path(darkroom.__file__).with_name("prices.toml")

PARTS = ("compute", "requests", "storage", "monitoring", "endpoint")
"""Parts of a cost. ``requests`` are charges per request, and delivery by the CDN; ``monitoring`` is metrics, alarms,
dashboards and the calls that read them."""

HOURS_A_MONTH = 730.0
"""As in the AWS Pricing Calculator."""

EDGE_FUNCTIONS = 2
"""CloudFront Functions that run for a view: EdgeFunction on the request, VaryFunction on the response."""

COMPUTE = {"arm64": "lambda-arm64-gb-seconds", "x86_64": "lambda-x86-gb-seconds"}
"""Name of a function's duration in the price table, by its architecture."""

SERVERLESS = "serverless"
"""EndpointInstanceType of an endpoint that has no instances."""

SERVERLESS_GB = 4.0
"""Memory of a serverless endpoint (``stacks/inference.yaml``)."""

type Architecture = str
"""One of COMPUTE."""

type Amounts = Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Price:
    """``usd`` for ``per`` units. ``part`` is one of PARTS, ``page`` the source of the price."""

    usd: float
    per: float
    part: str
    page: str

    @property
    def usd_per_unit(self) -> float:
        """Return the price of one unit in US dollars."""
        return self.usd / self.per


@dataclass(frozen=True, slots=True)
class PriceTable:
    """Prices by name, of the day ``read_on``."""

    prices: Mapping[str, Price]
    read_on: date

    def cost(self, amounts: Amounts) -> dict[str, float]:
        """Return the cost of ``amounts`` in US dollars by part, all parts included. Raises KeyError without a price."""
        parts = dict.fromkeys(PARTS, 0.0)
        for name, amount in amounts.items():
            price = self.prices[name]
            parts[price.part] += amount * price.usd_per_unit
        return parts

    def without_price(self, amounts: Amounts) -> tuple[str, ...]:
        """Return the names of ``amounts`` that have no price."""
        return tuple(name for name in amounts if name not in self.prices)


def load_prices(path: Path = PRICES) -> PriceTable:
    """Read the table in ``path``. Raises ValueError if it is invalid."""
    document = tomllib.loads(path.read_text(encoding="utf-8"))
    prices = {name: Price(**fields) for name, fields in document["prices"].items()}
    if wrong := [name for name, price in prices.items() if price.part not in PARTS or price.per <= 0]:
        raise ValueError(f"{path.name}: {', '.join(wrong)}")
    return PriceTable(prices, document["read"])


def function_amounts(
    memory_mb: float, billed_ms: float, requests: float, architecture: Architecture = "arm64"
) -> dict[str, float]:
    """Return the amounts of ``requests`` to a function that took ``billed_ms`` in total."""
    return {COMPUTE[architecture]: memory_mb / 1024 * billed_ms / 1000, "lambda-requests": requests}


def endpoint_amounts(instance_type: str, machines: float, hours: float) -> dict[str, float]:
    """Return the amounts of ``machines`` of a type, such as ml.g4dn.xlarge, that ran for ``hours``."""
    return {f"endpoint-hours-{instance_type.replace('.', '-')}": machines * hours}


def serverless_amounts(billed_s: float) -> dict[str, float]:
    """Return the amounts of a serverless endpoint of SERVERLESS_GB whose calls took ``billed_s`` in total."""
    return {"endpoint-serverless-gb-seconds": SERVERLESS_GB * billed_s}


def sum_amounts(*amounts: Amounts) -> dict[str, float]:
    """Return the sum of all amounts by name."""
    names = dict.fromkeys(name for one in amounts for name in one)
    return {name: sum(one.get(name, 0.0) for one in amounts) for name in names}
