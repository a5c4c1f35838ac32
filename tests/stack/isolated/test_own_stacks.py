"""Stacks beside the first one, each deployed beside one local stack and used as by its users."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cli.smoke.checks.further import CHECKS
from tests.stack.operating import Operator


@pytest.fixture
def operator(extensions_operator: Operator) -> Operator:
    return extensions_operator


def test_darkroom_smoke_checks_each_stack_and_leaves_locked_copies_only(operator: Operator, tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    operator.darkroom("smoke", "--only", "further", "--output", str(report))
    document = json.loads(report.read_text())
    outcomes = {one["name"]: one["outcome"] for one in document["checks"]}
    assert outcomes == {check.name: "passed" for check in CHECKS} | {"source": "skipped"}, document
    assert document["not_removed"] == []
    s3 = operator.stack.cloud.s3
    listing = s3.get_paginator("list_object_versions")
    left = {
        one["Name"]
        for one in s3.list_buckets()["Buckets"]
        for page in listing.paginate(Bucket=one["Name"])
        if any(document["folder"].strip("/") in version["Key"] for version in page.get("Versions", []))
    }
    for bucket in left:
        assert s3.get_object_lock_configuration(Bucket=bucket)["ObjectLockConfiguration"]["ObjectLockEnabled"]
