"""A person's decisions about pictures that a model has flagged."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from typing import Any

import pytest

from darkroom.aws.record import HELD, READY
from darkroom.services.ingest.service import IngestOutcome
from local.paths import ROOT
from tests.component.services.ingesting import World
from tests.images.pictures import jpeg_photo
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
        assert world.message(message) is not IngestOutcome.DROPPED
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


def test_the_commands_of_the_documentation(world: World) -> None:
    page = (ROOT / "docs" / "explanation" / "ingest.md").read_text(encoding="utf-8")
    commands = [shlex.split(line) for line in re.findall(r"^python -m tools\.review (.+)$", page, re.MULTILINE)]
    assert [words[-1] for words in commands] == ["list", "ada", "ada"]
    named = {"$(output IndexTableName)": world.names["index"], "$(output ReviewQueueUrl)": world.names["changes"]}
    clients = {name: world.clients[name] for name in ("dynamodb", "sqs")}
    for words in commands:
        assert review.main([named.get(word, word) for word in words], **clients) == 0
    asked = [
        world.message({name: message[name] for name in message.keys() - {"attributes"}})
        for message in sorted(world.messages("changes"), key=lambda one: one["detail-type"])
    ]
    assert asked == [IngestOutcome.CONFIRMED, IngestOutcome.RELEASED]
