"""List what keeps a distribution from a flat-rate plan.

The rules are those of the Amazon CloudFront Developer Guide, "CloudFront flat-rate pricing plans": "Features by pricing
plan tier", "Unsupported features" and "Unsupported associations".
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from .distributions import Distribution
from .plans import FlatRatePlans, Tier, load_flat_rate_plans

LABELS = {
    "edge_store": "a key-value store at the edge",
    "access_logs": "access logs",
    "cache_policy": "a cache policy of its own",
    "origin_request_policy": "an origin request policy of its own",
    "response_headers_policy": "a response headers policy of its own",
    "vpc_origin": "an origin in a VPC",
    "origin_failover": "origin failover",
    "origin_shield": "Origin Shield",
}
"""Names of the features of plans.toml."""


@dataclass(frozen=True, slots=True)
class Obstacle:
    """A reason why a distribution cannot have a plan. ``subject`` is a feature of plans.toml or another word."""

    subject: str
    text: str


def list_obstacles(distribution: Distribution, others: Sequence[Distribution], tier: Tier) -> list[Obstacle]:
    """Return what keeps ``distribution`` from a plan of ``tier``, beside ``others`` of the same deployment.

    Raises KeyError for an unknown tier.
    """
    plans = load_flat_rate_plans()
    plan = plans.plan(tier)
    found = [*_list_features(distribution, plans, tier)]
    if distribution.behaviours > plan.cache_behaviours:
        text = f"{distribution.behaviours} cache behaviours, of which {tier} has {plan.cache_behaviours}"
        found.append(Obstacle("behaviours", text))
    if distribution.web_acl_rules > plan.web_acl_rules:
        text = f"{distribution.web_acl_rules} rules of the web ACL, of which {tier} has {plan.web_acl_rules}"
        found.append(Obstacle("web ACL", text))
    if not distribution.web_acl:
        found.append(Obstacle("web ACL", "no web ACL, which each plan requires"))
    found += [Obstacle("unsupported", f"{one}, which no plan has") for one in distribution.unsupported]
    return [*found, *_list_shared(distribution, others)]


def _list_features(distribution: Distribution, plans: FlatRatePlans, tier: Tier) -> Iterator[Obstacle]:
    for feature, use in distribution.features.items():
        if not plans.has(tier, feature):
            yield Obstacle(feature, f"{LABELS[feature]} ({use}), from {plans.features[feature]} upwards")


def _list_shared(distribution: Distribution, others: Sequence[Distribution]) -> Iterator[Obstacle]:
    """Yield resources that other distributions use as well: a plan requires them for itself."""
    for other in others:
        if other.name == distribution.name:
            continue
        shared = (distribution.functions & other.functions) | (distribution.stores & other.stores)
        if distribution.web_acl and distribution.web_acl == other.web_acl:
            shared |= {distribution.web_acl}
        if shared:
            yield Obstacle("shared", f"{', '.join(sorted(shared))}: {other.name} uses it too")


def list_tiers(distribution: Distribution, others: Sequence[Distribution]) -> tuple[Tier, ...]:
    """Return the tiers of the plans that a distribution can have."""
    return tuple(tier for tier in load_flat_rate_plans().tiers if not list_obstacles(distribution, others, tier))
