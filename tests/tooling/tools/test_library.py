"""Tests of bulk jobs: executions of the state machine, and reports."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cli.main import main
from darkroom.bulk.messages import JobSpec, Operation, parse_request
from tests import commands
from tests.roles import create_role
from tests.waiting import wait_until
from tools.library.machine import Figures, Machine

PASSES = json.dumps({"StartAt": "End", "States": {"End": {"Type": "Pass", "End": True}}})


def test_the_newest_execution_of_a_run_is_found_and_not_that_of_a_run_whose_name_goes_on(
    aws: Callable[[str], Any],
) -> None:
    client = aws("stepfunctions")
    role = create_role(aws("iam"), {"Service": "states.amazonaws.com"}, [])
    arn = client.create_state_machine(name="runs", definition=PASSES, roleArn=role)["stateMachineArn"]
    for name in ("moving-2-1700000000300", "moving-1700000000200", "moving-1700000000100", "other-1700000000400"):
        client.start_execution(stateMachineArn=arn, name=name, input="{}")
    machine = Machine(client, arn)
    assert str(machine.latest("moving")).endswith(":moving-1700000000200")
    assert str(machine.latest("moving-2")).endswith(":moving-2-1700000000300")
    assert machine.latest("nothing") is None


def test_an_execution_is_started_with_what_the_state_machine_reads(aws: Callable[[str], Any]) -> None:
    client = aws("stepfunctions")
    role = create_role(aws("iam"), {"Service": "states.amazonaws.com"}, [])
    arn = client.create_state_machine(name="started", definition=PASSES, roleArn=role)["stateMachineArn"]
    machine = Machine(client, arn)
    started = machine.start("one", JobSpec(Operation.PRESETS, "a/"), concurrency=3, tolerated=1.5, batch=7)
    assert machine.latest("one") == started
    options = machine.read_input(started)
    request = parse_request({"action": "list", **options})
    assert (request.concurrency, request.tolerated_percent, request.batch_size) == (3, 1.5, 7)
    assert request.spec == JobSpec(Operation.PRESETS, "a/")
    assert machine.figures(started) == Figures()


SUMMARY = {"keys": 3, "outcomes": {"done": 2, "failed": 1}, "reasons": {"defect": 1}, "unaccounted": 0, "stopped": ""}


def test_a_report_is_printed_and_a_failed_key_is_a_failure(
    aws: Callable[[str], Any], aws_environment: dict[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    aws("s3").create_bucket(Bucket="library-report")
    body = json.dumps({**SUMMARY, "lines": "s3://library-report/library/one/report.jsonl"})
    aws("s3").put_object(Bucket="library-report", Key="library/one/report.json", Body=body)
    outputs = {"MediaBucketName": "library-report", "LibraryMachineArn": "arn:aws:states:us-east-1:0:stateMachine:x"}
    command = commands.local(aws_environment, tmp_path, capsys, outputs)
    done = command.run("library", "report", "one")
    assert done.code == 1
    assert done.lines[:2] == ["3 keys: 2 done, 1 failed; 0 of them not tried", "  1 × defect"]
    assert command.run("library", "report", "one", "--json").document["summary"]["outcomes"] == SUMMARY["outcomes"]
    assert command.run("library", "report", "other").code == 3
    assert command.run("library", "start", "--operation", "nothing").code == 2


def test_a_source_that_does_not_exist_is_refused_before_the_start(
    aws: Callable[[str], Any], aws_environment: dict[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    client, role = aws("stepfunctions"), create_role(aws("iam"), {"Service": "states.amazonaws.com"}, [])
    arn = client.create_state_machine(name="sourced", definition=PASSES, roleArn=role)["stateMachineArn"]
    for bucket in ("library-sourced", "old-photos"):
        aws("s3").create_bucket(Bucket=bucket)
    outputs = {"MediaBucketName": "library-sourced", "LibraryMachineArn": arn}
    command = commands.local(aws_environment, tmp_path, capsys, outputs)
    start = ("library", "start", "--operation", "ingest", "--detach", "--run")
    refused = command.run(*start, "first", "--source", "no-photos")
    assert (refused.code, "There is no bucket no-photos." in refused.err) == (2, True)
    assert Machine(client, arn).latest("first") is None
    assert command.run(*start, "second", "--source", "old-photos").code == 0
    assert Machine(client, arn).latest("second") is not None


@pytest.mark.parametrize(
    ("cause", "message"),
    [
        ('{"errorMessage": "S3 does not respond", "errorType": "Unavailable"}', "S3 does not respond"),
        ("The state machine was stopped", "The state machine was stopped"),
        ("7", "7"),
    ],
)
def test_the_cause_of_a_failed_execution_is_a_sentence(aws: Callable[[str], Any], cause: str, message: str) -> None:
    client, role = aws("stepfunctions"), create_role(aws("iam"), {"Service": "states.amazonaws.com"}, [])
    fails = json.dumps({"StartAt": "End", "States": {"End": {"Type": "Fail", "Error": "Failed", "Cause": cause}}})
    name = f"fails-{len(cause)}"
    arn = client.create_state_machine(name=name, definition=fails, roleArn=role)["stateMachineArn"]
    machine = Machine(client, arn)
    started = machine.start("one", JobSpec(Operation.PRESETS, "a/"), concurrency=1, tolerated=1, batch=1)
    wait_until(lambda: not machine.execution(started).runs, "the end of the execution")
    assert machine.execution(started).cause == message


def test_without_a_stack_on_this_machine_that_is_reported(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["library", "report", "--state-dir", str(tmp_path), "some-run"]) == 4
    assert "./darkroom up" in capsys.readouterr().err
