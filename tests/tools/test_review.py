"""A person's decisions about pictures that a model has flagged."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from darkroom.aws.record import HELD, READY
from darkroom.services.ingest.service import Outcome
from tests.pictures import jpeg_photo
from tests.services.ingesting import World
from tools import review

KEY = "trips/rome.jpg"
BODY = jpeg_photo()


@pytest.fixture
def world(aws: Callable[[str], Any]) -> World:
    made = World.build(aws)
    made.blocks = True
    made.created(KEY, BODY)
    made.judged(KEY, flagged=True, body=BODY)
    return made


def ask(world: World, *words: str) -> int:
    """The command, and what ingest makes of it."""
    options = ["--table", world.names["index"], "--queue-url", world.names["changes"]]
    status = review.main([*options, *words], dynamodb=world.clients["dynamodb"], sqs=world.clients["sqs"])
    for message in world.messages("changes"):
        message.pop("attributes")
        assert world.message(message) is not Outcome.DROPPED
    return status


def test_who_waits_is_shown(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    assert ask(world, "list") == 0
    line, total = capsys.readouterr().out.splitlines()
    assert line.endswith(f"jpeg  {KEY}")
    assert total == "waiting: 1"


def test_a_person_lets_a_picture_pass(world: World) -> None:
    assert ask(world, "release", KEY, "--by", "ada") == 0
    assert world.record(KEY).state == READY
    assert world.record(KEY).released


def test_a_person_agrees_with_the_model(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    assert ask(world, "confirm", KEY, "--by", "ada") == 0
    assert world.record(KEY).state == HELD
    assert ask(world, "list") == 0
    assert capsys.readouterr().out.splitlines()[-1] == "waiting: 0"


def test_what_is_not_held_cannot_be_decided(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    assert ask(world, "release", "another.jpg", "--by", "ada") == 1
    assert "another.jpg is not held: nothing is known of it" in capsys.readouterr().err


@pytest.mark.parametrize("words", [["release", KEY], ["confirm", "--by", "ada"]])
def test_a_decision_has_a_picture_and_a_person(world: World, words: list[str]) -> None:
    with pytest.raises(SystemExit):
        ask(world, *words)
