"""Switches: missing, unreadable or expired means off, and an unavailable bucket changes nothing."""

from __future__ import annotations

import itertools
import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from darkroom.aws.credentials import CredentialSource
from darkroom.aws.s3_fast import connect
from darkroom.aws.switches import FALLBACK, LOAD_SHEDDING, Switch, Switches, parse_switch, switch_key
from darkroom.errors import Unavailable
from darkroom_pipeline.aws.s3 import S3Bucket
from darkroom_pipeline.aws.switch_store import SwitchStore

from .stored import put

NOW_S = 1_800_000_000.0


@pytest.mark.parametrize(
    "document",
    [None, b"", b"{", b"[]", b"1", b"null", b'{"on": 1}', b'{"on": "true"}', b'{"on": true, "until_s": "x"}', b"\xff"],
)
def test_an_invalid_document_is_off(document: bytes | None) -> None:
    assert not parse_switch(document).is_on_at(NOW_S)


@given(st.binary())
def test_any_stored_document_can_be_read(document: bytes) -> None:
    assert isinstance(parse_switch(document), Switch)


@pytest.mark.parametrize(
    ("switch", "holds"),
    [
        (Switch(), False),
        (Switch(on=True), True),
        (Switch(on=True, until_s=NOW_S + 1), True),
        (Switch(on=True, until_s=NOW_S), False),
        (Switch(on=False, until_s=NOW_S + 1), False),
    ],
)
def test_a_switch_holds_until_its_end(switch: Switch, holds: bool) -> None:
    assert switch.is_on_at(NOW_S) is holds


def test_a_document_has_the_state_of_the_switch() -> None:
    switch = Switch(on=True, by="monitor", reason="renders 900 a minute", at="2026-11-25T12:00:00", until_s=NOW_S)
    assert parse_switch(json.dumps(switch.to_document()).encode()) == switch


def test_what_is_turned_is_read_with_boto3_and_without(vault: S3Bucket, aws_environment: dict[str, str]) -> None:
    bucket = connect(vault.bucket, CredentialSource(aws_environment), aws_environment)
    board, readers = SwitchStore(vault), (vault.read, bucket.read)
    assert [Switches(read).is_on(FALLBACK) for read in readers] == [False, False]
    board.write(FALLBACK, Switch(on=True, by="test", until_s=int(time.time()) + 3600))
    assert [Switches(read).is_on(FALLBACK) for read in readers] == [True, True]
    assert [Switches(read).is_on(LOAD_SHEDDING) for read in readers] == [False, False]
    assert board.read(FALLBACK).by == "test"
    board.write(FALLBACK, Switch(on=False))
    assert [Switches(read).is_on(FALLBACK) for read in readers] == [False, False]


def test_a_switch_is_read_again_only_when_what_is_known_is_old(vault: S3Bucket) -> None:
    clock = itertools.chain([0.0, 14.9, 15.0, 15.1]).__next__
    switches = Switches(vault.read, clock=clock)
    assert switches.is_on(FALLBACK) is False
    SwitchStore(vault).write(FALLBACK, Switch(on=True))
    assert switches.is_on(FALLBACK) is False
    assert switches.is_on(FALLBACK) is True
    put(vault, switch_key(FALLBACK), b"broken")
    assert switches.is_on(FALLBACK) is True


def test_a_switch_ends_by_itself_between_two_reads(vault: S3Bucket) -> None:
    clock = iter([NOW_S, NOW_S + 5.0]).__next__
    SwitchStore(vault).write(FALLBACK, Switch(on=True, until_s=NOW_S + 4))
    switches = Switches(vault.read, clock=clock)
    assert [switches.is_on(FALLBACK), switches.is_on(FALLBACK)] == [True, False]


def test_a_bucket_that_does_not_answer_leaves_switches_as_they_were() -> None:
    answers: list[Any] = [b'{"on": true}', None, Unavailable(), Unavailable()]

    def read(_: str) -> bytes | None:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer  # type: ignore[no-any-return]

    switches = Switches(read, fresh_s=0.0)
    assert [switches.is_on(FALLBACK), switches.is_on(LOAD_SHEDDING)] == [True, False]
    assert [switches.is_on(FALLBACK), switches.is_on(LOAD_SHEDDING)] == [True, False]
    assert not answers
