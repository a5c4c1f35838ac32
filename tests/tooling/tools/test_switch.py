"""Switches are turned from the command line, and functions see it."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import pytest

from darkroom.aws.audit import OVERRIDE, Audit
from darkroom.aws.switches import FALLBACK, PRESETS_ONLY, Board, Switches, in_vault
from darkroom.aws.vault import Vault
from tools import switch

_numbers = itertools.count(1)


@pytest.fixture
def media(aws: Callable[[str], Any]) -> Vault:
    name = f"switched-{next(_numbers)}"
    aws("s3").create_bucket(Bucket=name)
    return Vault(aws("s3"), name)


def turn(aws: Callable[[str], Any], media: Vault, *words: str) -> int:
    return switch.main(["--bucket", media.bucket, *words], s3=aws("s3"))


def test_a_switch_is_on_until_its_time_is_over(
    media: Vault, aws: Callable[[str], Any], capsys: pytest.CaptureFixture[str]
) -> None:
    assert turn(aws, media, PRESETS_ONLY, "on", "--for", "30", "--by", "ada", "--reason", "a storm") == 0
    first, second = capsys.readouterr().out.splitlines()
    assert first.startswith("presets-only: on until 2")
    assert first.endswith("by ada: a storm")
    assert second == "fallback: off"
    seen = Switches(in_vault(media))
    assert (seen.on(PRESETS_ONLY), seen.on(FALLBACK)) == (True, False)
    until_s = Board(media).now(PRESETS_ONLY).until_s
    later = Switches(in_vault(media), clock=lambda: until_s + 1)
    assert not later.on(PRESETS_ONLY)


def test_a_switch_is_turned_off(media: Vault, aws: Callable[[str], Any], capsys: pytest.CaptureFixture[str]) -> None:
    turn(aws, media, FALLBACK, "on", "--by", "ada")
    assert turn(aws, media, FALLBACK, "off", "--by", "bob") == 0
    assert capsys.readouterr().out.splitlines()[-2:] == ["presets-only: off", "fallback: off"]
    assert Board(media).now(FALLBACK).by == "bob"


def test_who_turned_it_is_written_down(media: Vault, aws: Callable[[str], Any]) -> None:
    aws("s3").create_bucket(Bucket=f"{media.bucket}-audit")
    audit = Audit(Vault(aws("s3"), f"{media.bucket}-audit"))
    turn(aws, media, FALLBACK, "on", "--by", "ada", "--audit", audit.vault.bucket)
    [entry] = audit.newest(9)
    assert (entry["kind"], entry["subject"], entry["by"]) == (OVERRIDE, "switch fallback", "ada")
    assert entry["facts"]["on"] is True


@pytest.mark.parametrize("words", [[FALLBACK], [FALLBACK, "on"], ["another", "on", "--by", "ada"]])
def test_what_is_missing_is_said(media: Vault, aws: Callable[[str], Any], words: list[str]) -> None:
    with pytest.raises(SystemExit):
        turn(aws, media, *words)


def test_a_bucket_that_is_not_there_is_said(aws: Callable[[str], Any], capsys: pytest.CaptureFixture[str]) -> None:
    assert turn(aws, Vault(aws("s3"), "no-such-bucket"), FALLBACK, "on", "--by", "ada") == 1
    assert "NoSuchBucket" in capsys.readouterr().err
