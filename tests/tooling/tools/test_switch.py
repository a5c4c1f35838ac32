"""Switches are turned from the command line, and functions see it."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import pytest

from darkroom.aws.audit import OVERRIDE, AuditLog
from darkroom.aws.s3 import S3Bucket
from darkroom.aws.switches import FALLBACK, LOAD_SHEDDING, Switches, SwitchStore, reader
from tools import switch

_numbers = itertools.count(1)


@pytest.fixture
def media(aws: Callable[[str], Any]) -> S3Bucket:
    name = f"switched-{next(_numbers)}"
    aws("s3").create_bucket(Bucket=name)
    return S3Bucket(aws("s3"), name)


def turn(aws: Callable[[str], Any], media: S3Bucket, *words: str) -> int:
    return switch.main(["--bucket", media.bucket, *words], s3=aws("s3"))


def test_a_switch_is_on_until_its_time_is_over(
    media: S3Bucket, aws: Callable[[str], Any], capsys: pytest.CaptureFixture[str]
) -> None:
    assert turn(aws, media, LOAD_SHEDDING, "on", "--for", "30", "--by", "ada", "--reason", "a storm") == 0
    first, second = capsys.readouterr().out.splitlines()
    assert first.startswith("presets-only: on until 2")
    assert first.endswith("by ada: a storm")
    assert second == "fallback: off"
    seen = Switches(reader(media))
    assert (seen.is_on(LOAD_SHEDDING), seen.is_on(FALLBACK)) == (True, False)
    until_s = SwitchStore(media).read(LOAD_SHEDDING).until_s
    later = Switches(reader(media), clock=lambda: until_s + 1)
    assert not later.is_on(LOAD_SHEDDING)


def test_a_switch_is_turned_off(media: S3Bucket, aws: Callable[[str], Any], capsys: pytest.CaptureFixture[str]) -> None:
    turn(aws, media, FALLBACK, "on", "--by", "ada")
    assert turn(aws, media, FALLBACK, "off", "--by", "bob") == 0
    assert capsys.readouterr().out.splitlines()[-2:] == ["presets-only: off", "fallback: off"]
    assert SwitchStore(media).read(FALLBACK).by == "bob"


def test_who_turned_it_is_written_down(media: S3Bucket, aws: Callable[[str], Any]) -> None:
    aws("s3").create_bucket(Bucket=f"{media.bucket}-audit")
    audit = AuditLog(S3Bucket(aws("s3"), f"{media.bucket}-audit"))
    turn(aws, media, FALLBACK, "on", "--by", "ada", "--audit", audit.bucket.bucket)
    [entry] = audit.list_newest(9)
    assert (entry["kind"], entry["subject"], entry["by"]) == (OVERRIDE, "switch fallback", "ada")
    assert entry["facts"]["on"] is True


@pytest.mark.parametrize("words", [[FALLBACK], [FALLBACK, "on"], ["another", "on", "--by", "ada"]])
def test_what_is_missing_is_said(media: S3Bucket, aws: Callable[[str], Any], words: list[str]) -> None:
    with pytest.raises(SystemExit):
        turn(aws, media, *words)


def test_a_bucket_that_is_not_there_is_said(aws: Callable[[str], Any], capsys: pytest.CaptureFixture[str]) -> None:
    assert turn(aws, S3Bucket(aws("s3"), "no-such-bucket"), FALLBACK, "on", "--by", "ada") == 1
    assert "NoSuchBucket" in capsys.readouterr().err
