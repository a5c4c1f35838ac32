"""Operator tasks on the stack: runbook commands, erasure, redrive, purge."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from darkroom.image_keys import encode_key
from darkroom_pipeline.aws.clients import create_client
from darkroom_pipeline.aws.s3 import ListedObject
from darkroom_pipeline.operations.sweep import build_created_event
from darkroom_pipeline.services.purge.stale_derivatives import purge_message
from local.aws import tool_environment
from tests.images.photographs import jpeg_photo
from tests.waiting import wait_until

from .conftest import Stack
from .operating import Operator
from .viewer import Viewer

RUNBOOK_KEY = "trips/rome.jpg"
ANOTHER = (640, 480)


@pytest.fixture
def operator(stack: Stack, tmp_path: Path) -> Operator:
    return Operator(stack, tmp_path)


@pytest.fixture
def redriving(operator: Operator) -> Iterator[Operator]:
    """An operator with an empty DLQ, and without a monitor that redrives it first."""
    with operator.paused_monitor():
        operator.empty_dead_letters()
        yield operator


def die(operator: Operator, queue: str, body: dict[str, object], **attributes: str) -> None:
    """Send a message to the DLQ."""
    named = {name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()}
    operator.stack.cloud.queues.send_message(
        QueueUrl=operator.info["queues"][f"{queue}_dead_letters"],
        MessageBody=json.dumps(body),
        MessageAttributes=named,  # type: ignore[arg-type]
    )


def lose(operator: Operator, key: str) -> dict[str, object]:
    """Make an upload that is not ingested; return its lost event."""
    operator.upload(key, jpeg_photo())
    wait_until(lambda: operator.due("ingest") == 0, "ingest has nothing left to write")
    operator.index.delete(key)
    operator.stack.cloud.s3.delete_object(Bucket=operator.info["media_bucket"], Key=f"masters/{key}")
    return build_created_event(operator.info["uploads_bucket"], ListedObject(key, "", 1, 1_795_608_000.0))


def test_an_overwrite_reaches_viewers(operator: Operator, viewer: Viewer) -> None:
    operator.upload("operating/overwritten.jpg", jpeg_photo())
    url = "/operating/overwritten.jpg?w=800"
    before = viewer.get(url).body
    assert viewer.again(url).cache == "Hit"
    operator.upload("operating/overwritten.jpg", jpeg_photo(ANOTHER))
    wait_until(lambda: viewer.get(url).body != before, "the CDN has the new image")
    assert viewer.get(url).status == 200


def test_a_deletion_reaches_viewers_and_is_remembered(operator: Operator, viewer: Viewer) -> None:
    operator.upload("operating/deleted.jpg", jpeg_photo())
    assert viewer.get("/operating/deleted.jpg?w=800").status == 200
    operator.delete("operating/deleted.jpg")
    wait_until(lambda: viewer.get("/operating/deleted.jpg?w=800").status == 404, "the CDN has it no more")
    assert viewer.derivatives("/operating/deleted.jpg") == []
    assert operator.state("operating/deleted.jpg") == "removed"


def deletion(operator: Operator, key: str, reason: str) -> dict[str, object]:
    """The event of S3 about a deleted upload."""
    bucket = operator.info["uploads_bucket"]
    return {
        "id": "17793124-05d4-b198-2fde-7ededc63b103",
        "detail-type": "Object Deleted",
        "source": "aws.s3",
        "account": "000000000000",
        "time": "2026-11-25T12:00:00Z",
        "region": operator.info["region"],
        "resources": [f"arn:aws:s3:::{bucket}"],
        "detail": {
            "bucket": {"name": bucket},
            "object": {"key": key, "sequencer": "F" * 18},
            "reason": reason,
            "deletion-type": "Delete Marker Created",
        },
    }


def test_what_expires_is_no_deletion(operator: Operator, viewer: Viewer) -> None:
    """S3's lifecycle deletes an upload after its retention and sends the same event. The image stays."""
    key = "operating/expired.jpg"
    operator.upload(key, jpeg_photo())
    expired = deletion(operator, key, "Lifecycle Expiration")
    operator.stack.cloud.queues.send_message(
        QueueUrl=operator.info["queues"]["ingest"], MessageBody=json.dumps(expired)
    )
    wait_until(lambda: operator.due("ingest") == 0, "the queue is empty")
    assert operator.state(key) == "ready"
    assert "w-320.webp" in viewer.derivatives(f"/{key}")
    assert viewer.get(f"/{key}?w=800").status == 200


@pytest.mark.parametrize(("reason", "followed"), [("DeleteObject", True), ("Lifecycle Expiration", False)])
def test_the_rule_lets_only_wishes_through(operator: Operator, reason: str, followed: bool) -> None:
    events = create_client("events", tool_environment(operator.stack.aws_endpoint_url))
    patterns = [rule["EventPattern"] for rule in events.list_rules()["Rules"] if "EventPattern" in rule]
    event = json.dumps(deletion(operator, "a.jpg", reason))
    matches = [events.test_event_pattern(EventPattern=pattern, Event=event)["Result"] for pattern in patterns]
    assert sum(matches) == followed


