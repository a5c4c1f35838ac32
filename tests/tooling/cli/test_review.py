"""Decisions about images that a model has flagged."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from darkroom_pipeline.aws.record import HELD, READY
from darkroom_pipeline.services.ingest.context import IngestOutcome
from local.paths import ROOT
from tests import commands
from tests.commands import Commands
from tests.component.services.ingest_environment import IngestEnvironment
from tests.images.photographs import jpeg_photo

KEY = "trips/rome.jpg"
BODY = jpeg_photo()


@pytest.fixture
def world(aws: Callable[[str], Any]) -> IngestEnvironment:
    made = IngestEnvironment.build(aws)
    made.blocks = True
    made.created(KEY, BODY)
    made.judged(KEY, flagged=True, body=BODY)
    return made


@pytest.fixture
def command(
    world: IngestEnvironment, aws_environment: dict[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> Commands:
    outputs = {"IndexTableName": world.names["index"], "ReviewQueueUrl": world.names["changes"]}
    return commands.local(aws_environment, tmp_path, capsys, outputs)


def decide(world: IngestEnvironment, command: Commands, *words: str) -> None:
    """Run the command, and let ingest handle the decision."""
    assert command.run("review", *words).code == 0
    for message in world.messages("changes"):
        message.pop("attributes")
        assert world.message(message) is not IngestOutcome.DROPPED


@pytest.mark.slow
def test_held_images_are_listed(command: Commands) -> None:
    line, total = command.run("review", "list").lines
    assert line.endswith(f"jpeg  {KEY}")
    assert total == "waiting: 1"
    [image] = command.run("review", "list", "--json").document["images"]
    assert (image["key"], image["format"]) == (KEY, "jpeg")


@pytest.mark.slow
def test_a_held_image_is_released(world: IngestEnvironment, command: Commands) -> None:
    decide(world, command, "release", KEY, "--by", "ada")
    assert world.record(KEY).state == READY
    assert world.record(KEY).released


def test_a_held_image_is_confirmed(world: IngestEnvironment, command: Commands) -> None:
    decide(world, command, "confirm", KEY, "--by", "ada")
    assert world.record(KEY).state == HELD
    assert command.run("review", "list").lines[-1] == "waiting: 0"


def test_what_is_not_held_cannot_be_decided(command: Commands) -> None:
    done = command.run("review", "release", "another.jpg", "--by", "ada")
    assert done.code == 3
    assert "another.jpg is not held: nothing is known of it" in done.err


@pytest.mark.slow
@pytest.mark.parametrize("words", [["release"], ["confirm", "--by"]])
def test_a_decision_needs_a_key(command: Commands, words: list[str]) -> None:
    assert command.run("review", *words).code == 2


@pytest.mark.slow
def test_the_first_of_two_decisions_wins(world: IngestEnvironment, command: Commands) -> None:
    assert command.run("review", "release", KEY, "--by", "ada").code == 0
    second = command.run("review", "confirm", KEY, "--by", "grace")
    assert second.code == 1
    assert "ada has released it at 20" in second.err
    [message] = world.messages("changes")
    assert (message["detail-type"], message["detail"]["by"]) == ("Release", "ada")


@pytest.mark.slow
def test_the_commands_of_the_documentation(world: IngestEnvironment, command: Commands) -> None:
    page = (ROOT / "docs" / "explanation" / "ingest.md").read_text(encoding="utf-8")
    listing, *decisions = (shlex.split(line) for line in re.findall(r"^\./darkroom (review .+)$", page, re.MULTILINE))
    assert command.run(*listing).code == 0
    assert [words[1] for words in decisions] == ["release", "confirm"]
    outcomes = []
    for words in decisions:
        if (key := words[2]) != KEY:
            world.created(key, other := jpeg_photo((300, 200)))
            world.judged(key, flagged=True, body=other)
        assert command.run(*words).code == 0
        outcomes += [
            world.message({name: one[name] for name in one.keys() - {"attributes"}})
            for one in world.messages("changes")
        ]
    assert outcomes == [IngestOutcome.RELEASED, IngestOutcome.CONFIRMED]
