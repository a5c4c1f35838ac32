"""Writes that S3 carries out late, and attempts that continue where the last one stopped."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest
from botocore.exceptions import ClientError

from darkroom_pipeline.aws.record import READY, REMOVED
from darkroom_pipeline.services.ingest.context import IngestOutcome
from darkroom_pipeline.services.ingest.events import IngestEvent
from darkroom_pipeline.services.ingest.handler import handle_event

from .ingest_environment import IngestEnvironment
from .kill_points import Killed, Wire, kill, wired
from .test_ingest_kills import build_context, image, mends

KEY = "photo.jpg"
WRITES = {"put": "PutObject", "copy": "CopyObject"}


@pytest.fixture
def env(aws: Callable[[str], Any]) -> IngestEnvironment:
    return IngestEnvironment.build(aws)


@contextmanager
def recorded(env: IngestEnvironment, operation: str, prefix: str = "") -> Iterator[list[dict[str, Any]]]:
    """Record the parameters of writes to objects of the media bucket whose names start with ``prefix``."""
    found: list[dict[str, Any]] = []

    def record(params: dict[str, Any], **_: Any) -> None:
        if params["Bucket"] == env.names["media"] and params["Key"].startswith(prefix):
            found.append(dict(params))

    event, events = f"provide-client-params.s3.{operation}", env.clients["s3"].meta.events
    events.register(event, record, unique_id=operation)
    try:
        yield found
    finally:
        events.unregister(event, unique_id=operation)


def carry_out(env: IngestEnvironment, operation: str, params: dict[str, Any]) -> None:
    """Carry out a request again, as S3 may long after its connection broke."""
    send = {"PutObject": env.clients["s3"].put_object, "CopyObject": env.clients["s3"].copy_object}[operation]
    send(**params)


def upload(env: IngestEnvironment, body: bytes, key: str = KEY) -> IngestEvent:
    return env.change(key, env.upload(key, body))


def run_checks(env: IngestEnvironment) -> int:
    """Handle Darkroom's own messages after their delay; return how many there were."""
    env.now_s += 1000
    messages = mends(env)
    for message in messages:
        env.handle(message)
    return len(messages)


@pytest.mark.parametrize("how", WRITES)
def test_a_late_write_does_not_bring_a_removed_master_back(env: IngestEnvironment, how: str) -> None:
    body = image()
    if how == "copy":
        assert env.handle(upload(env, body, "donor.jpg")) is IngestOutcome.READY
    with recorded(env, WRITES[how], "masters/photo.jpg") as late:
        env.handle(upload(env, body))
    assert env.handle(env.deletion(KEY)) is IngestOutcome.REMOVED
    carry_out(env, WRITES[how], late[0])
    assert env.keys("media", "masters/photo.jpg") == ["masters/photo.jpg"]
    assert run_checks(env) == 1
    assert (env.record(KEY).state, env.keys("media", "masters/photo.jpg")) == (REMOVED, [])
    assert run_checks(env) == 1  # of the second removal
    assert run_checks(env) == 0


def test_a_late_write_does_not_outlast_an_upload_of_earlier_bytes(env: IngestEnvironment) -> None:
    """The entity tag that it expects is that of the first and of the third upload."""
    first = image()
    env.handle(upload(env, first))
    with recorded(env, "PutObject", "masters/") as late:
        env.handle(upload(env, image()))
    env.handle(upload(env, first))
    carry_out(env, "PutObject", late[0])
    record = env.record(KEY)
    master = env.vault("media").head("masters/photo.jpg")
    assert master is not None
    assert master.etag != record.master.etag
    run_checks(env)
    repaired = env.vault("media").head("masters/photo.jpg")
    assert repaired is not None
    assert (env.record(KEY).state, repaired.etag) == (READY, record.master.etag)


@pytest.mark.parametrize("prefix", ["masters/", "derivatives/"])
def test_a_late_copy_is_put_over_nothing_newer(env: IngestEnvironment, prefix: str) -> None:
    body = image()
    env.handle(upload(env, body, "donor.jpg"))
    with recorded(env, "CopyObject", f"{prefix}photo.jpg") as late:
        assert env.handle(upload(env, body)) is IngestOutcome.DUPLICATE
    env.handle(upload(env, image()))
    assert late
    for params in late:
        with pytest.raises(ClientError, match="PreconditionFailed"):
            carry_out(env, "CopyObject", params)


@pytest.mark.parametrize("how", WRITES)
@pytest.mark.parametrize("before", ["new", "overwritten"])
def test_a_repeated_attempt_stores_nothing_again(env: IngestEnvironment, how: str, before: str) -> None:
    """The first one is killed when all is stored, before its record is written."""
    body = image()
    if before == "overwritten":
        env.handle(upload(env, image()))
    if how == "copy":
        handle(env, upload(env, body, "donor.jpg"))
    event, wire = upload(env, body), Wire("before-send", 1, kill, "dynamodb.PutItem")
    with recorded(env, WRITES[how]) as stored, wired(env, wire), suppress(Killed):
        handle(env, event)
    assert len(stored) >= 3
    env.now_s += 1000
    with recorded(env, "PutObject") as puts, recorded(env, "CopyObject") as copies:
        handle(env, event)
    assert (puts, copies) == ([], [])
    record = env.record(KEY)
    assert record.state == READY
    assert {f"derivatives/{name}" for name in record.derivatives} == set(env.keys("media", "derivatives/photo.jpg/"))


def test_a_repeated_attempt_stores_what_is_missing(env: IngestEnvironment) -> None:
    event = upload(env, image())
    with wired(env, Wire("after-call", 2, kill, "s3.PutObject")), suppress(Killed):  # the master and one preset
        handle(env, event)
    env.now_s += 1000
    left = set(env.keys("media", "derivatives/"))
    with recorded(env, "PutObject") as puts:
        handle(env, event)
    stored = {put["Key"] for put in puts}
    assert stored == set(env.keys("media", "derivatives/")) - left
    assert "masters/photo.jpg" not in stored


def handle(env: IngestEnvironment, event: IngestEvent) -> None:
    """Handle ``event`` with two presets."""
    handle_event(build_context(env), event)
