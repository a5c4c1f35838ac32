"""``darkroom smoke`` on the local stack: all of its checks, and what it leaves behind."""

from __future__ import annotations

import json
import signal
import subprocess
from pathlib import Path
from typing import Any

from cli.smoke.report import INTERRUPTED
from local.paths import COMMAND, ROOT
from tests.waiting import HANG_S

from .conftest import Stack

OF_OTHER_TESTS = {"dead-letters"}
"""Other tests of this stack leave DLQ messages."""


def command(stack: Stack, *options: str) -> list[str]:
    return [*COMMAND, "smoke", "--state-dir", str(stack.state), *options]


def left_behind(stack: Stack, folder: str) -> list[str]:
    """Keys of objects that a run has left."""
    s3 = stack.cloud.s3
    listing = s3.get_paginator("list_object_versions")
    pages = [page for one in s3.list_buckets()["Buckets"] for page in listing.paginate(Bucket=one["Name"])]
    return [one["Key"] for page in pages for one in page.get("Versions", []) if folder in one["Key"]]


def test_all_checks_pass_and_nothing_is_left(stack: Stack, tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    done = subprocess.run(
        command(stack, "--output", str(report)),
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=3 * HANG_S,
        check=False,
    )
    document: dict[str, Any] = json.loads(report.read_text())
    failed = {one["name"] for one in document["checks"] if one["outcome"] == "failed"}
    assert failed <= OF_OTHER_TESTS, done.stdout
    assert sum(one["outcome"] == "passed" for one in document["checks"]) >= 17, done.stdout
    assert document["not_removed"] == []
    assert left_behind(stack, document["folder"]) == []


def test_an_interrupted_run_removes_its_images(stack: Stack, tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    process = subprocess.Popen(
        ["env", "--default-signal=INT", *command(stack, "--output", str(report))],  # a background job ignores SIGINT
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr
    while "delivery/signed" not in process.stderr.readline():
        assert process.poll() is None
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=HANG_S)
    assert process.returncode == INTERRUPTED
    document: dict[str, Any] = json.loads(report.read_text())
    assert (document["interrupted"], document["not_removed"]) == (True, [])
    assert left_behind(stack, document["folder"]) == []