@pytest.mark.smoke
def test_forgetting_in_one_command(operator: Operator) -> None:
    key = "operating/Rom & Cäsar 100%.jpg"
    operator.upload(key, jpeg_photo())
    operator.upload(key, jpeg_photo(ANOTHER))
    done = operator.darkroom("forget", key, "--yes")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"{key}: erased here, not yet at the CDN\n")
    assert operator.keys("uploads_bucket", key) == []
    assert [found for found in operator.keys("media_bucket", "") if encode_key(key) in found] == []
    assert operator.state(key) == "removed"


def test_redriving_in_one_command(redriving: Operator) -> None:
    operator = redriving
    event = lose(operator, "operating/dead.jpg")
    die(operator, "ingest", event, code="unavailable", cause="put masters/operating/dead.jpg: SlowDown", attempts="6")
    shown = operator.darkroom("redrive", "--dry-run").stdout
    assert "unavailable: put masters/operating/dead.jpg: SlowDown" in shown
    assert operator.state("operating/dead.jpg") == ""
    assert "sent back: 1" in operator.darkroom("redrive").stdout
    wait_until(lambda: operator.state("operating/dead.jpg") == "ready", "the dead letter is dealt with")
    assert operator.waiting("ingest_dead_letters") == 0


def test_a_sweep_leaves_young_uploads(operator: Operator) -> None:
    lose(operator, "operating/young.jpg")
    name = operator.info["functions"]["SweepFunction"]["name"]
    answer = operator.stack.cloud.functions.invoke(FunctionName=name, Payload=b"{}")
    swept = json.loads(answer["Payload"].read())
    assert swept["complete"]
    assert swept["checked"] >= 1
    wait_until(lambda: operator.due("ingest") == 0, "uploads that other tests left have been processed")
    assert operator.state("operating/young.jpg") == ""


def test_the_runbook_of_data_requests(operator: Operator) -> None:
    operator.upload(RUNBOOK_KEY, jpeg_photo())
    operator.upload("trips/rome-again.jpg", jpeg_photo())
    first = operator.follow("data-request.md")
    assert '"ready"' in first
    operator.follow("data-request.md", 1)
    report = json.loads((operator.folder / "report.json").read_text())
    assert (report["key"], report["status"]) == (RUNBOOK_KEY, "pending_invalidation")
    assert report["removed"]["masters"] == 1
    assert "trips/rome-again.jpg" in report["same_bytes"]
    assert operator.keys("uploads_bucket", RUNBOOK_KEY) == []
    last = operator.follow("data-request.md", 2)
    assert "there is no master\n" in last
    assert "there is no derivative\n" in last
    assert '"removed"' in last
    assert operator.state("trips/rome-again.jpg") == "ready"
    wait_until(lambda: erasure(operator)["status"] == "complete", "the CDN has forgotten it")


def erasure(operator: Operator) -> dict[str, Any]:
    """The state of an erasure, by the runbook's last commands."""
    operator.follow("data-request.md", 3)
    return dict(json.loads((operator.folder / "state.json").read_text()))


def test_the_runbook_of_dlq_messages(redriving: Operator) -> None:
    operator = redriving
    die(operator, "ingest", lose(operator, "operating/redriven.jpg"), code="defect", cause="ZeroDivisionError")
    die(operator, "purge", purge_message("operating/redriven.jpg"))
    shown = operator.follow("redrive.md")
    assert "    defect: ZeroDivisionError\n" in shown
    assert "purge operating/redriven.jpg\n" in shown
    operator.follow("redrive.md", 1)
    wait_until(lambda: operator.state("operating/redriven.jpg") == "ready", "the upload is ingested")
    operator.follow("redrive.md", 2)
    assert operator.waiting("ingest_dead_letters") == operator.waiting("purge_dead_letters") == 0


def test_the_runbook_of_purges(operator: Operator, viewer: Viewer) -> None:
    operator.upload(RUNBOOK_KEY, jpeg_photo())
    operator.stack.cloud.s3.put_object(
        Bucket=operator.info["media_bucket"], Key=f"derivatives/{RUNBOOK_KEY}/_/w-1.webp", Body=b"of another master"
    )
    operator.follow("purge.md", 1)
    wait_until(lambda: "w-1.webp" not in viewer.derivatives(f"/{RUNBOOK_KEY}"), "the stale derivative is gone")
    assert "w-320.webp" in viewer.derivatives(f"/{RUNBOOK_KEY}")
    assert "w-320.webp" in operator.follow("purge.md", 3)
    operator.follow("purge.md", 2)
    assert viewer.derivatives(f"/{RUNBOOK_KEY}") == []
    assert viewer.get(f"/{RUNBOOK_KEY}?w=800").status == 200
