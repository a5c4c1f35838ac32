"""Bulk jobs on the stack: its own state machine and workers, some of which are killed."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from cli.main import main
from local.deploy import LIBRARY_BUCKET
from tests.images.photographs import jpeg_photo
from tests.waiting import wait_until

from .conftest import Stack
from .killed_library import run_bulk_job

IMAGES, KILLED = 150, 8


def command(stack: Stack, *words: str) -> int:
    return main(["library", words[0], "--state-dir", str(stack.state), *words[1:]])


def lines(stack: Stack, name: str) -> dict[str, Any]:
    """The report's lines by key."""
    body = stack.cloud.s3.get_object(Bucket=stack.media_bucket, Key=f"library/{name}/report.jsonl")["Body"].read()
    return {line["key"]: line for line in map(json.loads, body.splitlines())}


def uploads(stack: Stack) -> str:
    found = stack.cloud.cloudformation.describe_stack_resource(StackName="darkroom", LogicalResourceId="UploadsBucket")
    return str(found["StackResourceDetail"]["PhysicalResourceId"])


def test_each_image_is_accounted_for_while_workers_are_killed(stack: Stack) -> None:
    found = run_bulk_job(stack.state, images=IMAGES, seed=20_261_126, interval_s=2.0, max_kills=KILLED)
    assert found.wrong == []
    assert found.outcomes == {"done": IMAGES}
    assert 0 < found.killed <= KILLED


def test_a_full_bucket_is_ingested_and_a_second_run_changes_nothing(
    stack: Stack, capsys: pytest.CaptureFixture[str]
) -> None:
    s3, name = stack.cloud.s3, f"full-{time.time_ns()}"
    s3.create_bucket(Bucket=LIBRARY_BUCKET)
    for number in range(6):
        s3.put_object(Bucket=LIBRARY_BUCKET, Key=f"old/{number}.jpg", Body=jpeg_photo((90 + number, 60)))
    s3.put_object(Bucket=LIBRARY_BUCKET, Key="old/notes.txt", Body=b"no image")
    source = ("--source", LIBRARY_BUCKET, "--prefix", "old/", "--into", f"{name}/")
    order = ("--operation", "ingest", *source, "--batch", "3")
    assert command(stack, "start", *order, "--run", name) == 0
    captured = capsys.readouterr()
    shown = captured.out
    assert "7 keys: 6 done, 1 refused" in shown
    assert "3/3 batches, 0 failed" in captured.err
    assert f"s3://{stack.media_bucket}/library/{name}/report.json" in shown
    assert lines(stack, name)["old/notes.txt"]["reason"] == "type-not-allowed"
    masters = s3.list_objects_v2(Bucket=stack.media_bucket, Prefix=f"masters/{name}/old/")
    assert masters["KeyCount"] == 6
    assert command(stack, "start", *order, "--run", f"{name}-2") == 0
    assert "6 unchanged" in capsys.readouterr().out
    assert s3.list_objects_v2(Bucket=uploads(stack), Prefix=f"{name}/")["KeyCount"] == 7


def test_a_run_goes_on_where_it_was_stopped_and_has_a_name_of_its_own(
    stack: Stack, capsys: pytest.CaptureFixture[str]
) -> None:
    name = f"resumed-{time.time_ns()}"
    for number in range(4):
        key = f"masters/{name}/{number}.jpg"
        stack.cloud.s3.put_object(Bucket=stack.media_bucket, Key=key, Body=jpeg_photo((90, 60 + number)))
    order = ("--operation", "presets", "--prefix", f"{name}/", "--batch", "2")
    assert command(stack, "start", *order, "--run", name) == 0
    outcomes = f"library/{name}/outcomes/000001.json"
    stack.cloud.s3.delete_object(Bucket=stack.media_bucket, Key=outcomes)  # as if no worker had started that batch
    capsys.readouterr()
    assert command(stack, "start", *order, "--run", name) == 2
    assert "resume it" in capsys.readouterr().err
    assert command(stack, "resume", name) == 0
    captured = capsys.readouterr()
    shown = captured.out
    assert "1/1 batches" in captured.err
    assert "4 keys: 4 done; 0 of them not tried" in shown
    assert command(stack, "report", name) == 0
    assert command(stack, "watch", "no-such-run") == 3


def test_a_run_is_stopped_and_goes_on_later(stack: Stack, capsys: pytest.CaptureFixture[str]) -> None:
    name, images = f"stopped-{time.time_ns()}", 40
    for number in range(images):
        key = f"masters/{name}/{number:02}.jpg"
        stack.cloud.s3.put_object(Bucket=stack.media_bucket, Key=key, Body=jpeg_photo((640, 480)))
    order = ("--operation", "presets", "--prefix", f"{name}/", "--batch", "2", "--concurrency", "1")
    assert command(stack, "start", *order, "--run", name, "--dry-run") == 0
    assert f"presets: {images} keys" in capsys.readouterr().out
    assert command(stack, "start", *order, "--run", name, "--detach") == 0
    wait_until(lambda: lists(stack, f"library/{name}/outcomes/"), "the first batch")
    assert command(stack, "stop", name, "--by", "ada") == 0
    shown = capsys.readouterr().out
    assert "stopped before its end: Stopped by ada" in shown
    assert "not-tried" in shown
    assert command(stack, "stop", name) == 2
    assert "has ended" in capsys.readouterr().err
    settled = len(lists(stack, f"library/{name}/outcomes/"))
    assert settled < images // 2
    assert command(stack, "resume", name) == 0
    assert f"{images} keys: {images} done" in capsys.readouterr().out


def lists(stack: Stack, prefix: str) -> list[str]:
    found = stack.cloud.s3.list_objects_v2(Bucket=stack.media_bucket, Prefix=prefix)
    return [one["Key"] for one in found.get("Contents", [])]
