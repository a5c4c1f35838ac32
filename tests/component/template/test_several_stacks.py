"""Several stacks in one account, and updates of one: names that collide, events that cross, what is replaced."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from typing import Any

import pytest
from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER

from local.paths import ROOT

from .stack import PSEUDO, Stack

EVERYTHING = {
    "InferenceMode": "lambda",
    "SimilarityStore": "s3vectors",
    "Dialects": "on",
    "CertificateArn": "arn:aws:acm:us-east-1:111122223333:certificate/a",
    "ImgproxyDomainName": "images.example.com",
    "AccessLogDays": "3",
    "WafRateLimit": "100",
    "MonthlyBudgetUsd": "5",
}
"""Parameters that enable most conditional resources."""

OF_THE_ACCOUNT: dict[str, tuple[str, ...]] = {
    "AWS::Budgets::Budget": ("Budget", "BudgetName"),
    "AWS::CloudFront::CachePolicy": ("CachePolicyConfig", "Name"),
    "AWS::CloudFront::Function": ("Name",),
    "AWS::CloudFront::KeyValueStore": ("Name",),
    "AWS::CloudFront::OriginAccessControl": ("OriginAccessControlConfig", "Name"),
    "AWS::CloudFront::OriginRequestPolicy": ("OriginRequestPolicyConfig", "Name"),
    "AWS::CloudFront::ResponseHeadersPolicy": ("ResponseHeadersPolicyConfig", "Name"),
    "AWS::CloudWatch::Dashboard": ("DashboardName",),
    "AWS::IAM::InstanceProfile": ("InstanceProfileName",),
    "AWS::IAM::ManagedPolicy": ("ManagedPolicyName",),
    "AWS::IAM::Role": ("RoleName",),
    "AWS::S3::Bucket": ("BucketName",),
    "AWS::WAFv2::WebACL": ("Name",),
}
"""The name property by resource type, of types with unique names in an account (of buckets: beyond it)."""

NAMELESS = {
    "AWS::CloudFront::Distribution",
    "AWS::CloudFront::MonitoringSubscription",
    "AWS::S3::BucketPolicy",
}
"""Types of the same services that have no name."""

LONGEST: dict[str, int] = {
    "AWS::ApiGatewayV2::Api": 128,
    "AWS::CloudFront::CachePolicy": 128,
    "AWS::CloudFront::Function": 64,
    "AWS::CloudFront::KeyValueStore": 64,
    "AWS::CloudFront::OriginAccessControl": 64,
    "AWS::CloudFront::OriginRequestPolicy": 128,
    "AWS::CloudFront::ResponseHeadersPolicy": 128,
    "AWS::Lambda::LayerVersion": 140,
    "AWS::Logs::LogGroup": 512,
    "AWS::SNS::Topic": 256,
    "AWS::SQS::Queue": 80,
    "AWS::StepFunctions::StateMachine": 80,
}
"""Characters that a name may have, by the services' API references."""

LONGEST_REGION = len("ap-northeast-1")


@functools.cache
def everything() -> Stack:
    return Stack(**EVERYTHING)


def name_of(properties: dict[str, Any], path: tuple[str, ...]) -> str:
    """The name at ``path``, empty if CloudFormation generates one."""
    for part in path:
        properties = properties.get(part, {})
    return str(properties or "")


def test_names_that_are_global_to_the_account_have_stack_and_region_in_them() -> None:
    """Otherwise the same stack in a second region fails, because its name is taken."""
    services = {kind.rpartition("::")[0] for kind in OF_THE_ACCOUNT} - {"AWS::CloudWatch"}
    bad = []
    for logical_id, resource in everything().resources.items():
        kind = resource["Type"]
        if kind not in OF_THE_ACCOUNT:
            assert kind.rpartition("::")[0] not in services or kind in NAMELESS, f"is {kind} global?"
            continue
        name = name_of(resource.get("Properties", {}), OF_THE_ACCOUNT[kind])
        if name and not (PSEUDO["AWS::StackName"] in name and PSEUDO["AWS::Region"] in name):
            bad.append(f"{logical_id}: {name}")
    assert bad == []


def test_names_within_a_region_have_the_stack_in_them() -> None:
    """Otherwise a second stack in a region fails."""
    named = {
        f"{logical_id}: {value}"
        for logical_id, resource in everything().resources.items()
        for name, value in resource.get("Properties", {}).items()
        if resource["Type"] not in WITHIN_PARENTS
        and name in {"Name", f"{resource['Type'].rpartition('::')[2]}Name", "QueueName", "LogGroupName", "TopicName"}
        and isinstance(value, str)
        and not value.startswith("<")  # a reference to another resource
        and not re.search(rf"(^|/){PSEUDO['AWS::StackName']}-", value)
    }
    assert named == set()


