"""The in-memory stores of unit tests behave as the adapters that they replace."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from darkroom.errors import ObjectChanged
from darkroom_pipeline.aws.record import CLAIMED
from tests.component.services.ingest_environment import IngestEnvironment
from tests.unit.ingest_stores import CURRENT, KEY, LEASE, Bucket, Table, build_record

METADATA = {"sequencer": CURRENT}


@pytest.fixture(params=["s3", "memory"])
def store(request: pytest.FixtureRequest) -> Any:
    return Bucket() if request.param == "memory" else request.getfixturevalue("vault")


def put(store: Any, key: str = KEY, *, replaces: str = "") -> str:
    etag: str = store.put(key, b"image", headers={}, metadata=METADATA, replaces=replaces)
    return etag


def test_a_put_names_what_it_replaces(store: Any) -> None:
    assert store.head(KEY) is None
    etag = put(store)
    head = store.head(KEY)
    assert (head.etag, head.size_bytes, dict(head.metadata)) == (etag, 5, METADATA)
    for replaces in ("", '"0123456789abcdef0123456789abcdef"'):
        with pytest.raises(ObjectChanged):
            put(store, replaces=replaces)
    assert store.head(KEY).etag == etag
    replaced = put(store, replaces=etag)
    assert store.head(KEY).etag == replaced


def test_a_put_over_a_missing_object_fails(store: Any) -> None:
    with pytest.raises(ObjectChanged):
        put(store, replaces='"0123456789abcdef0123456789abcdef"')


def test_a_delete_names_what_it_deletes(store: Any) -> None:
    etag = put(store)
    with pytest.raises(ObjectChanged):
        store.delete(KEY, '"0123456789abcdef0123456789abcdef"')
    assert store.head(KEY) is not None
    store.delete(KEY, etag)
    assert store.head(KEY) is None
    store.delete(KEY, etag)


def test_a_copy_names_its_source(store: Any) -> None:
    assert store.copy(store, KEY, "copy.jpg", metadata=METADATA) is None
    etag = put(store)
    with pytest.raises(ObjectChanged):
        store.copy(store, KEY, "copy.jpg", metadata=METADATA, source_etag='"0123456789abcdef0123456789abcdef"')
    assert store.head("copy.jpg") is None
    copied = store.copy(store, KEY, "copy.jpg", metadata={"sequencer": "other"}, source_etag=etag)
    head = store.head("copy.jpg")
    assert (head.etag, dict(head.metadata)) == (copied, {"sequencer": "other"})


@pytest.fixture(params=["dynamodb", "memory"])
def index(request: pytest.FixtureRequest, aws: Callable[[str], Any]) -> Any:
    """An index in which :data:`LEASE` has claimed its key."""
    if request.param == "memory":
        return Table()
    found = IngestEnvironment.build(aws).index
    found.claim(KEY, CURRENT, LEASE.token, now_s=1.0, lease_s=60, replaces_token="")
    return found


def test_only_the_token_of_the_claim_holds_the_key(index: Any) -> None:
    assert index.get(KEY).state == CLAIMED
    assert index.has_lease(KEY, LEASE.token)
    assert not index.has_lease(KEY, "another")


def test_only_the_holder_settles_the_record(index: Any) -> None:
    record = build_record()
    assert not index.put_record(replace(record, token="another"))
    assert index.get(KEY).state == CLAIMED
    assert index.put_record(record)
    assert index.get(KEY).state == record.state
