"""Every resource of every template as the requests of its service that create it: within the API's constraints."""

from __future__ import annotations

from pathlib import Path

import pytest

from .requests import CREATING, wrong_requests
from .schemas import resources_of
from .stack import TEMPLATE, TEMPLATES, Node, Stack, nested_templates, template
from .test_several_stacks import EVERYTHING

FURTHER = sorted(set(TEMPLATES) - {TEMPLATE, *nested_templates().values()})
DEPLOYMENTS: dict[str, dict[str, str]] = {
    "the defaults": {},
    "everything": EVERYTHING | {"Alarms": "all", "PageEmail": "page@example.com"},
    "a source bucket": {"SourceBucket": "photos", "SourcePrefix": "originals/", "Alarms": "all"},
    "an endpoint": {
        "InferenceMode": "endpoint",
        "EndpointImageUri": f"111122223333.dkr.ecr.eu-central-1.amazonaws.com/infer@sha256:{'0a' * 32}",
        "EndpointInstanceType": "ml.g4dn.xlarge",
        "Alarms": "all",
    },
}


def check(stack: Stack) -> None:
    kinds = {resource["Type"] for resource in stack.resources.values()}
    assert kinds - {"AWS::CloudFormation::Stack", "Custom::EdgeEntries"} <= set(CREATING), "the others have an API"
    assert wrong_requests(resources_of(stack, CREATING)) == []


@pytest.mark.parametrize("parameters", DEPLOYMENTS.values(), ids=DEPLOYMENTS)
def test_every_resource_is_within_the_constraints_of_its_api(parameters: dict[str, str]) -> None:
    check(Stack(TEMPLATE, **parameters))


@pytest.mark.parametrize("path", FURTHER, ids=lambda path: path.stem)
def test_every_resource_of_a_further_stack_is(path: Path) -> None:
    required = {name: "value" for name, one in template(path)["Parameters"].items() if "Default" not in one}
    check(Stack(path, **required))


BREAKING: dict[str, tuple[str, Node, str]] = {
    "a log group's name": ("TransformLogs", {"LogGroupName": "a b"}, "at 'logGroupName' failed"),
    "a runtime": (
        "TransformFunction",
        {"Runtime": "python4"},
        "at 'Runtime' failed to satisfy constraint: Member must",
    ),
    "a role's policy": (
        "TransformRole",
        {"Policies": [{"PolicyName": "a b", "PolicyDocument": {}}]},
        "at 'PolicyName'",
    ),
    "a rule's pattern": ("DerivativeCreatedRule", {"Description": "d" * 513}, "less than or equal to 512"),
    "a distribution": (
        "Distribution",
        {
            "DistributionConfig": {
                "Enabled": True,
                "Comment": "",
                "HttpVersion": "http4",
                "Origins": [],
                "DefaultCacheBehavior": {"TargetOriginId": "a", "ViewerProtocolPolicy": "https-only"},
            }
        },
        "Value 'http4' at 'DistributionConfig.HttpVersion' failed to satisfy constraint: Member must satisfy enum",
    ),
}


@pytest.mark.parametrize(("logical_id", "change", "complaint"), BREAKING.values(), ids=BREAKING)
def test_what_an_api_refuses_is_found(logical_id: str, change: Node, complaint: str) -> None:
    resource = resources_of(Stack(), CREATING)[logical_id]
    changed = resource | {"Properties": resource["Properties"] | change}
    assert any(complaint in line for line in wrong_requests({logical_id: changed}))
