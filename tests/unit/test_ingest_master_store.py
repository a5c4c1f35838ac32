"""Store objects of the newer event: retries, order of sequencers, and the claim around each write."""

from __future__ import annotations

from typing import Any

import pytest

from darkroom.errors import ObjectChanged
from darkroom.image_keys import MASTERS
from darkroom_pipeline.aws.s3 import ObjectHead
from darkroom_pipeline.services.ingest.claims import StaleIndex, Superseded
from darkroom_pipeline.services.ingest.stores import MasterStore

from .ingest_stores import CURRENT, EARLIER, KEY, LATER, LEASE, Stores, build_marks

PLACE = f"masters/{KEY}"
MOST_TRIES = 4
"""Two other workers, each with one write and one deletion, are tolerated; more changes are left to a retry."""


def build_store(stores: Stores) -> MasterStore:
    media: Any = stores.media
    return MasterStore(stores.claims, media, MASTERS)


@pytest.mark.parametrize("there", [None, EARLIER, CURRENT, ""])
def test_a_write_states_whether_it_replaced_an_object(there: str | None) -> None:
    stores, seen = Stores(), list[ObjectHead | None]()
    if there is not None:
        stores.media.store(PLACE, build_marks(there) if there else {})
    existing = stores.media.head(PLACE)

    def write(found: ObjectHead | None) -> str:
        seen.append(found)
        return "etag"

    assert build_store(stores).replace(LEASE, write) == ("etag", there is not None)
    assert seen == [existing]
    assert stores.table.checks == 2


@pytest.mark.parametrize("there", [(True, False), (False, True), (True, True), (False, False)])
def test_an_object_that_was_seen_at_any_try_was_replaced(there: tuple[bool, bool]) -> None:
    stores, found = Stores(), iter(there)

    def set_object() -> None:
        stores.media.objects.pop(PLACE, None)
        if next(found, False):
            stores.media.store(PLACE, build_marks(EARLIER))

    def write(_: ObjectHead | None) -> str:
        if len(calls) < 1:
            calls.append(1)
            set_object()
            raise ObjectChanged
        return "etag"

    calls: list[int] = []
    set_object()
    assert build_store(stores).replace(LEASE, write) == ("etag", any(there))


@pytest.mark.parametrize("failures", range(6))
def test_a_write_is_tried_four_times(failures: int) -> None:
    stores, calls = Stores(), list[int]()

    def write(_: ObjectHead | None) -> str:
        calls.append(1)
        if len(calls) <= failures:
            raise ObjectChanged
        return "etag"

    if failures < MOST_TRIES:
        assert build_store(stores).replace(LEASE, write) == ("etag", False)
    else:
        with pytest.raises(ObjectChanged):
            build_store(stores).replace(LEASE, write)
    assert len(calls) == min(failures + 1, MOST_TRIES)


def test_nothing_is_written_over_a_newer_object() -> None:
    stores = Stores()
    stores.media.store(PLACE, build_marks(LATER))
    with pytest.raises(StaleIndex) as raised:
        build_store(stores).replace(LEASE, lambda _: pytest.fail("written"))
    assert raised.value.sequencer == LATER


@pytest.mark.parametrize(("lost_after", "written", "calls"), [(0, False, 0), (1, True, 1)])
def test_a_write_is_between_two_checks_of_the_claim(lost_after: int, written: bool, calls: int) -> None:
    stores, made = Stores(), list[str]()
    stores.table.lost_after = lost_after

    def write(_: ObjectHead | None) -> str:
        made.append("etag")
        return "etag"

    with pytest.raises(Superseded) as raised:
        build_store(stores).replace(LEASE, write)
    assert (raised.value.wrote, len(made)) == (written, calls)


def test_a_write_that_wrote_nothing_needs_no_second_check() -> None:
    stores = Stores()
    stores.table.lost_after = 1
    assert build_store(stores).replace(LEASE, lambda _: None) == (None, False)


@pytest.mark.parametrize(("there", "removed"), [(None, False), ("", False), (EARLIER, True), (CURRENT, True)], ids=repr)
def test_a_deletion_states_whether_there_was_an_object(there: str | None, removed: bool) -> None:
    stores = Stores()
    if there is not None:
        stores.media.store(PLACE, build_marks(there) if there else {})
    assert build_store(stores).remove(LEASE) is removed
    assert (PLACE in stores.media.objects) is (there == "")


def test_a_newer_object_is_not_deleted() -> None:
    stores = Stores()
    stores.media.store(PLACE, build_marks(LATER))
    with pytest.raises(Superseded) as raised:
        build_store(stores).remove(LEASE)
    assert (raised.value.wrote, PLACE in stores.media.objects) == (False, True)


@pytest.mark.parametrize(("lost_after", "deleted"), [(0, False), (1, True)])
def test_a_deletion_is_between_two_checks_of_the_claim(lost_after: int, deleted: bool) -> None:
    stores = Stores()
    stores.table.lost_after = lost_after
    stores.media.store(PLACE, build_marks(EARLIER))
    with pytest.raises(Superseded) as raised:
        build_store(stores).remove(LEASE)
    assert (raised.value.wrote, PLACE not in stores.media.objects) == (deleted, deleted)


@pytest.mark.parametrize("changes", range(6))
def test_a_deletion_is_tried_four_times(changes: int) -> None:
    stores, calls = Stores(), list[int]()

    def change() -> None:
        calls.append(1)
        if len(calls) <= changes:
            stores.media.store(PLACE, build_marks(EARLIER))

    stores.media.store(PLACE, build_marks(EARLIER))
    stores.media.interfere = change
    if changes < MOST_TRIES:
        assert build_store(stores).remove(LEASE) is True
    else:
        with pytest.raises(ObjectChanged):
            build_store(stores).remove(LEASE)
    assert len(calls) == min(changes + 1, MOST_TRIES)
