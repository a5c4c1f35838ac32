"""Switches are turned by the command, functions see it, and the audit log records it."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cli.commands.operations import SWITCHES
from darkroom.aws.switches import FALLBACK, LOAD_SHEDDING, NAMES, Switches
from darkroom_pipeline.aws.audit import OVERRIDE, AuditLog
from darkroom_pipeline.aws.s3 import S3Bucket
from darkroom_pipeline.aws.switch_store import SwitchStore
from tests import commands
from tests.commands import Commands

_numbers = itertools.count(1)


@pytest.fixture
def media(aws: Callable[[str], Any]) -> S3Bucket:
    name = f"switched-{next(_numbers)}"
    for bucket in (name, f"{name}-audit"):
        aws("s3").create_bucket(Bucket=bucket)
    return S3Bucket(aws("s3"), name)


@pytest.fixture
def command(
    media: S3Bucket, aws_environment: dict[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> Commands:
    outputs = {"MediaBucketName": media.bucket, "AuditBucketName": f"{media.bucket}-audit"}
    return commands.local(aws_environment, tmp_path, capsys, outputs)


def test_the_command_knows_every_switch() -> None:
    assert set(SWITCHES) == set(NAMES)


def test_a_switch_is_on_until_its_time_is_over(media: S3Bucket, command: Commands) -> None:
    done = command.run("switch", LOAD_SHEDDING, "on", "--for", "30", "--by", "ada", "--reason", "a spike")
    assert done.code == 0
    assert done.lines[0].startswith("presets-only: on until 2")
    assert done.lines[0].endswith("by ada: a spike")
    assert done.lines[1] == "fallback: off"
    seen = Switches(media.read)
    assert (seen.is_on(LOAD_SHEDDING), seen.is_on(FALLBACK)) == (True, False)
    until_s = SwitchStore(media).read(LOAD_SHEDDING).until_s
    assert not Switches(media.read, clock=lambda: until_s + 1).is_on(LOAD_SHEDDING)


def test_a_switch_is_turned_off(media: S3Bucket, command: Commands) -> None:
    command.run("switch", FALLBACK, "on", "--by", "ada")
    found = command.run("switch", FALLBACK, "off", "--by", "bob", "--json").document["switches"]
    assert {name: state["on"] for name, state in found.items()} == {LOAD_SHEDDING: False, FALLBACK: False}
    assert SwitchStore(media).read(FALLBACK).by == "bob"


@pytest.mark.slow
def test_the_audit_log_records_it(media: S3Bucket, command: Commands, aws: Callable[[str], Any]) -> None:
    command.run("switch", FALLBACK, "on", "--by", "ada")
    [entry] = AuditLog(S3Bucket(aws("s3"), f"{media.bucket}-audit")).list_newest(9)
    assert (entry["kind"], entry["subject"], entry["by"]) == (OVERRIDE, "switch fallback", "ada")
    assert entry["facts"]["on"] is True


@pytest.mark.parametrize("words", [[FALLBACK], ["another", "on"], [FALLBACK, "maybe"]])
def test_a_wrong_argument_is_refused(command: Commands, words: list[str]) -> None:
    done = command.run("switch", *words)
    assert (done.code, done.out) == (2, "")
    assert len(done.err.splitlines()) == 1
