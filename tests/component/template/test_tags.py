"""Every resource that supports tags has the tag for cost allocation."""

from __future__ import annotations

import functools
from typing import Any

import pytest
from cfnlint.schema import PROVIDER_SCHEMA_MANAGER

from .images import CANARY, IMAGE
from .stack import TEMPLATE, Stack, nested_templates, template
from .watching import EVERYTHING

OF_SAM = {"AWS::IAM::Role", "AWS::Lambda::EventSourceMapping", "AWS::Events::Rule", "AWS::CodeDeploy::DeploymentGroup"}
"""Kinds that SAM makes for a function, and has no tags for. They cost nothing."""

WHOLE = {
    "own endpoint": {
        **EVERYTHING,
        "EndpointName": "",
        "EndpointImageUri": IMAGE,
        "CanaryImageUri": CANARY,
        "SimilarityStore": "s3vectors",
        "AccessLogDays": "30",
        "WafRateLimit": "1000",
        "MonthlyBudgetUsd": "50",
        "Deployments": "Canary10Percent5Minutes",
    },
    "defaults": {},
}


@functools.cache
def tag_property(kind: str) -> tuple[str, str] | None:
    """The property that CloudFormation takes a resource's tags in, and its JSON type; None if it takes none."""
    schema: dict[str, Any] = PROVIDER_SCHEMA_MANAGER.get_resource_schema("us-east-1", kind).schema
    name = schema.get("tagging", {}).get("tagProperty", "/properties/Tags").rpartition("/")[2]
    declared = schema["properties"].get(name)
    return (name, declared["type"]) if declared else None


@pytest.mark.parametrize("given", WHOLE)
def test_every_resource_that_can_be_tagged_is(given: str) -> None:
    stack = Stack(**WHOLE[given])
    written = {name for path in (TEMPLATE, *nested_templates().values()) for name in template(path)["Resources"]}
    untagged = []
    for logical_id, resource in stack.resources.items():
        made_by_sam = logical_id not in written and resource["Type"] in OF_SAM
        if made_by_sam or (place := tag_property(resource["Type"])) is None:
            continue
        name, kind = place
        tags = resource.get("Properties", {}).get(name, {})
        found = tags if kind == "object" else {tag["Key"]: tag["Value"] for tag in tags}
        if found.get("darkroom") != "stack":
            untagged.append(logical_id)
    assert untagged == []


def test_what_costs_most_can_be_tagged() -> None:
    for kind in (
        "AWS::Lambda::Function",
        "AWS::S3::Bucket",
        "AWS::SageMaker::Endpoint",
        "AWS::CloudFront::Distribution",
    ):
        assert tag_property(kind) == ("Tags", "array")
