"""The expedite function: events of urgent uploads are copied to the priority queue, and no others."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from darkroom.errors import Unavailable
from darkroom_pipeline.aws.s3_objects import PRIORITY, URGENT
from local.events import read_events
from tests.images.photographs import jpeg_photo

from .emf_metrics import counted, of
from .functions import Function, load
from .ingest_environment import IngestEnvironment

KEY = "trips/Rom & Cäsar 100%.jpg"


@pytest.fixture
def env(aws: Callable[[str], Any]) -> IngestEnvironment:
    return IngestEnvironment.build(aws)


@pytest.fixture
def expedite(env: IngestEnvironment, aws_environment: dict[str, str]) -> Function:
    return load(
        "expedite",
        aws_environment
        | {
            "MEDIA_BUCKET": env.names["media"],
            "UPLOADS_BUCKET": env.names["uploads"],
            "INGEST_PRIORITY_QUEUE_URL": env.names["urgent"],
        },
    )


def posted(env: IngestEnvironment, metadata: dict[str, str], key: str = KEY) -> dict[str, Any]:
    """Upload a file with this metadata; its event, as S3 sends it."""
    version = env.clients["s3"].put_object(
        Bucket=env.names["uploads"], Key=key, Body=jpeg_photo(), Metadata={"declared-sha256": "x", **metadata}
    )["VersionId"]
    event = read_events("expedite")["posted.json"]
    event["detail"] |= {"bucket": {"name": env.names["uploads"]}}
    event["detail"]["object"] |= {"key": key, "version-id": version}
    return event


def test_the_event_of_an_urgent_upload_is_copied_unchanged(
    env: IngestEnvironment, expedite: Function, capsys: pytest.CaptureFixture[str]
) -> None:
    event = posted(env, {PRIORITY: URGENT})
    assert expedite.invoke(event) == {"urgent": True}
    [message] = env.messages("urgent")
    assert {name: message[name] for name in event} == event
    out = capsys.readouterr().out
    assert of(counted(out), "Expedited") == {"": 1}
    [line] = [line for line in map(json.loads, out.splitlines()) if line.get("message") == "upload expedited"]
    assert line["key"] == KEY


@pytest.mark.parametrize("metadata", [{}, {PRIORITY: "none"}, {PRIORITY: "URGENT"}, {"other": URGENT}])
def test_any_other_upload_is_left_to_its_queue(
    env: IngestEnvironment, expedite: Function, metadata: dict[str, str]
) -> None:
    assert expedite.invoke(posted(env, metadata)) == {"urgent": False}
    assert env.messages("urgent") == []


def test_an_upload_that_is_gone_is_not_urgent(env: IngestEnvironment, expedite: Function) -> None:
    event = posted(env, {PRIORITY: URGENT})
    env.clients["s3"].delete_object(Bucket=env.names["uploads"], Key=KEY)
    assert expedite.invoke(event) == {"urgent": False}


def test_a_queue_that_does_not_respond_fails_the_invocation(env: IngestEnvironment, expedite: Function) -> None:
    """Lambda invokes it again; the event is in the ingest queue in any case."""
    event = posted(env, {PRIORITY: URGENT})
    env.clients["sqs"].delete_queue(QueueUrl=env.names["urgent"])
    with pytest.raises(Unavailable):
        expedite.invoke(event)
