"""The events in ``events/ingest/``: each has the outcome that its name says, with the uploads of the local stack."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import skimage

from darkroom_pipeline.aws.record import READY, REFUSED, REMOVED
from darkroom_pipeline.services.ingest.context import IngestOutcome
from darkroom_pipeline.services.ingest.events import IngestEvent, read_event
from local.event_samples import BODIES, CREATED, DAMAGED, DELETED, DUPLICATE, FIRST, make_photograph
from local.events import read_events
from tests.images.exiftool import needs_exiftool, private_parts

from .ingest_environment import IngestEnvironment

PHOTOGRAPHS = Path(skimage.__file__).parent / "data"


@pytest.fixture
def env(aws: Callable[[str], Any]) -> IngestEnvironment:
    return IngestEnvironment.build(aws)


def told_of(name: str) -> IngestEvent:
    """The change that the file ``name`` describes."""
    (message,) = read_events("ingest")[name]["Records"]
    change = read_event(message["body"])
    assert change is not None
    return change


def put(env: IngestEnvironment, key: str) -> None:
    env.vault("uploads").put(key, BODIES[key](PHOTOGRAPHS), headers={}, metadata={})


def test_created(env: IngestEnvironment) -> None:
    put(env, CREATED)
    assert env.handle(told_of("created.json")) is IngestOutcome.READY
    record = env.record(CREATED)
    assert (record.state, record.master.how, len(record.derivatives)) == (READY, "cleaned", 6)
    assert record.provenance["camera"] == "Darkroom Pinhole"
    assert env.handle(told_of("created.json")) is IngestOutcome.DROPPED, "the same event once more"


def test_duplicate(env: IngestEnvironment) -> None:
    env.created("samples/coffee.png", (PHOTOGRAPHS / "coffee.png").read_bytes())
    put(env, DUPLICATE)
    assert env.handle(told_of("duplicate.json")) is IngestOutcome.DUPLICATE
    assert env.record(DUPLICATE).same_as == "samples/coffee.png"


def test_damaged(env: IngestEnvironment) -> None:
    put(env, DAMAGED)
    assert env.handle(told_of("damaged.json")) is IngestOutcome.REFUSED
    assert (env.record(DAMAGED).state, env.record(DAMAGED).refusal.code) == (REFUSED, "damaged")


@pytest.mark.slow
def test_deleted(env: IngestEnvironment) -> None:
    put(env, DELETED)
    env.handle(env.change(DELETED, FIRST))
    assert env.keys("media", f"masters/{DELETED}")
    env.vault("uploads").delete(DELETED)
    assert env.handle(told_of("deleted.json")) is IngestOutcome.REMOVED
    assert env.record(DELETED).state == REMOVED
    assert not env.keys("media")


def test_an_event_of_s3_outranks_those_in_the_files(env: IngestEnvironment) -> None:
    env.created(CREATED, (PHOTOGRAPHS / "rocket.jpg").read_bytes())
    assert env.handle(told_of("created.json")) is IngestOutcome.DROPPED


@pytest.mark.parametrize("key", BODIES)
def test_what_is_uploaded_is_the_same_each_time(key: str) -> None:
    assert BODIES[key](PHOTOGRAPHS) == BODIES[key](PHOTOGRAPHS)


@needs_exiftool
def test_the_photograph_has_a_location(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(make_photograph(PHOTOGRAPHS / "chelsea.png"))
    assert {"GPS:GPSLatitude", "GPS:GPSLongitude", "IFD0:Model"} <= set(private_parts(tmp_path / "a.jpg")["a.jpg"])
