"""Switches: what is missing, unreadable or over is off, and a bucket that does not answer changes nothing."""

from __future__ import annotations

import itertools
import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from darkroom.aws.credentials import CredentialSource
from darkroom.aws.objects import connect
from darkroom.aws.switches import (
    FALLBACK,
    PRESETS_ONLY,
    Board,
    Switch,
    Switches,
    in_bucket,
    in_vault,
    read_switch,
    switch_name,
)
from darkroom.aws.vault import Vault
from darkroom.errors import Unavailable

from .stored import put

NOW_S = 1_800_000_000.0


@pytest.mark.parametrize(
    "document",
    [None, b"", b"{", b"[]", b"1", b"null", b'{"on": 1}', b'{"on": "true"}', b'{"on": true, "until_s": "x"}', b"\xff"],
)
def test_what_is_no_document_of_ours_is_off(document: bytes | None) -> None:
    assert not read_switch(document).holds(NOW_S)


@given(st.binary())
def test_whatever_lies_there_can_be_read(document: bytes) -> None:
    assert isinstance(read_switch(document), Switch)


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
    assert switch.holds(NOW_S) is holds


def test_a_document_says_what_the_switch_says() -> None:
    switch = Switch(on=True, by="monitor", reason="renders 900 a minute", at="2026-11-25T12:00:00", until_s=NOW_S)
    assert read_switch(json.dumps(switch.document()).encode()) == switch


def test_what_is_turned_is_read_with_boto3_and_without(vault: Vault, aws_environment: dict[str, str]) -> None:
    bucket = connect(vault.bucket, CredentialSource(aws_environment), aws_environment)
    board, readers = Board(vault), (in_vault(vault), in_bucket(bucket))
    assert [Switches(read).on(FALLBACK) for read in readers] == [False, False]
    board.turn(FALLBACK, Switch(on=True, by="test", until_s=int(time.time()) + 3600))
    assert [Switches(read).on(FALLBACK) for read in readers] == [True, True]
    assert [Switches(read).on(PRESETS_ONLY) for read in readers] == [False, False]
    assert board.now(FALLBACK).by == "test"
    board.turn(FALLBACK, Switch(on=False))
    assert [Switches(read).on(FALLBACK) for read in readers] == [False, False]


def test_a_switch_is_read_again_only_when_what_is_known_is_old(vault: Vault) -> None:
    clock = itertools.chain([0.0, 14.9, 15.0, 15.1]).__next__
    switches = Switches(in_vault(vault), clock=clock)
    assert switches.on(FALLBACK) is False
    Board(vault).turn(FALLBACK, Switch(on=True))
    assert switches.on(FALLBACK) is False
    assert switches.on(FALLBACK) is True
    put(vault, switch_name(FALLBACK), b"broken")
    assert switches.on(FALLBACK) is True


def test_a_switch_ends_by_itself_between_two_reads(vault: Vault) -> None:
    clock = iter([NOW_S, NOW_S + 5.0]).__next__
    Board(vault).turn(FALLBACK, Switch(on=True, until_s=NOW_S + 4))
    switches = Switches(in_vault(vault), clock=clock)
    assert [switches.on(FALLBACK), switches.on(FALLBACK)] == [True, False]


def test_a_bucket_that_does_not_answer_leaves_switches_as_they_were() -> None:
    answers: list[Any] = [b'{"on": true}', None, Unavailable(), Unavailable()]

    def read(_: str) -> bytes | None:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer  # type: ignore[no-any-return]

    switches = Switches(read, fresh_s=0.0)
    assert [switches.on(FALLBACK), switches.on(PRESETS_ONLY)] == [True, False]
    assert [switches.on(FALLBACK), switches.on(PRESETS_ONLY)] == [True, False]
    assert not answers
