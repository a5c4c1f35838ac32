"""Pictures that models look at again: who is asked, and what is told of the answer."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from darkroom.aws.archive import Noted
from darkroom.errors import NoInference
from darkroom.findings import ENDPOINT, FALLBACK
from darkroom.services.infer.requests import read_request
from darkroom.services.library.looking import Analysis
from darkroom.services.library.outcomes import Entry, Outcome
from darkroom.services.library.requests import Doing, Order
from tests.component.aws import sagemaker
from tests.component.services.infer.inferring import ALL, SMALL, World
from tests.images.pictures import jpeg_photo

INFER, AGAIN = Order(Doing.INFER), Order(Doing.INFER, again=True)


@pytest.fixture
def world(aws: Callable[[str], Any]) -> Any:
    with sagemaker.serving() as runtime:
        yield World.build(aws, runtime)


def analysis(world: World, generation: str = "1", best: str = ENDPOINT) -> Analysis:
    return Analysis(world.archive, world.masters, world.queue("normal"), generation, ALL, best)


def worked_off(world: World) -> None:
    """Infer deals with what it was asked for."""
    for message in world.messages("normal"):
        request = read_request(json.dumps(message))
        assert request is not None
        world.infer.handle(request)


def test_a_picture_is_looked_at_and_its_findings_told_once_they_are_there(world: World) -> None:
    world.master("a.jpg", jpeg_photo())
    asked = analysis(world).begin("a.jpg", INFER)
    assert (asked.outcome, asked.mark) == (Outcome.ASKED, "0")
    assert analysis(world).look("a.jpg", asked.mark) is None
    worked_off(world)
    assert analysis(world).look("a.jpg", asked.mark) == Entry(Outcome.DONE)
    assert analysis(world).begin("a.jpg", INFER) == Entry(Outcome.UNCHANGED)
    assert not world.messages("normal")


def test_again_and_another_generation_ask_for_what_has_been_found(world: World) -> None:
    world.ready("a.jpg", jpeg_photo())
    version = world.noted("a.jpg").version
    again = analysis(world).begin("a.jpg", AGAIN)
    assert again == Entry(Outcome.ASKED, mark=str(version))
    assert analysis(world).look("a.jpg", again.mark) is None  # what was found before is no answer
    assert analysis(world, "2").begin("a.jpg", INFER).outcome is Outcome.ASKED
    world.generation = "2"
    worked_off(world)
    assert analysis(world, "2").look("a.jpg", again.mark) == Entry(Outcome.DONE)


def test_who_stood_in_for_the_endpoint_is_told_and_asked_again_next_time(world: World) -> None:
    world.master("a.jpg", jpeg_photo())
    world.mode = "lambda"
    mark = analysis(world, best=FALLBACK).begin("a.jpg", INFER).mark
    worked_off(world)
    assert analysis(world, best=FALLBACK).look("a.jpg", mark) == Entry(Outcome.DONE, FALLBACK)
    assert analysis(world, best=FALLBACK).begin("a.jpg", INFER) == Entry(Outcome.UNCHANGED, FALLBACK)
    assert analysis(world).begin("a.jpg", INFER).outcome is Outcome.ASKED
    assert set(SMALL) <= set(world.findings("a.jpg").found)


def test_a_picture_that_no_model_can_read_is_refused(world: World) -> None:
    world.master("a.jpg", b"no picture")
    mark = analysis(world).begin("a.jpg", INFER).mark
    worked_off(world)
    assert analysis(world).look("a.jpg", mark) == Entry(Outcome.REFUSED, "unreadable")


def test_a_picture_that_goes_is_missing(world: World) -> None:
    assert analysis(world).begin("a.jpg", INFER) == Entry(Outcome.MISSING)
    world.master("a.jpg", jpeg_photo())
    mark = analysis(world).begin("a.jpg", INFER).mark
    world.media.delete("masters/a.jpg")
    worked_off(world)
    assert analysis(world).look("a.jpg", mark) == Entry(Outcome.MISSING)
    assert world.noted("a.jpg") == Noted()


def test_where_nothing_looks_at_pictures_that_is_said(world: World) -> None:
    with pytest.raises(NoInference):
        Analysis(world.archive, world.masters, None, "1", ALL).begin("a.jpg", INFER)
