"""Tests of deleting old versions: none that an alias or the runbook of a bad deployment needs is deleted."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from typing import Any

import pytest

from cli.versions import choose_versions, delete_versions

VERSIONS = ["$LATEST", "1", "2", "9", "10", "11"]


@pytest.mark.parametrize(
    ("referenced", "keep", "chosen"),
    [
        (set(), 2, ["1", "2", "9"]),
        ({"11"}, 1, ["1", "2", "9", "10"]),
        ({"2"}, 2, ["1", "9"]),  # an alias that was reset
        ({"9", "11"}, 1, ["1", "2", "10"]),  # a gradual release
        (set(), 9, []),
    ],
)
def test_the_newest_and_the_referenced_stay(referenced: set[str], keep: int, chosen: list[str]) -> None:
    assert choose_versions(VERSIONS, frozenset(referenced), keep) == chosen


@pytest.fixture
def function(aws: Callable[[str], Any]) -> str:
    """Create a function with five versions, whose alias routes to the second one."""
    client, name = aws("lambda"), "with-versions"
    for number in range(1, 6):
        code = io.BytesIO()
        with zipfile.ZipFile(code, "w") as archive:
            archive.writestr("app.py", f"def handler(event, context):\n    return {number}\n")
        if number == 1:
            trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
            document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
            role = aws("iam").create_role(RoleName=name, AssumeRolePolicyDocument=document)["Role"]["Arn"]
            settings = {"Runtime": "python3.13", "Role": role, "Handler": "app.handler"}
            client.create_function(FunctionName=name, Code={"ZipFile": code.getvalue()}, Publish=True, **settings)
        else:
            client.update_function_code(FunctionName=name, ZipFile=code.getvalue(), Publish=True)
    client.create_alias(FunctionName=name, Name="live", FunctionVersion="2")
    return name


def test_they_are_deleted_at_lambda(aws: Callable[[str], Any], function: str) -> None:
    client = aws("lambda")

    def versions() -> list[str]:
        return [one["Version"] for one in client.list_versions_by_function(FunctionName=function)["Versions"]]

    said: list[str] = []
    assert delete_versions(client, function, 2, dry_run=True, report=said.append) == 2
    assert versions() == ["$LATEST", "1", "2", "3", "4", "5"]
    assert said == ["1", "3"]
    assert delete_versions(client, function, 2) == 2
    assert versions() == ["$LATEST", "2", "4", "5"]
