"""Tests of bulk jobs: executions of the state machine, and reports."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cli.library.estimate import Capacity, estimate, format_duration
from cli.library.machine import Figures, Machine
from cli.library.prices import PRESETS
from cli.main import main
from darkroom_pipeline.bulk.messages import JobSpec, Operation, parse_request
from darkroom_pipeline.operations.cost_model import load_prices
from tests import commands
from tests.roles import create_role
from tests.waiting import wait_until

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


WAITS = json.dumps(
    {
        "StartAt": "Work",
        "States": {
            "Work": {
                "Type": "Map",
                "ItemsPath": "$.items",
                "MaxConcurrency": 1,
                "ItemProcessor": {
                    "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
                    "StartAt": "Wait",
                    "States": {"Wait": {"Type": "Wait", "Seconds": 1, "End": True}},
                },
                "End": True,
            }
        },
    }
)


@pytest.mark.slow
def test_a_stopped_execution_begins_no_further_batch(aws: Callable[[str], Any]) -> None:
    """MiniStack marks only the execution; :mod:`local.emulation.mapping` ends its children, as AWS does."""
    client, role = aws("stepfunctions"), create_role(aws("iam"), {"Service": "states.amazonaws.com"}, [])
    arn = client.create_state_machine(name="stops", definition=WAITS, roleArn=role)["stateMachineArn"]
    items = json.dumps({"items": list(range(60))})
    started = client.start_execution(stateMachineArn=arn, name="one-1700000000000", input=items)["executionArn"]
    machine = Machine(client, arn)
    wait_until(lambda: machine.figures(started).running, "the first batch")
    machine.stop(started, "stopped by ada")
    found = machine.execution(started)
    assert (found.status, found.runs, found.cause) == ("ABORTED", False, "stopped by ada")
    ended = wait_until(lambda: (figures := machine.figures(started)).over == 60 and figures, "the end of the children")
    assert ended.succeeded < 10
    assert machine.execution(started).status == "ABORTED"


SUMMARY = {"keys": 3, "outcomes": {"done": 2, "failed": 1}, "reasons": {"defect": 1}, "unaccounted": 0, "stopped": ""}


@pytest.mark.slow
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


@pytest.mark.slow
def test_a_source_that_is_missing_or_not_the_stacks_is_refused_before_the_start(
    aws: Callable[[str], Any], aws_environment: dict[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    client, role = aws("stepfunctions"), create_role(aws("iam"), {"Service": "states.amazonaws.com"}, [])
    arn = client.create_state_machine(name="sourced", definition=PASSES, roleArn=role)["stateMachineArn"]
    for bucket in ("library-sourced", "old-photos", "new-photos"):
        aws("s3").create_bucket(Bucket=bucket)
    outputs = {"MediaBucketName": "library-sourced", "LibraryMachineArn": arn}
    command = commands.local(aws_environment, tmp_path, capsys, outputs, {"LibraryBucket": "old-photos"})
    start = ("library", "start", "--operation", "ingest", "--detach", "--run")
    missing = command.run(*start, "first", "--source", "no-photos")
    assert (missing.code, "There is no bucket no-photos." in missing.err) == (2, True)
    denied = command.run(*start, "first", "--source", "new-photos")
    said = "The stack reads old-photos: deploy it with LibraryBucket=new-photos."
    assert (denied.code, said in denied.err) == (2, True)
    assert Machine(client, arn).latest("first") is None
    assert command.run(*start, "second", "--source", "old-photos").code == 0
    assert Machine(client, arn).latest("second") is not None


@pytest.mark.slow
def test_a_dry_run_counts_and_prices_the_keys_and_starts_nothing(
    aws: Callable[[str], Any], aws_environment: dict[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The price per image is that of the page on costs."""
    client, role = aws("stepfunctions"), create_role(aws("iam"), {"Service": "states.amazonaws.com"}, [])
    arn = client.create_state_machine(name="dry", definition=PASSES, roleArn=role)["stateMachineArn"]
    for bucket in ("library-dry", "library-dry-uploads"):
        aws("s3").create_bucket(Bucket=bucket)
    for name in ("masters/a/1.jpg", "masters/a/2.jpg", "masters/a/a space.jpg", "masters/b.jpg", "derivatives/a/1.jpg"):
        aws("s3").put_object(Bucket="library-dry", Key=name, Body=b"")
    outputs = {"MediaBucketName": "library-dry", "LibraryMachineArn": arn, "MastersUri": "s3://library-dry/masters/"}
    command = commands.local(aws_environment, tmp_path, capsys, outputs | {"UploadsBucketName": "library-dry-uploads"})
    dry = ("library", "start", "--dry-run", "--operation")
    found = command.run(*dry, "presets", "--prefix", "a/", "--json").document
    assert (found["keys"], found["first"], found["skipped"]) == (2, ["a/1.jpg", "a/2.jpg"], 1)
    shown = command.run(*dry, "presets", "--prefix", "a/")
    assert shown.lines[0] == "presets: 2 keys: a/1.jpg, a/2.jpg"
    assert shown.lines[-1] == "Nothing was started."
    assert command.run(*dry, "ingest", "--json").document["keys"] == 0
    assert command.run(*dry, "presets", "--into", "x/").code == 2
    assert client.list_executions(stateMachineArn=arn)["executions"] == []
    assert "Contents" not in aws("s3").list_objects_v2(Bucket="library-dry", Prefix="library/")


@pytest.mark.parametrize(
    ("order", "dollars"),
    [
        (JobSpec(Operation.PRESETS), 51.83),
        (JobSpec(Operation.INGEST), 67.26),
        (JobSpec(Operation.INGEST, source="other"), 76.42),
        (JobSpec(Operation.INFER), 31.52),
    ],
)
def test_a_million_images_cost_what_the_page_says(order: JobSpec, dollars: float) -> None:
    """docs/explanation/cost.md, "A bulk job over a million images"."""
    keys = (str(number) for number in range(1000))
    found = estimate(order, keys, load_prices(), Capacity(10, 10, 16), presets=PRESETS, architecture="arm64")
    assert found.usd * 1000 == pytest.approx(dollars, abs=0.01)
    assert found.first == ("0", "1", "2", "3", "4")


def test_more_workers_take_less_time_until_the_queue_limits_them() -> None:
    def seconds(order: JobSpec, **capacity: int) -> float:
        most = Capacity(**{"batches": 10, "ingest": 10, "infer": 16, **capacity})
        return estimate(order, iter("abc"), load_prices(), most, presets=6, architecture="arm64").seconds

    presets, ingest = JobSpec(Operation.PRESETS), JobSpec(Operation.INGEST)
    assert seconds(presets, batches=20) == pytest.approx(seconds(presets) / 2)
    assert seconds(ingest, ingest=5) == pytest.approx(seconds(ingest) * 2)
    assert seconds(ingest, batches=20) == seconds(ingest)
    assert [format_duration(one) for one in (0.2, 150, 7200, 7 * 86_400)] == ["1 s", "2 minutes", "2 hours", "7 days"]


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
