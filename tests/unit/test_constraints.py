"""Constraints of AWS's APIs, by examples of botocore's models of the services."""

from __future__ import annotations

from typing import Any

import botocore.session
import pytest
import regex
from botocore.model import Shape

from local.emulation.api_models import SERVICES
from local.emulation.constraints import find_violations, translate

SESSION = botocore.session.get_session()
DATA = SESSION.get_component("data_loader")

ROLE = "arn:aws:iam::123456789012:role/service"
FUNCTION = {"FunctionName": "render", "Role": ROLE, "Code": {"ZipFile": b"PK"}}
TABLE = {
    "TableName": "index",
    "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
    "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
}

ALLOWED: dict[str, tuple[str, str, dict[str, Any]]] = {
    "a function": ("lambda", "CreateFunction", FUNCTION | {"MemorySize": 128, "Timeout": 900}),
    "a table": ("dynamodb", "CreateTable", TABLE),
    "letters beyond ASCII by their class": ("iam", "TagRole", {"RoleName": "r", "Tags": [{"Key": "é", "Value": ""}]}),
    "characters beyond 16 bits": (
        "application-autoscaling",
        "DeregisterScalableTarget",
        {
            "ServiceNamespace": "ecs",
            "ResourceId": "service/\U0001f600",
            "ScalableDimension": "ecs:service:DesiredCount",
        },
    ),
    "a blob as text": ("dynamodb", "PutItem", {"TableName": "index", "Item": {"pk": {"B": "AAEC"}}}),
}

REFUSED: dict[str, tuple[str, str, dict[str, Any], str, str]] = {
    "a missing member": ("lambda", "CreateFunction", {"FunctionName": "f", "Code": {}}, "Role", "must not be null"),
    "an unknown member": ("lambda", "CreateFunction", FUNCTION | {"Memory": 1}, "Memory", "is unknown"),
    "another type": ("lambda", "CreateFunction", FUNCTION | {"Timeout": "3"}, "Timeout", "must be a integer"),
    "a boolean for a number": ("lambda", "CreateFunction", FUNCTION | {"Timeout": True}, "Timeout", "a integer"),
    "a number below": ("lambda", "CreateFunction", FUNCTION | {"MemorySize": 64}, "MemorySize", "or equal to 128"),
    "a number above": ("lambda", "CreateFunction", FUNCTION | {"Timeout": 10**9}, "Timeout", "less than or equal to"),
    "a short text": ("dynamodb", "CreateTable", TABLE | {"TableName": ""}, "TableName", "length greater than"),
    "a long text": ("secretsmanager", "CreateSecret", {"Name": "n" * 513}, "Name", "length less than or equal to 512"),
    "a long list": (
        "events",
        "PutEvents",
        {"Entries": [{"Source": "s", "DetailType": "t", "Detail": "{}"}] * 11},
        "Entries",
        "length less than or equal to 10",
    ),
    "a long blob": (
        "secretsmanager",
        "CreateSecret",
        {"Name": "n", "SecretBinary": bytes(65_537)},
        "SecretBinary",
        "length less than or equal to 65536",
    ),
    "a value outside of an enumeration": (
        "events",
        "PutRule",
        {"Name": "r", "Tags": [], "EventPattern": "{}", "RoleArn": "", "State": "ON"},
        "State",
        "enum value set: [ENABLED, DISABLED",
    ),
    "a pattern": ("logs", "CreateLogGroup", {"logGroupName": "a b"}, "logGroupName", r"pattern: [\.\-_/#A-Za-z0-9]+"),
    "a letter that is not ASCII": ("iam", "GetRole", {"RoleName": "é"}, "RoleName", r"pattern: [\w+=,.@-]+"),
    "a value of an item": (
        "dynamodb",
        "BatchGetItem",
        {"RequestItems": {"index": {"Keys": []}}},
        "RequestItems.index.Keys",
        "length greater than or equal to 1",
    ),
    "a place in a list": (
        "sqs",
        "SendMessageBatch",
        {"QueueUrl": "q", "Entries": [{"Id": "a", "MessageBody": "b"}, {"Id": "c"}]},
        "Entries[1].MessageBody",
        "must not be null",
    ),
    "two members of a union": (
        "bedrock-runtime",
        "Converse",
        {"modelId": "m", "messages": [{"role": "user", "content": [{"text": "a", "cachePoint": {"type": "default"}}]}]},
        "messages[0].content[0]",
        "exactly one of",
    ),
}


def input_of(service: str, operation: str) -> Shape:
    shape = SESSION.get_service_model(service).operation_model(operation).input_shape
    assert shape is not None
    return shape


@pytest.mark.parametrize(("service", "operation", "parameters"), ALLOWED.values(), ids=ALLOWED)
def test_what_aws_documents_is_allowed(service: str, operation: str, parameters: dict[str, Any]) -> None:
    assert list(find_violations(input_of(service, operation), parameters)) == []


@pytest.mark.parametrize(("service", "operation", "parameters", "path", "rule"), REFUSED.values(), ids=REFUSED)
def test_what_it_excludes_is_named(
    service: str, operation: str, parameters: dict[str, Any], path: str, rule: str
) -> None:
    [found] = [one for one in find_violations(input_of(service, operation), parameters) if one.path == path]
    assert rule in found.rule
    assert f"at '{path}' failed to satisfy constraint: Member" in str(found)


@pytest.mark.parametrize(
    "service", sorted({*SERVICES.values(), "sagemaker", "sagemaker-runtime", "s3vectors", "wafv2"})
)
def test_every_pattern_of_a_service_is_understood(service: str) -> None:
    shapes = DATA.load_service_model(service, "service-2")["shapes"]
    for pattern in {one["pattern"] for one in shapes.values() if one.get("pattern")}:
        regex.compile(translate(pattern))
