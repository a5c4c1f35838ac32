"""Decide what in a planned deployment is in the way of a flat-rate plan of CloudFront. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from cli.flat_rate.distributions import Distribution, list_distributions
from cli.flat_rate.obstacles import LABELS, Obstacle, list_obstacles
from cli.flat_rate.plans import Tier, load_flat_rate_plans
from cli.template_values import Resolver

from .checks import Finding, Status
from .plan import Plan
from .regions import WEB_ACL_REGION

RULE = "PlanFeatures"
"""The rule of template.yaml about flat-rate plans."""

_CREATE_WEB_ACL = (
    f"aws wafv2 create-web-acl --region {WEB_ACL_REGION} --scope CLOUDFRONT --name NAME --default-action Allow={{}} "
    "--visibility-config SampledRequestsEnabled=true,CloudWatchMetricsEnabled=true,MetricName=NAME"
)


def check_flat_rate(plan: Plan, tier: Tier, template: Mapping[str, Any]) -> Iterator[Finding]:
    """Check each distribution of a deployment against a plan, and the rule of ``template``, which is template.yaml."""
    subject = f"flat-rate plan {tier}"
    yield from _check_rule(plan, template, subject)
    stacks = {"": plan.planned} | dict(plan.further)
    found = [(name, _qualify(name, one)) for name, planned in stacks.items() for one in list_distributions(planned)]
    for name, one in found:
        obstacles = list_obstacles(one, [other for _, other in found], tier)
        for obstacle in obstacles:
            yield _describe(plan, tier, name, one, obstacle)
        if not obstacles:
            yield Finding(Status.OK, subject, f"{one.name} can have it: {_summarise(one)}")


def find_tier(plan: Plan, asked: Tier) -> Tier:
    """Return the tier to check: the one that is asked for, else that of the deployment, empty if it has none."""
    chosen = plan.text("PriceClass")
    return asked or (chosen if chosen in load_flat_rate_plans().tiers else "")


def _check_rule(plan: Plan, template: Mapping[str, Any], subject: str) -> Iterator[Finding]:
    """Yield what CloudFormation will refuse."""
    rule = template.get("Rules", {}).get(RULE, {"Assertions": []})
    resolver = Resolver(template, plan.parameters, plan.stack, plan.region, is_planned=True)
    if not rule["Assertions"] or not resolver.resolve(rule["RuleCondition"]):
        return
    for one in rule["Assertions"]:
        if not resolver.resolve(one["Assert"]):
            found, _, action = str(one["AssertDescription"]).partition("; ")
            yield Finding(Status.PROBLEM, subject, found, f"{action[:1].upper()}{action[1:]}.")


def _qualify(further: str, distribution: Distribution) -> Distribution:
    """Name what belongs to a further stack by its name, since logical ids are unique within a template only."""
    if not further:
        return distribution

    def qualify(name: str) -> str:
        return name if not name or name.startswith("arn:") else f"{further} {name}"

    return replace(
        distribution,
        name=qualify(distribution.name),
        functions=frozenset(map(qualify, distribution.functions)),
        stores=frozenset(map(qualify, distribution.stores)),
        web_acl=qualify(distribution.web_acl),
    )


def _describe(plan: Plan, tier: Tier, further: str, distribution: Distribution, obstacle: Obstacle) -> Finding:
    subject, found = f"flat-rate plan {tier}", f"{distribution.name}: {obstacle.text}"
    if obstacle.subject == "web ACL":
        action = f"Set WebAclArn to one that no other distribution has, or WafRateLimit in {WEB_ACL_REGION}."
        if further:
            action = f"Set {further}.WebAclArn to one that no other distribution has."
        return Finding(Status.PROBLEM, subject, found, action, _CREATE_WEB_ACL)
    if not further and obstacle.subject in LABELS and plan.text("PriceClass") != tier:
        command = f"sam deploy --region {plan.region} --parameter-overrides PriceClass={tier}"
        return Finding(Status.PROBLEM, subject, found, f"Deploy with PriceClass={tier}.", command)
    return Finding(Status.PROBLEM, subject, found, "docs/guides/flat-rate-plans.md has the alternatives.")


def _summarise(distribution: Distribution) -> str:
    used = [LABELS[feature] for feature in distribution.features]
    return f"{distribution.behaviours} cache behaviours{', ' if used else ''}{', '.join(used)}"
