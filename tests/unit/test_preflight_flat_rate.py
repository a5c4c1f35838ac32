"""Preflight of CloudFront's flat-rate plans, for planned deployments of the templates."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

import pytest

from cli.commands.deployments import FLAT_RATE_TIERS
from cli.flat_rate.plans import load_flat_rate_plans
from cli.preflight.checks import Finding, Status
from cli.preflight.flat_rate import check_flat_rate, find_tier
from cli.preflight.plan import Plan
from cli.preflight.templates import TEMPLATE, fill_defaults, plan_resources
from cli.template_values import read_template
from extensions import find_template

REGION = "eu-central-1"
ACL = "arn:aws:wafv2:us-east-1:111122223333:global/webacl/name/0a1b"


@functools.cache
def delivery(path: Path) -> dict[str, Any]:
    """A template without the resources that are neither CloudFront's nor the firewall's."""
    whole = read_template(path)
    kinds = ("AWS::CloudFront::", "AWS::WAFv2::")
    kept = {name: one for name, one in whole["Resources"].items() if one["Type"].startswith(kinds)}
    return {**whole, "Resources": kept}


def deployment(further: tuple[str, ...] = (), further_acl: str = "", **parameters: str) -> Plan:
    values = fill_defaults(delivery(TEMPLATE), parameters)
    planned = tuple(plan_resources(delivery(TEMPLATE), TEMPLATE, values, "darkroom", REGION))
    beside = {}
    for name in further:
        path = find_template(name)
        own = fill_defaults(delivery(path), {"WebAclArn": further_acl})
        beside[name] = tuple(plan_resources(delivery(path), path, own, name, REGION))
    return Plan("darkroom", REGION, values, {}, planned, beside)


def check(tier: str, *further: str, further_acl: str = "", **parameters: str) -> list[Finding]:
    return list(check_flat_rate(deployment(further, further_acl, **parameters), tier, delivery(TEMPLATE)))


def problems(findings: list[Finding]) -> list[str]:
    return [one.found for one in findings if one.status is Status.PROBLEM]


def test_the_command_offers_each_plan() -> None:
    assert load_flat_rate_plans().tiers == FLAT_RATE_TIERS


def test_business_names_what_is_in_the_way_and_the_remedy() -> None:
    failover, acl = check("business")
    assert failover.found == "Distribution: origin failover (stored-or-rendered), from premium upwards"
    assert failover.command == "sam deploy --region eu-central-1 --parameter-overrides PriceClass=business"
    assert acl.found == "Distribution: no web ACL, which each plan requires"
    assert acl.command.startswith("aws wafv2 create-web-acl --region us-east-1 --scope CLOUDFRONT")
    assert {failover.status, acl.status} == {Status.PROBLEM}


@pytest.mark.parametrize("tier", FLAT_RATE_TIERS)
def test_a_prepared_deployment_passes(tier: str) -> None:
    [found] = check(tier, PriceClass=tier, WebAclArn=ACL)
    assert (found.status, found.subject) == (Status.OK, f"flat-rate plan {tier}")


def test_pro_names_each_feature() -> None:
    found = problems(check("pro", PriceClass="business", WebAclArn=ACL))
    assert [one.partition(" (")[0] for one in found] == [
        "Distribution: a cache policy of its own",
        "Distribution: an origin request policy of its own",
        "Distribution: a response headers policy of its own",
    ]


def test_what_cloudformation_will_refuse_is_named_before() -> None:
    refused = {"Dialects": "on", "CorsOrigins": "https://a.example", "AccessLogDays": "3", "WebAclArn": ACL}
    found = problems(check("free", PriceClass="free", **refused))
    assert "The plan free has no access logs" in found
    assert "The policies of free and pro allow any origin or none" in found
    assert "URLs of other services need a cache policy of their own, which free and pro do not have" in found


@pytest.mark.parametrize(
    ("chosen", "asked", "tier"),
    [
        ("PriceClass_All", "", ""),
        ("business", "", "business"),
        ("business", "pro", "pro"),
        ("PriceClass_100", "pro", "pro"),
    ],
)
def test_the_tier_is_the_deployments_unless_another_is_asked_for(chosen: str, asked: str, tier: str) -> None:
    assert find_tier(deployment(PriceClass=chosen), asked) == tier
