"""Queue messages about uploads, and the events that are published."""

from __future__ import annotations

import json
from dataclasses import asdict
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from darkroom.errors import BadKey, BadUpload
from darkroom.image_keys import decode_key, encode_key
from darkroom_pipeline.aws.record import (
    READY,
    REFUSED,
    REMOVED,
    MasterRef,
    Record,
    Refusal,
    build_image_id,
    pad_sequencer,
)
from darkroom_pipeline.aws.s3 import MAX_KEY_BYTES
from darkroom_pipeline.services.ingest.events import EventKind, IngestEvent, build_repair_message, read_event
from darkroom_pipeline.services.ingest.finish import build_announcement, build_preset_paths
from darkroom_pipeline.services.ingest.quarantine import LONG_KEYS, long_key_prefix, quarantine_key
from tests.component.services.ingest_environment import event_text

BUCKET = "uploads"
NOON_S = 1795608000.0


@pytest.mark.parametrize(
    ("detail_type", "reason", "kind"),
    [
        ("Object Created", "PutObject", EventKind.CREATED),
        ("Object Created", "CompleteMultipartUpload", EventKind.CREATED),
        ("Object Created", "CopyObject", EventKind.CREATED),
        ("Object Deleted", "DeleteObject", EventKind.DELETED),
        ("Object Deleted", "Lifecycle Expiration", None),
        ("Object Tags Added", "PutObjectTagging", None),
    ],
)
def test_which_events_are_followed(detail_type: str, reason: str, kind: EventKind | None) -> None:
    found = read_event(event_text(BUCKET, "a b+c/röm.jpg", "00AB", detail_type, reason))
    assert found == (IngestEvent(kind, "a b+c/röm.jpg", pad_sequencer("00AB"), NOON_S) if kind else None)


@pytest.mark.parametrize(
    ("deletion_type", "kind"), [("Delete Marker Created", EventKind.DELETED), ("Permanently Deleted", EventKind.ERASED)]
)
def test_a_deletion_hides_all_versions_or_erases_one(deletion_type: str, kind: EventKind) -> None:
    further = {"deletion-type": deletion_type}
    found = read_event(event_text(BUCKET, "a.jpg", "00AB", "Object Deleted", "DeleteObject", "v1", further))
    assert found == IngestEvent(kind, "a.jpg", pad_sequencer("00AB"), NOON_S, "v1")


@pytest.mark.parametrize(
    ("kind", "version_id", "made_for", "taken_down"),
    [
        (EventKind.DELETED, "marker", "09", True),
        (EventKind.DELETED, "marker", "0A", False),
        (EventKind.DELETED, "marker", "0B", False),
        (EventKind.ERASED, "v1", "09", True),
        (EventKind.ERASED, "v2", "09", False),
        (EventKind.ERASED, "v1", "0B", False),
        (EventKind.CREATED, "v1", "09", False),
        (EventKind.DELETED, "marker", None, False),
    ],
)
def test_a_deletion_takes_down_what_was_made_of_it_before(
    kind: EventKind, version_id: str, made_for: str | None, taken_down: bool
) -> None:
    master = MasterRef(sequencer=pad_sequencer(made_for), version_id="v1") if made_for else MasterRef()
    assert IngestEvent(kind, "a.jpg", pad_sequencer("0A"), 0, version_id).deletes_master(master) is taken_down


def test_a_folder_of_the_console_is_no_upload() -> None:
    event = json.loads(event_text(BUCKET, "folder/", "00AB", "Object Created", "PutObject"))
    event["detail"]["object"]["size"] = 0
    assert read_event(json.dumps(event)) is None
    event["detail"]["object"]["size"] = 1
    assert read_event(json.dumps(event)) is not None


def test_a_worker_requests_a_repair_of_a_key() -> None:
    assert read_event(json.dumps(build_repair_message("photo.jpg"))) == IngestEvent(EventKind.REPAIR, "photo.jpg", "")
    assert read_event(json.dumps(build_repair_message("photo.jpg", 7))) == IngestEvent(
        EventKind.REPAIR, "photo.jpg", "", repairs=7
    )


def test_a_message_of_our_own_has_no_time() -> None:
    found = read_event(json.dumps(build_repair_message("photo.jpg")))
    assert found is not None
    assert found.happened_at_s == 0


@pytest.mark.parametrize(
    ("time", "happened_at_s"),
    [
        ("2026-11-25T12:00:00Z", NOON_S),
        ("2026-11-25T12:00:00.250Z", NOON_S + 0.25),
        ("", 0),
        ("noon", 0),
        (None, 0),
        (1795608000, 0),
    ],
)
def test_the_time_of_an_event_is_0_if_not_known(time: object, happened_at_s: float) -> None:
    event = json.loads(event_text(BUCKET, "photo.jpg", "00AB", "Object Created", "PutObject"))
    event["time"] = time
    found = read_event(json.dumps(event))
    assert found is not None
    assert found.happened_at_s == happened_at_s


