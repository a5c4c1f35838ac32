"""The template's intrinsic functions resolved, and lifecycle rules converted for S3."""

from __future__ import annotations

from typing import Any

import pytest

from cli.template_values import NotResolvable, Resolver
from local.lifecycle import to_s3_rule

TEMPLATE: dict[str, Any] = {
    "Parameters": {"Days": {"Type": "Number"}, "Origins": {"Type": "CommaDelimitedList"}, "Key": {"Type": "String"}},
    "Mappings": {"Times": {"30": {"LeaseS": "45"}}},
    "Conditions": {
        "HasKey": {"Fn::Not": [{"Fn::Equals": [{"Ref": "Key"}, ""]}]},
        "HasOrigins": {"Fn::Not": [{"Fn::Equals": [{"Fn::Join": ["", {"Ref": "Origins"}]}, ""]}]},
        "HasBoth": {"Fn::And": [{"Fn::Equals": [1, "1"]}, {"Fn::Or": [{"Fn::Equals": [1, 2]}]}]},
    },
    "Resources": {"Bucket": {"Type": "AWS::S3::Bucket"}, "Queue": {"Type": "AWS::SQS::Queue"}},
}
VALUES = {"Days": "30", "Origins": "https://a.example,https://b.example", "Key": "", "Bucket": "stack-bucket-1"} | {
    "Queue": "http://127.0.0.1/000000000000/stack-queue"
}


@pytest.mark.parametrize(
    ("node", "value"),
    [
        ("text", "text"),
        ({"Days": {"Ref": "Days"}}, {"Days": "30"}),
        ({"Ref": "Origins"}, ["https://a.example", "https://b.example"]),
        ({"Fn::Select": [1, {"Ref": "Origins"}]}, "https://b.example"),
        ({"Fn::Select": ["0", {"Fn::Split": ["-", {"Ref": "Bucket"}]}]}, "stack"),
        ({"Ref": "Bucket"}, "stack-bucket-1"),
        ({"Fn::FindInMap": ["Times", {"Ref": "Days"}, "LeaseS"]}, "45"),
        ({"Fn::If": ["HasKey", 1, 2]}, 2),
        ({"Fn::If": ["HasOrigins", {"Ref": "Days"}, 2]}, "30"),
        ({"Fn::If": ["HasBoth", 1, 2]}, 2),
        ({"a": {"Fn::If": ["HasKey", 1, {"Ref": "AWS::NoValue"}]}, "b": 1}, {"b": 1}),
        ([1, {"Fn::If": ["HasKey", 1, {"Ref": "AWS::NoValue"}]}], [1]),
        ({"Fn::And": [{"Condition": "HasOrigins"}, {"Fn::Not": [{"Condition": "HasKey"}]}]}, True),
        ({"Fn::Sub": "${AWS::StackName}-${Days}-${!Days}"}, "darkroom-30-${Days}"),
        ({"Fn::Sub": ["${A}/${Days}", {"A": {"Ref": "Bucket"}}]}, "stack-bucket-1/30"),
        ({"Fn::Sub": "${Bucket.Arn}/*"}, "arn:aws:s3:::stack-bucket-1/*"),
        ({"Fn::GetAtt": ["Queue", "QueueName"]}, "stack-queue"),
        ({"Fn::GetAtt": "Queue.Arn"}, "arn:aws:sqs:us-east-1:000000000000:stack-queue"),
    ],
)
def test_intrinsic_functions(node: Any, value: Any) -> None:
    assert Resolver(TEMPLATE, VALUES, "darkroom", "us-east-1").resolve(node) == value


def test_references_of_a_plan_are_names() -> None:
    planned = Resolver(TEMPLATE, {"Key": ""}, "darkroom", "eu-west-1", is_planned=True)
    node = {"Fn::Sub": "${Bucket}/${Bucket.DomainName} ${AWS::Region}"}
    assert planned.resolve([node, {"Ref": "Queue"}]) == ["<Bucket>/<Bucket.DomainName> eu-west-1", "<Queue>"]


@pytest.mark.parametrize("node", [{"Ref": "Missing"}, {"Fn::GetAtt": ["Bucket", "DomainName"]}, {"Fn::Sub": "${No}"}])
def test_unsupported_functions_are_rejected(node: Any) -> None:
    with pytest.raises(NotResolvable):
        Resolver(TEMPLATE, VALUES, "darkroom", "us-east-1").resolve({"Property": node})


@pytest.mark.parametrize(
    ("rule", "in_s3"),
    [
        ({"ExpirationInDays": "30"}, {"Filter": {"Prefix": ""}, "Expiration": {"Days": 30}}),
        (
            {"Prefix": "a/", "ExpiredObjectDeleteMarker": True},
            {"Filter": {"Prefix": "a/"}, "Expiration": {"ExpiredObjectDeleteMarker": True}},
        ),
        (
            {"Prefix": "a/", "ObjectSizeGreaterThan": "9", "NoncurrentVersionExpiration": {"NoncurrentDays": "3"}},
            {
                "Filter": {"And": {"Prefix": "a/", "ObjectSizeGreaterThan": 9}},
                "NoncurrentVersionExpiration": {"NoncurrentDays": 3},
            },
        ),
        (
            {"Transitions": [{"StorageClass": "INTELLIGENT_TIERING", "TransitionInDays": 0}]},
            {"Filter": {"Prefix": ""}, "Transitions": [{"StorageClass": "INTELLIGENT_TIERING", "Days": 0}]},
        ),
        (
            {"AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 1}},
            {"Filter": {"Prefix": ""}, "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 1}},
        ),
    ],
)
def test_lifecycle_rules(rule: dict[str, Any], in_s3: dict[str, Any]) -> None:
    assert to_s3_rule({"Id": "rule", "Status": "Enabled", **rule}) == {"ID": "rule", "Status": "Enabled", **in_s3}


def test_an_unknown_lifecycle_property_is_an_error() -> None:
    with pytest.raises(KeyError, match="NoncurrentVersionTransitions"):
        to_s3_rule({"Id": "rule", "Status": "Enabled", "NoncurrentVersionTransitions": []})
