"""Ingest uploads in bulk, copy those of another bucket, and report each outcome."""

from __future__ import annotations

import json
from typing import Any

import pytest

from darkroom.errors import BadRun, Unsettled
from darkroom_pipeline.bulk.ingest import COPIED_FROM
from darkroom_pipeline.services.ingest.context import IngestOutcome
from darkroom_pipeline.services.ingest.events import EventKind, read_event
from tests.images.photographs import jpeg_photo

from .jobs import BulkJobs, WouldWait

ORDER = {"operation": "ingest"}


@pytest.fixture
def photos(runs: BulkJobs) -> str:
    """A bucket that is full already."""
    name = f"photos-of-{runs.env.names['media']}"
    runs.env.clients["s3"].create_bucket(Bucket=name)
    return name


def put(runs: BulkJobs, bucket: str, key: str, body: bytes, **further: Any) -> None:
    runs.env.clients["s3"].put_object(Bucket=bucket, Key=key, Body=body, **further)


def asked(runs: BulkJobs, name: str, order: dict[str, Any]) -> list[tuple[str, tuple[str, ...]]]:
    """Request everything once; no answer is there yet."""
    batches = runs.listed(name, order)
    for number, keys in batches:
        with pytest.raises(WouldWait):
            runs.work(name, order, number, keys)
    return batches


def settle(
    runs: BulkJobs, name: str, order: dict[str, Any], batches: list[tuple[str, tuple[str, ...]]]
) -> dict[str, str]:
    for number, keys in batches:
        runs.work(name, order, number, keys)
    runs.step("report", name, order)
    return runs.reported(name)


def carried_out(runs: BulkJobs) -> list[IngestOutcome]:
    """Run ingest on its queue."""
    return [runs.env.message(message) for message in runs.env.messages("changes")]


@pytest.mark.slow
def test_missed_uploads_are_ingested_and_their_outcomes_reported(runs: BulkJobs) -> None:
    runs.env.created("known.jpg", jpeg_photo((300, 200)))
    runs.env.created("refused.jpg", b"no image")
    runs.env.upload("new ü%.jpg", jpeg_photo())
    runs.env.upload("damaged.jpg", jpeg_photo()[:2000])
    batches = asked(runs, "one", ORDER)
    assert len(carried_out(runs)) == 2
    assert settle(runs, "one", ORDER, batches) == {
        "known.jpg": "unchanged",
        "refused.jpg": "refused type-not-allowed",
        "new ü%.jpg": "done",
        "damaged.jpg": "refused damaged",
    }
    assert runs.env.record("new ü%.jpg").state == "ready"


@pytest.mark.slow
def test_an_upload_that_a_dead_worker_left_is_repaired(runs: BulkJobs) -> None:
    sequencer = runs.env.upload("a.jpg", jpeg_photo())
    runs.env.index.claim("a.jpg", sequencer, "dead", now_s=runs.env.now_s - 1000, lease_s=60)
    batches = asked(runs, "one", ORDER)
    assert carried_out(runs) == [IngestOutcome.READY]
    assert settle(runs, "one", ORDER, batches) == {"a.jpg": "done"}


@pytest.mark.slow
def test_an_upload_newer_than_the_index_waits_for_its_own_event(runs: BulkJobs) -> None:
    runs.env.created("a.jpg", jpeg_photo((300, 200)))
    sequencer = runs.env.upload("a.jpg", jpeg_photo())
    batches = asked(runs, "one", ORDER)
    assert runs.env.messages("changes") == []
    runs.env.handle(runs.env.change("a.jpg", sequencer))
    assert settle(runs, "one", ORDER, batches) == {"a.jpg": "done"}


@pytest.mark.slow
def test_a_full_bucket_is_copied_and_ingested_by_s3_events(runs: BulkJobs, photos: str) -> None:
    put(runs, photos, "2019/a.jpg", jpeg_photo(), Metadata={"brought": "x"}, ContentType="image/jpeg")
    put(runs, photos, "2019/b.txt", b"no image")
    put(runs, photos, "2020/c.jpg", jpeg_photo())
    order = ORDER | {"source": photos, "prefix": "2019/", "into": "old/"}
    batches = asked(runs, "one", order)
    assert runs.env.messages("changes") == []  # the event of the copy is S3's
    assert runs.env.keys("uploads") == ["old/2019/a.jpg", "old/2019/b.txt"]
    copied = runs.env.vault("uploads").head("old/2019/a.jpg")
    assert copied is not None
    assert copied.metadata.keys() == {COPIED_FROM}
    for key in runs.env.keys("uploads"):
        runs.env.handle(runs.env.change(key, runs.env.next_sequencer()))
    assert settle(runs, "one", order, batches) == {"2019/a.jpg": "done", "2019/b.txt": "refused type-not-allowed"}
    assert runs.env.record("old/2019/a.jpg").state == "ready"


def test_a_copy_is_made_once_and_overwrites_no_other_upload(runs: BulkJobs, photos: str) -> None:
    for key in ("ours.jpg", "theirs.jpg", "known.jpg"):
        put(runs, photos, key, jpeg_photo())
    runs.env.created("theirs.jpg", jpeg_photo((300, 200)))
    runs.env.created("known.jpg", jpeg_photo((90, 60)))
    runs.env.vault("uploads").erase("known.jpg")  # as its lifecycle does after a month
    order = ORDER | {"source": photos}
    batches = asked(runs, "one", order)
    first = runs.env.vault("uploads").head("ours.jpg")
    assert first is not None
    runs.env.handle(runs.env.change("ours.jpg", runs.env.next_sequencer()))
    expected = {"ours.jpg": "done", "theirs.jpg": "refused key-taken", "known.jpg": "unchanged known"}
    assert settle(runs, "one", order, batches) == expected
    assert runs.all("two", order) == expected | {"ours.jpg": "unchanged"}
    again = runs.env.vault("uploads").head("ours.jpg")
    assert again is not None
    assert again.version_id == first.version_id


@pytest.mark.slow
def test_a_copy_whose_worker_died_is_waited_for_by_the_next(runs: BulkJobs, photos: str) -> None:
    put(runs, photos, "a.jpg", jpeg_photo())
    order = ORDER | {"source": photos}
    [(number, keys)] = asked(runs, "one", order)
    runs.env.clients["s3"].delete_object(
        Bucket=runs.env.names["media"], Key="library/one/outcomes/000000.json"
    )  # as if it had died before it stored that
    with pytest.raises(WouldWait):
        runs.work("one", order, number, keys)
    [message] = runs.env.messages("changes")
    change = read_event(json.dumps(message))
    assert change is not None
    assert change.kind is EventKind.CREATED  # the lowest of all: S3's own event is newer
    runs.env.handle(runs.env.change("a.jpg", runs.env.next_sequencer()))
    assert settle(runs, "one", order, [(number, keys)]) == {"a.jpg": "done"}


def test_what_ingest_never_answers_is_unsettled(runs: BulkJobs) -> None:
    runs.env.upload("a.jpg", jpeg_photo())
    [(number, keys)] = asked(runs, "one", ORDER)
    with pytest.raises(Unsettled):
        runs.work("one", ORDER, number, keys, remaining=lambda: 0.0)
    runs.step("report", "one", ORDER)
    assert runs.reported("one") == {"a.jpg": "failed unsettled"}


def test_only_ingest_has_a_source(runs: BulkJobs) -> None:
    with pytest.raises(BadRun, match="Only ingest"):
        runs.listed("one", {"operation": "presets", "source": "photos"})
