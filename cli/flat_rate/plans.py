"""Prices, allowances and features of CloudFront's flat-rate plans, from ``plans.toml``, which names its sources."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path

TABLE = Path(__file__).with_name("plans.toml")

type Tier = str
"""``free``, ``pro``, ``business`` or ``premium``, in rising order."""


@dataclass(frozen=True, slots=True)
class Level:
    """A monthly price, and the allowances of viewers' requests and of data to viewers for it.

    ``gigabytes`` are decimal. The allowances are no hard limits: beyond them, AWS charges nothing and may deliver more
    slowly.
    """

    name: str
    usd_per_month: float
    requests: int
    gigabytes: int

    def covers(self, requests: float, gigabytes: float) -> bool:
        """Return whether a month's requests and data are within the allowances."""
        return requests <= self.requests and gigabytes <= self.gigabytes


@dataclass(frozen=True, slots=True)
class FlatRatePlan:
    """A plan: its levels by rising price, and the largest number of cache behaviours and of rules of the web ACL."""

    tier: Tier
    levels: tuple[Level, ...]
    cache_behaviours: int
    web_acl_rules: int

    def label(self, level: Level) -> str:
        """Return the plan's name with that of the level, unless it is the usual one."""
        return self.tier.capitalize() + ("" if level.name == "DEFAULT" else f" ({level.name})")


@dataclass(frozen=True, slots=True)
class FreeTier:
    """What pay-as-you-go has free of charge each month: requests, data to viewers, and runs of CloudFront Functions."""

    requests: int
    gigabytes: int
    functions: int


@dataclass(frozen=True, slots=True)
class FlatRatePlans:
    """The table of a day. ``plans`` rise; ``features`` names the lowest tier with each feature."""

    plans: tuple[FlatRatePlan, ...]
    features: Mapping[str, Tier]
    managed_policies: Mapping[str, Sequence[str]]
    free_tier: FreeTier
    read_on: date

    @property
    def tiers(self) -> tuple[Tier, ...]:
        """Return the tiers in rising order."""
        return tuple(plan.tier for plan in self.plans)

    def plan(self, tier: Tier) -> FlatRatePlan:
        """Return the plan of a tier. Raises KeyError for an unknown one."""
        return {plan.tier: plan for plan in self.plans}[tier]

    def has(self, tier: Tier, feature: str) -> bool:
        """Return whether a tier has a feature of ``features``. Raises KeyError or ValueError for unknown names."""
        return self.tiers.index(tier) >= self.tiers.index(self.features[feature])


@cache
def load_flat_rate_plans() -> FlatRatePlans:
    """Read the table."""
    document = tomllib.loads(TABLE.read_text(encoding="utf-8"))
    plans = tuple(
        FlatRatePlan(
            one["tier"],
            tuple(Level(**level) for level in one["levels"]),
            one["cache_behaviours"],
            one["web_acl_rules"],
        )
        for one in document["plans"]
    )
    free_tier = FreeTier(**document["free_tier"])
    return FlatRatePlans(plans, document["features"], document["managed_policies"], free_tier, document["read"])
