"""Recorded requests are held against AWS's models: what would be refused, and what responses differ in."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import botocore.session

from tools.api_requests import RECORD, find_differences, find_refused, read_documented, read_requests

ENTRY = {"Source": "darkroom", "DetailType": "ImageReady", "Detail": "{}"}


def line(role: str, operation: str, parameters: dict[str, Any], **violations: list[str]) -> str:
    found = {"role": role, "operation": operation, "parameters": parameters, "refused": [], "response": []}
    return json.dumps(found | violations)


def test_requests_are_read_as_they_were_recorded(tmp_path: Path) -> None:
    assert read_requests(tmp_path) == []
    (tmp_path / RECORD).write_text(line("r", "sqs.SendMessage", {"QueueUrl": "q", "MessageBody": "b"}) + "\n")
    [request] = read_requests(tmp_path)
    assert (request.role, request.operation, request.parameters["QueueUrl"]) == ("r", "sqs.SendMessage", "q")


def test_what_a_role_sends_outside_of_the_model_is_found(tmp_path: Path) -> None:
    constraint = "Value 'x' at 'Name' failed to satisfy constraint: Member is unknown"
    lines = [
        line("ingest", "events.PutEvents", {"Entries": [ENTRY]}),
        line("ingest", "events.PutEvents", {"Entries": [ENTRY] * 11}),
        line("ingest", "events.PutEvents", {"Entries": [ENTRY], "Name": "x"}, refused=[constraint]),
        line("", "events.PutEvents", {"Entries": []}),
        line("infer", "dynamodb.PutItem", {"TableName": "index", "Item": {"pk": {"B": "<4000 bytes>"}}}),
        line("infer", "secretsmanager.GetSecretValue", {"SecretId": "<3000 characters>"}),
    ]
    (tmp_path / RECORD).write_text("\n".join(lines))
    [long, refused] = find_refused(read_requests(tmp_path))
    assert long.startswith("ingest events.PutEvents: Value ")
    assert long.endswith("at 'Entries' failed to satisfy constraint: Member must have length less than or equal to 10")
    assert refused == f"ingest events.PutEvents: {constraint}"


def test_differences_of_responses_have_no_place_in_a_list(tmp_path: Path) -> None:
    def violation(index: int) -> str:
        return f"Value '' at 'Stacks[{index}].Description' failed to satisfy constraint: Member must be long"

    answered = line("", "cloudformation.DescribeStacks", {}, response=[violation(0), violation(1)])
    (tmp_path / RECORD).write_text(answered)
    found = find_differences(read_requests(tmp_path))
    assert found == {("cloudformation.DescribeStacks", "Stacks[].Description")}
    assert found <= read_documented()


def test_documented_members_exist_in_the_models() -> None:
    session = botocore.session.get_session()
    documented = read_documented()
    assert len(documented) > 10
    for operation, path in documented:
        service, _, name = operation.partition(".")
        shape = session.get_service_model(service).operation_model(name).output_shape
        for member in path.split("."):
            shape = shape.members[member.removesuffix("[]")]
            shape = shape.member if member.endswith("[]") else shape