def test_an_event_without_a_time_is_followed() -> None:
    event = json.loads(event_text(BUCKET, "photo.jpg", "00AB", "Object Created", "PutObject"))
    del event["time"]
    found = read_event(json.dumps(event))
    assert found == IngestEvent(EventKind.CREATED, "photo.jpg", pad_sequencer("00AB"), 0)


@pytest.mark.parametrize("detail_type", [None, 1, [], {}])
@pytest.mark.parametrize("source", ["darkroom", "aws.s3"])
def test_a_detail_type_that_is_no_text_is_not_followed(source: str, detail_type: object) -> None:
    event = {"source": source, "detail-type": detail_type, "detail": {"object": {"key": "photo.jpg"}}}
    assert read_event(json.dumps(event)) is None


@given(
    st.text()
    | st.recursive(
        st.none() | st.integers() | st.text(),
        lambda inner: (
            st.lists(inner)
            | st.dictionaries(st.sampled_from(["source", "detail-type", "detail", "object", "key", "bucket"]), inner)
        ),
    ).map(json.dumps)
)
def test_other_messages_in_the_queue_are_distinguished(body: str) -> None:
    """It is rejected, or ignored if it is an event of another type."""
    try:
        assert read_event(body) is None
    except BadUpload:
        return
    assert json.loads(body).keys() >= {"source", "detail-type", "detail"}


def test_an_id_is_that_of_key_event_and_version() -> None:
    assert build_image_id("a", "1", "v") == build_image_id("a", "1", "v")
    others = [("a", "1", "v"), ("a", "2", "v"), ("b", "1", "v"), ("a", "1", "w"), ("a", "1", ""), ("a\n1", "v", "")]
    assert len({build_image_id(*other) for other in others}) == 6
    assert len(build_image_id("a", "1", "v")) == 32


def test_each_outcome_is_published() -> None:
    presets = build_preset_paths("a b.jpg", ["w320"])
    assert presets == {"w320": "/a%20b.jpg?preset=w320"}
    master = MasterRef(content_type="image/jpeg", size_bytes=3, how="cleaned", etag="private")
    ready = Record("a b.jpg", READY, "1", image_id="id", version_id="v", sha256="s", master=master, facts={"width": 3})
    detail_type, detail = build_announcement(ready, presets)
    assert detail_type == "ImageReady"
    assert detail == {
        "id": "id",
        "key": "a b.jpg",
        "version_id": "v",
        "sequencer": "1",
        "sha256": "s",
        "picture": {"width": 3},
        "provenance": {},
        "master": {"content_type": "image/jpeg", "size_bytes": 3, "how": "cleaned"},
        "same_as": "",
        "path": "/a%20b.jpg",
        "presets": presets,
        "priority": False,
    }
    assert build_announcement(ready, presets, priority=True)[1]["priority"] is True
    refusal = Refusal("damaged", "r", "t", "s", "q")
    detail_type, detail = build_announcement(Record("k", REFUSED, "1", image_id="id", refusal=refusal), {})
    assert (detail_type, detail) == (
        "ImageRefused",
        {"id": "id", "key": "k", "version_id": "", "sequencer": "1", **asdict(refusal)},
    )
    assert build_announcement(Record("k", REMOVED, "1"), {}) == (
        "ImageRemoved",
        {"id": "", "key": "k", "version_id": "", "sequencer": "1"},
    )


@given(st.text(min_size=1, max_size=1100), st.integers(0, 2**64).map(lambda number: pad_sequencer(f"{number:X}")))
def test_every_upload_fits_into_quarantine(key: str, sequencer: str) -> None:
    place = quarantine_key(key, sequencer)
    assert len(place.encode()) <= MAX_KEY_BYTES
    assert place.endswith(f"/_/{sequencer}")


KEYS = st.text(min_size=1, max_size=1100)


@given(KEYS)
def test_no_encoding_of_a_key_begins_as_the_folder_of_long_keys(key: str) -> None:
    for other in (key, LONG_KEYS + key, long_key_prefix(key)):
        encoded = encode_key(other)
        assert not encoded.startswith(LONG_KEYS)
    with pytest.raises(BadKey):
        decode_key(LONG_KEYS + encode_key(key))


@given(KEYS, KEYS)
def test_two_keys_share_no_folder_in_quarantine(key: str, other: str) -> None:
    long = key + "x" * MAX_KEY_BYTES
    hashed = sha256(long.encode()).hexdigest()
    folders = {long_key_prefix(long).removesuffix("/_/"), f"long/{hashed}", f"{LONG_KEYS}{hashed}"}
    keys = {key, other, long, *folders}
    assert len({quarantine_key(one, pad_sequencer("1")) for one in keys}) == len(keys)