WITHIN_PARENTS = {"AWS::ApiGatewayV2::Stage", "AWS::Lambda::Alias", "AWS::S3Vectors::Index"}
"""Types whose names are unique within another resource of the stack."""


def test_a_stack_name_of_the_documented_length_fits_into_every_name() -> None:
    room = []
    for resource in everything().resources.values():
        if longest := LONGEST.get(resource["Type"]):
            path = OF_THE_ACCOUNT.get(resource["Type"]) or _named(resource["Properties"])
            name = name_of(resource["Properties"], path)
            fixed = len(name) - len(PSEUDO["AWS::StackName"])
            if PSEUDO["AWS::Region"] in name:
                fixed += LONGEST_REGION - len(PSEUDO["AWS::Region"])
            room.append(longest - fixed)
    assert min(room) == 39
    assert f"use at most {min(room)} characters" in (ROOT / "docs" / "getting-started" / "deploy.md").read_text(
        encoding="utf-8"
    )


def _named(properties: dict[str, Any]) -> tuple[str, ...]:
    [name] = [
        one
        for one in properties
        if one in {"Name", "LayerName", "LogGroupName", "TopicName", "QueueName", "StateMachineName"}
    ]
    return (name,)


def own(pattern: dict[str, Any]) -> bool:
    """Whether an event pattern matches nothing of another stack."""
    detail = pattern.get("detail", {})
    stack = PSEUDO["AWS::StackName"]
    return (
        detail.get("stack") == [stack]
        or all(name.startswith("<") for name in detail.get("bucket", {}).get("name", ["a bucket's name"]))
        or detail.get("application") == [{"prefix": f"{stack}-ServerlessDeploymentApplication-"}]
    )


def patterns() -> Iterator[tuple[str, dict[str, Any]]]:
    for logical_id, rule in everything().of_type("AWS::Events::Rule").items():
        if pattern := rule.get("EventPattern"):
            yield logical_id, pattern


def test_rules_match_events_of_their_own_stack_alone() -> None:
    assert {name for name, _ in patterns()} >= {"ReadyRule", "UploadRule"}
    assert [name for name, pattern in patterns() if not own(pattern)] == []


def test_every_function_that_publishes_has_its_stack() -> None:
    functions = everything().of_type("AWS::Lambda::Function")
    variables = {name: one["Environment"]["Variables"] for name, one in functions.items()}
    announcing = {name for name, one in variables.items() if "EVENT_BUS" in one}
    assert announcing == {"IngestFunction", "InferFunction", "MonitorFunction"}
    assert {variables[name]["STACK_NAME"] for name in announcing} == {PSEUDO["AWS::StackName"]}


KEY = "arn:aws:kms:eu-central-1:111122223333:key/0a1b"


def replaced(before: Stack, after: Stack) -> set[str]:
    """Resources that an update replaces: a property differs that CloudFormation's schema calls create-only."""
    found = set()
    for logical_id, resource in before.resources.items():
        old, new = resource.get("Properties", {}), after.resources.get(logical_id, {}).get("Properties", {})
        if old == new or resource["Type"].startswith("Custom::"):
            continue
        schema = PROVIDER_SCHEMA_MANAGER.get_resource_schema(PSEUDO["AWS::Region"], resource["Type"]).schema
        for pointer in schema.get("createOnlyProperties", []):
            path = tuple(pointer.removeprefix("/properties/").split("/"))
            if _at(old, path) != _at(new, path):
                found.add(logical_id)
    return found


def _at(properties: Any, path: tuple[str, ...]) -> Any:
    for part in path:
        properties = properties.get(part) if isinstance(properties, dict) else None
    return properties


@pytest.mark.parametrize(
    ("store", "expected"),
    [("table", set()), ("s3vectors", {"VectorBucket"})],
)
def test_a_key_that_is_set_later_replaces_the_vector_bucket_alone(store: str, expected: set[str]) -> None:
    """The new one starts empty, and the old one is kept: docs/getting-started/deploy.md documents the migration.

    The functions that use it are published again, or their live versions would go on to use the old one, which their
    roles no longer allow. Transform is, because it stores before the response with a key.
    """
    parameters = EVERYTHING | {"SimilarityStore": store}
    before, after = Stack(**parameters), Stack(**parameters, KmsKeyArn=KEY)
    versions = {
        name for name in before.of_type("AWS::Lambda::Version") if name.startswith(("Infer", "Similar", "Transform"))
    }
    assert len(versions) == 3
    assert replaced(before, after) == expected | versions
    for logical_id in expected:
        assert before.resources[logical_id]["UpdateReplacePolicy"] == "Retain"
        assert name_of(before.properties(logical_id), ("VectorBucketName",)) == "", "a fixed name could not be replaced"
