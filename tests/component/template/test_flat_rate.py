"""What keeps each distribution of all templates from CloudFront's flat-rate plans."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from cli.flat_rate.distributions import DISTRIBUTION, Distribution, list_distributions
from cli.flat_rate.obstacles import list_obstacles, list_tiers
from cli.flat_rate.plans import load_flat_rate_plans
from cli.preflight.templates import Planned, fill_defaults, plan_resources
from cli.template_values import Resolver, read_template

from .stack import TEMPLATE, TEMPLATES, Stack, broken_rules, name_template

ACL = "arn:aws:wafv2:us-east-1:111122223333:global/webacl/name/0a1b"
CERTIFICATE = "arn:aws:acm:us-east-1:111122223333:certificate/0a1b"
TIERS = load_flat_rate_plans().tiers
CHOICES = {
    "PriceClass": ("PriceClass_All", *TIERS),
    "WebAclArn": ("", ACL),
    "WafRateLimit": ("0", "1000"),
    "Dialects": ("off", "on"),
    "CorsOrigins": ("*", "", "https://a.example"),
    "AccessLogDays": ("0", "30"),
    "OriginShieldRegion": ("", "us-east-1"),
    "ImgproxyDomainName": ("", "img.example.com"),
    "CertificateArn": ("", CERTIFICATE),
    "InferenceMode": ("off", "lambda"),
}


@functools.cache
def delivery(path: Path) -> dict[str, Any]:
    """A template without the resources that are neither CloudFront's nor the firewall's."""
    whole = read_template(path)
    kinds = ("AWS::CloudFront::", "AWS::WAFv2::")
    kept = {name: one for name, one in whole["Resources"].items() if one["Type"].startswith(kinds)}
    return {**whole, "Resources": kept}


def planned(path: Path = TEMPLATE, **parameters: str) -> list[Distribution]:
    """The distributions that a template creates for these parameters."""
    values = fill_defaults(delivery(path), parameters)
    return list_distributions(plan_resources(delivery(path), path, values, "stack", "us-east-1"))


def eligible(path: Path = TEMPLATE, **parameters: str) -> dict[str, tuple[str, ...]]:
    """The tiers that each distribution of a template can have."""
    found = planned(path, **parameters)
    return {one.name: list_tiers(one, found) for one in found}


def test_every_distribution_of_every_template_can_have_business() -> None:
    found = {name_template(path): eligible(path, PriceClass="business", WebAclArn=ACL) for path in TEMPLATES}
    distributions = [one for tiers in found.values() for one in tiers.items()]
    assert found["template.yaml"]
    assert {one for one in distributions if one != ("Distribution", ("business", "premium"))} == set()


@pytest.mark.parametrize("tier", TIERS)
def test_the_default_distribution_can_have_each_plan(tier: str) -> None:
    assert tier in eligible(PriceClass=tier, WebAclArn=ACL)["Distribution"]
    assert tier in eligible(PriceClass=tier, WafRateLimit="1000")["Distribution"]
    assert not broken_rules("us-east-1", PriceClass=tier, WafRateLimit="1000")


def test_without_the_parameter_failover_needs_premium() -> None:
    [found] = planned(WebAclArn=ACL)
    assert [one.subject for one in list_obstacles(found, [found], "business")] == ["origin_failover"]
    assert list_tiers(found, [found]) == ("premium",)


def test_no_rule_lets_a_plan_pass_that_the_distribution_cannot_have() -> None:
    """CloudFormation refuses the combination before it creates anything, or the distribution can have the plan."""
    document, passed = delivery(TEMPLATE), 0
    for parameters in _combinations():
        resolver = Resolver(document, fill_defaults(document, parameters), "stack", "us-east-1", is_planned=True)
        rules = [one for one in document["Rules"].values() if resolver.resolve(one.get("RuleCondition", True))]
        if all(resolver.resolve(one["Assert"]) for rule in rules for one in rule["Assertions"]):
            assert all(parameters["PriceClass"] in tiers for tiers in eligible(**parameters).values()), parameters
            passed += 1
    assert passed > 20


def _combinations() -> Iterator[dict[str, str]]:
    for values in product(*CHOICES.values()):
        parameters = dict(zip(CHOICES, values, strict=True))
        if parameters["PriceClass"] in TIERS:
            yield parameters


def test_a_plan_is_refused_for_each_reason() -> None:
    plan = {"PriceClass": "free", "WafRateLimit": "1000"}
    assert not broken_rules("us-east-1", **plan)
    for change in (
        {"WafRateLimit": "0"},
        {"AccessLogDays": "30"},
        {"Dialects": "on"},
        {"CorsOrigins": "https://a.example"},
        {"OriginShieldRegion": "us-east-1"},
    ):
        assert broken_rules("us-east-1", **plan | change), change
    hosts = {**HOSTS, "PriceClass": "business", "WafRateLimit": "1000"}
    assert broken_rules("us-east-1", **hosts | {"WafRateLimit": "0", "WebAclArn": ACL})
    assert broken_rules("us-east-1", **hosts | {"InferenceMode": "lambda"})


def resolved(tier: str, **parameters: str) -> dict[str, Any]:
    stack = Stack(PriceClass=tier, WafRateLimit="1000", **parameters)
    config: dict[str, Any] = stack.properties("Distribution")["DistributionConfig"]
    return config


@pytest.mark.parametrize("tier", TIERS)
def test_the_reader_sees_what_cloudformation_makes_of_the_template(tier: str) -> None:
    """Its evaluation of conditions, against that of the tests, which SAM has transformed before."""
    config = resolved(tier)
    [read] = planned(PriceClass=tier, WafRateLimit="1000")
    assert read.behaviours == 1 + len(config["CacheBehaviors"])
    assert ("origin_failover" in read.features) == ("OriginGroups" in config) == (tier == "premium")
    names = {f"<{name}.FunctionARN>" for name in read.functions}
    behaviours = [config["DefaultCacheBehavior"], *config["CacheBehaviors"]]
    used = {one["FunctionARN"] for behaviour in behaviours for one in behaviour.get("FunctionAssociations", [])}
    assert used == names
    stack = Stack(PriceClass=tier, WafRateLimit="1000")
    function = stack.properties("EdgeFunction")["FunctionConfig"]
    assert ("edge_store" in read.features) == ("KeyValueStoreAssociations" in function) == (tier != "free")
    own = stack.of_type("AWS::CloudFront::CachePolicy")
    assert bool(own) == ("cache_policy" in read.features) == (tier in ("business", "premium"))


def test_only_free_has_an_edge_function_without_a_store() -> None:
    with_store, without = (Stack(PriceClass=tier).properties("EdgeFunction") for tier in ("pro", "free"))
    imports = "import crypto from'crypto';import cf from'cloudfront';"
    assert with_store["FunctionCode"].startswith(imports)
    assert "cloudfront" not in without["FunctionCode"]
    assert without["FunctionCode"].startswith("import crypto from'crypto';let cf=")
    assert without["FunctionCode"].endswith(with_store["FunctionCode"].removeprefix(imports))


@pytest.mark.parametrize(
    ("change", "unsupported"),
    [
        ({"ViewerCertificate": {"IamCertificateId": "a", "SslSupportMethod": "vip"}}, 2),
        ({"DefaultCacheBehavior": {"ForwardedValues": {"QueryString": True}}}, 1),
        ({"DefaultCacheBehavior": {"CachePolicyId": "a", "RealtimeLogConfigArn": "arn"}}, 1),
        (
            {
                "Origins": [
                    {"Id": "s3", "S3OriginConfig": {"OriginAccessIdentity": "origin-access-identity/cloudfront/E"}}
                ]
            },
            1,
        ),
        ({"ContinuousDeploymentPolicyId": "id"}, 1),
        ({}, 0),
    ],
)
def test_legacy_and_other_unsupported_features_are_found(change: dict[str, Any], unsupported: int) -> None:
    config = {"DefaultCacheBehavior": {"CachePolicyId": "a"}, "WebACLId": ACL, **change}
    [found] = list_distributions([Planned("a.yaml", "Cdn", DISTRIBUTION, {"DistributionConfig": config})])
    assert len(found.unsupported) == unsupported
    assert bool(list_tiers(found, [found])) == (unsupported == 0)


HOSTS = {"Dialects": "on", "ImgproxyDomainName": "img.example.com", "CertificateArn": CERTIFICATE}


def test_the_distribution_of_other_services_hosts_can_have_a_plan_of_its_own() -> None:
    parameters = {**HOSTS, "PriceClass": "business", "WafRateLimit": "1000"}
    tiers = ("business", "premium")
    assert eligible(**parameters) == {"Distribution": tiers, "DropInDistribution": tiers}
    assert not broken_rules("us-east-1", **parameters)


def test_what_two_distributions_share_is_found() -> None:
    found = planned(**HOSTS, WebAclArn=ACL, InferenceMode="lambda")
    assert len(found) == 2
    for one in found:
        shared = [obstacle.text for obstacle in list_obstacles(one, found, "premium") if obstacle.subject == "shared"]
        assert len(shared) == 1
        assert {"FindingsStore", ACL} == set(shared[0].rpartition(": ")[0].split(", "))


RULE_FUNCTIONS = {
    *("Fn::And", "Fn::Contains", "Fn::EachMemberEquals", "Fn::EachMemberIn", "Fn::Equals", "Fn::Not", "Fn::Or"),
    *("Fn::RefAll", "Fn::ValueOf", "Fn::ValueOfAll", "Ref"),
}
"""AWS CloudFormation user guide, "Rule-specific intrinsic functions"."""


@pytest.mark.parametrize("path", TEMPLATES, ids=name_template)
def test_rules_have_the_functions_of_rules_only(path: Path) -> None:
    """CloudFormation refuses the template otherwise; cfn-lint does not find it."""

    def functions(node: Any) -> Iterator[str]:
        for key, item in node.items() if isinstance(node, dict) else enumerate(node if isinstance(node, list) else []):
            yield from [key] if isinstance(key, str) and (key == "Ref" or key.startswith("Fn::")) else []
            yield from functions(item)

    assert set(functions(read_template(path).get("Rules", {}))) <= RULE_FUNCTIONS
