"""The check of resolved resources finds what CloudFormation would refuse."""

from __future__ import annotations

from typing import Any

import pytest

from extensions import find_template

from .further_stacks import FURTHER, build_further
from .schemas import faults, identified, resources_of
from .stack import Node, Stack

INDEX: Node = {
    "VectorBucketName": "vectors",
    "IndexName": "pictures",
    "DataType": "float32",
    "Dimension": 512,
    "DistanceMetric": "cosine",
}

WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "not one of its values": ({"DistanceMetric": "manhattan"}, "E3030"),
    "too long": ({"IndexName": "p" * 64}, "E3033"),
    "too large": ({"Dimension": 5000}, "E3034"),
    "of another type": ({"Dimension": "many"}, "E3012"),
    "unknown": ({"Dimensions": 512}, "E3002"),
    "read-only": ({"IndexArn": "arn:aws:s3vectors:eu-central-1:111122223333:bucket/b/index/i"}, "read-only"),
}


def index(**properties: Any) -> dict[str, Node]:
    return {"Index": {"Type": "AWS::S3Vectors::Index", "Properties": INDEX | properties}}


@pytest.mark.slow
def test_what_cloudformation_takes_has_no_faults() -> None:
    assert faults(index()) == []
    assert faults(index(Dimension="512")) == [], "parameters are texts, and CloudFormation converts them"


@pytest.mark.slow
@pytest.mark.parametrize(("properties", "rule"), WRONG.values(), ids=WRONG)
def test_what_it_refuses_is_named_with_its_rule(properties: dict[str, Any], rule: str) -> None:
    found = faults(index(**properties))
    assert found
    assert any(fault.startswith(rule) for fault in found), found


def test_a_pattern_holds_for_what_a_reference_becomes() -> None:
    endpoint = {"EndpointConfigName": "config", "EndpointName": "stack_endpoint"}
    [fault] = faults({"Endpoint": {"Type": "AWS::SageMaker::Endpoint", "Properties": endpoint}})
    assert fault.startswith("E3031 Resources.Endpoint.Properties.EndpointName")


def test_a_required_property_is_missed() -> None:
    properties = {name: value for name, value in INDEX.items() if name != "Dimension"}
    [fault] = faults({"Index": {"Type": "AWS::S3Vectors::Index", "Properties": properties}})
    assert fault.startswith("E3003")


def test_references_become_identifiers() -> None:
    stack = Stack(SimilarityStore="s3vectors")
    assert identified(stack, ["<TransformRole.Arn>", {"a": "x/<MediaBucket>/y"}]) == [
        "arn:aws:iam::111122223333:role/stack-TransformRole-1A2B3C4D5E6F",
        {"a": "x/stack-stack-mediabucket-1a2b3c4d5e6f/y"},
    ]
    assert "<" not in str(resources_of(stack, ["AWS::S3::", "AWS::DynamoDB::"]))


KEY = "arn:aws:kms:eu-central-1:111122223333:key/0f8e1a52-3c1d-4c11-8f0e-3b1f6b0c9d10"
OUTPUTS = {
    "UploadApiUrl": "https://a1b2c3.execute-api.eu-central-1.amazonaws.com",
    "MediaBucketName": "media",
    "UploadsBucketName": "uploads",
    "AuditBucketName": "audit",
    "IndexTableName": "index",
    "VectorTableName": "vectors",
    "SigningKeysArn": "arn:aws:secretsmanager:eu-central-1:111122223333:secret:keys-1A2b3C",
    "ReviewQueueUrl": "https://sqs.eu-central-1.amazonaws.com/111122223333/review",
    "InferEndpointName": "infer",
}
"""Outputs of a first stack."""

SETS: dict[str, dict[str, str]] = {
    "default": {},
    "lambda and a key": {"InferenceMode": "lambda", "KmsKeyArn": KEY, "SimilarityStore": "s3vectors"},
}


@pytest.mark.sample(2)
@pytest.mark.parametrize("parameters", SETS.values(), ids=SETS)
def test_every_resource_matches_its_schema(parameters: dict[str, str]) -> None:
    assert faults(resources_of(Stack(**parameters), ["AWS::"])) == []


@pytest.mark.slow
@pytest.mark.parametrize("name", FURTHER)
@pytest.mark.parametrize("parameters", [{}, {"KmsKeyArn": KEY}], ids=["default", "a key"])
def test_every_resource_of_a_further_stack_matches_its_schema(name: str, parameters: dict[str, str]) -> None:
    given = build_further(name, OUTPUTS, parameters)
    assert faults(resources_of(Stack(find_template(name), **given), ["AWS::"])) == []
