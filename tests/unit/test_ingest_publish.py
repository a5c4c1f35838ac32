"""Publish on stores in memory: storage class, purges, pending reviews, orphaned masters."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from darkroom.errors import ObjectChanged, Unavailable
from darkroom.imaging.render.output import RenderedImage
from darkroom.plan.canonical import derivative_name
from darkroom.plan.model import Plan
from darkroom.services.caching import UNREFINED_S, CachePolicy, derivative_metadata
from darkroom_pipeline.aws.record import READY, REFUSED, REMOVED, HeldUpload, MasterRef, Record, Refusal
from darkroom_pipeline.aws.s3 import ObjectHead
from darkroom_pipeline.imaging.master import Master
from darkroom_pipeline.services.ingest.claims import CHECK_DELAY_S, MAX_REPAIRS, Superseded
from darkroom_pipeline.services.ingest.context import IngestContext
from darkroom_pipeline.services.ingest.derivative_store import DerivativeStore
from darkroom_pipeline.services.ingest.events import build_repair_message
from darkroom_pipeline.services.ingest.examine import Description, FetchedUpload
from darkroom_pipeline.services.ingest.publish import (
    adopt_orphan,
    copy_master,
    copy_presets,
    put_master,
    put_presets,
    remove_held_master,
    remove_master,
    unpublish,
)
from darkroom_pipeline.services.ingest.stores import StoredMaster
from darkroom_pipeline.services.purge.stale_derivatives import PurgeResult, purge_message

from .ingest_stores import (
    CURRENT,
    EARLIER,
    KEY,
    LATER,
    LEASE,
    NOW_S,
    Bucket,
    Stores,
    build_marks,
    build_record,
    build_stored_context,
)

PLACE, HELD = f"masters/{KEY}", f"held/{KEY}"
SMALLEST_TIERED = 131_072
"""S3 user guide, "How S3 Intelligent-Tiering works": objects smaller than 128 KB are not moved between tiers."""

MOST_TRIES = 4
AT_ONCE = 4
UPLOAD = FetchedUpload(ObjectHead(KEY, '"u"', 3, "v1", NOW_S, {}, {}, {}), b"abc", "sha256 of v1")
MASTER = Master(b"master", "image/jpeg", "cleaned")
DESCRIPTION = Description({}, {})


class RecordingPurge:
    """Records the keys that are purged."""

    def __init__(self) -> None:
        self.cleared: list[str] = []
        self.cleared_manifests: list[str] = []

    def delete_stale(self, key: str) -> PurgeResult:
        self.cleared.append(key)
        return PurgeResult(0, 0, complete=True)

    def delete_stale_manifests(self, key: str) -> None:
        self.cleared_manifests.append(key)


def build_publishing_context(
    stores: Stores, caching: CachePolicy | None = None, uploads: Bucket | None = None
) -> IngestContext:
    media: Any = stores.media
    purges: Any = stores.purges
    derivatives = DerivativeStore(media, RecordingPurge(), purges, caching or CachePolicy())
    return build_stored_context(stores, derivatives=derivatives, uploads=uploads)


def list_purges(context: IngestContext, stores: Stores) -> list[str]:
    """Return the purged keys, which S3 and the CDN must share."""
    clearing: Any = context.derivatives.purger
    assert stores.purges.sent == [(purge_message(key, cleared=True), 0) for key in clearing.cleared]
    return list(clearing.cleared)


@pytest.mark.parametrize(
    ("size_bytes", "tiered"),
    [(1, False), (SMALLEST_TIERED - 1, False), (SMALLEST_TIERED, True), (SMALLEST_TIERED + 1, True)],
)
@pytest.mark.parametrize("held", [False, True])
def test_a_master_is_tiered_from_the_size_that_s3_tiers(size_bytes: int, tiered: bool, held: bool) -> None:
    stores = Stores()
    context = build_publishing_context(stores)
    put = partial(put_master, held=held)
    described = put(context, LEASE, UPLOAD, Master(bytes(size_bytes), "image/jpeg", "cleaned"), DESCRIPTION)
    assert [(one["key"], one["tiered"]) for one in stores.media.puts] == [(HELD if held else PLACE, tiered)]
    assert described.ref.size_bytes == size_bytes


@pytest.mark.parametrize(("size_bytes", "tiered"), [(SMALLEST_TIERED - 1, False), (SMALLEST_TIERED, True)])
def test_a_copy_is_tiered_as_its_original(size_bytes: int, tiered: bool) -> None:
    stores = Stores()
    copied = copy_master(build_publishing_context(stores), LEASE, UPLOAD, store_donor(stores, size_bytes))
    assert [(one["key"], one["tiered"]) for one in stores.media.copies] == [(PLACE, tiered)]
    assert copied is not None
    assert (copied.ref.size_bytes, copied.ref.sequencer) == (size_bytes, CURRENT)


def store_donor(stores: Stores, size_bytes: int = 3) -> Record:
    etag = stores.media.store("masters/donor.jpg", build_marks(EARLIER), size_bytes)
    master = MasterRef(etag=etag, content_type="image/jpeg", size_bytes=size_bytes, how="cleaned")
    return Record("donor.jpg", READY, EARLIER, master=master)


def test_a_donor_that_changed_is_not_copied() -> None:
    stores = Stores()
    donor = store_donor(stores)
    stores.media.store("masters/donor.jpg", build_marks(LATER))
    stores.media.store(PLACE, build_marks(EARLIER))
    context = build_publishing_context(stores)
    assert copy_master(context, LEASE, UPLOAD, donor) is None
    assert list_purges(context, stores) == []


@pytest.mark.parametrize("there", [False, True])
def test_a_master_that_replaces_another_is_purged(there: bool) -> None:
    stores = Stores()
    if there:
        stores.media.store(PLACE, build_marks(EARLIER))
    context = build_publishing_context(stores)
    put_master(context, LEASE, UPLOAD, MASTER, DESCRIPTION)
    assert list_purges(context, stores) == ([KEY] if there else [])
    assert stores.queue.sent == [(build_repair_message(KEY, 1), CHECK_DELAY_S)] * there


def test_a_held_master_purges_nothing() -> None:
    stores = Stores()
    stores.media.store(HELD, build_marks(EARLIER))
    context = build_publishing_context(stores)
    put_master(context, LEASE, UPLOAD, MASTER, DESCRIPTION, held=True)
    assert list_purges(context, stores) == []


@pytest.mark.parametrize("there", [False, True])
@pytest.mark.parametrize("purge", [False, True])
def test_a_removal_purges_what_was_there_or_as_requested(there: bool, purge: bool) -> None:
    stores = Stores()
    if there:
        stores.media.store(PLACE, build_marks(EARLIER))
    context = build_publishing_context(stores)
    assert remove_master(context, LEASE, purge=purge) is there
    assert list_purges(context, stores) == ([KEY] if there or purge else [])
    assert stores.queue.sent == [(build_repair_message(KEY, 1), CHECK_DELAY_S)] * there


@pytest.mark.parametrize("holds_images", [False, True])
@pytest.mark.parametrize("known", ["unknown", "served", "held"])
def test_what_waits_is_deleted_where_something_may_wait(holds_images: bool, known: str) -> None:
    stores = Stores(holds_images=holds_images)
    stores.media.store(HELD, build_marks(EARLIER))
    record = None if known == "unknown" else build_record(held=HeldUpload("s") if known == "held" else HeldUpload())
    context = build_publishing_context(stores)
    remove_held_master(context, LEASE, record)
    assert (HELD not in stores.media.objects) is (holds_images or known == "held")
    purger: Any = context.derivatives.purger
    assert purger.cleared_manifests == ([KEY] if HELD not in stores.media.objects else [])


@pytest.mark.parametrize("recorded", [None, EARLIER])
@pytest.mark.parametrize("there", ["", EARLIER, CURRENT], ids=["by hand", "earlier", "current"])
def test_a_master_is_adopted_unless_the_index_has_it(there: str, recorded: str | None) -> None:
    stores, uploads = Stores(), Bucket()
    etag = stores.media.store(PLACE, build_marks(there, "v2") if there else {})
    known = build_record(REFUSED, master=MasterRef(sequencer=recorded or ""), sha256="s", refusal=Refusal("c"))
    context = build_publishing_context(stores, uploads=uploads)
    orphan = adopt_orphan(context, LEASE, known)
    if there in ("", recorded):
        assert orphan is known
        assert list_purges(context, stores) == []
        return
    assert (orphan.state, orphan.sha256, orphan.refusal) == (REFUSED, "sha256 of v2", Refusal())
    assert (orphan.sequencer, orphan.token) == (LEASE.sequencer, LEASE.token)
    assert (orphan.master.sequencer, orphan.master.etag, orphan.master.size_bytes) == (there, etag, 3)
    assert list_purges(context, stores) == [KEY]


def test_a_master_of_a_deleted_version_is_not_adopted() -> None:
    stores, uploads = Stores(), Bucket(deleted_versions={"v2"})
    stores.media.store(PLACE, build_marks(EARLIER, "v2"))
    context = build_publishing_context(stores, uploads=uploads)
    orphan = adopt_orphan(context, LEASE, build_record(REFUSED, sha256="s"))
    assert orphan == Record(KEY, REFUSED, LEASE.sequencer, LEASE.token)
    assert stores.media.objects == {}
    assert list_purges(context, stores) == [KEY]


@pytest.mark.parametrize("recorded", [None, EARLIER])
def test_a_master_that_is_missing_is_forgotten(recorded: str | None) -> None:
    stores = Stores()
    known = build_record(REFUSED, sha256="s", master=MasterRef(sequencer=recorded or ""))
    context = build_publishing_context(stores, uploads=Bucket())
    orphan = adopt_orphan(context, LEASE, known)
    assert (orphan is known) is (recorded is None)
    assert orphan.master == MasterRef()
    assert list_purges(context, stores) == ([KEY] if recorded else [])


def test_a_withdrawn_image_leaves_its_refusal_and_the_held_master() -> None:
    stores = Stores()
    record = build_record(REFUSED, sha256="s", refusal=Refusal("c"), held=HeldUpload("h"), master=MasterRef(etag="e"))
    context = build_publishing_context(stores)
    expected = Record(KEY, REFUSED, LEASE.sequencer, LEASE.token, refusal=Refusal("c"), held=HeldUpload("h"))
    assert unpublish(context, LEASE, record) == expected
    assert list_purges(context, stores) == [KEY], "derivatives of a master that has gone may be left"


IMAGE = RenderedImage(b"preset", "image/webp", 8, 8)


def test_a_chain_of_checks_ends() -> None:
    """Each check that finds another master repairs it, and requests the next check."""
    stores = Stores()
    stores.media.store(PLACE, build_marks(EARLIER))
    with pytest.raises(Unavailable):
        put_master(build_publishing_context(stores), replace(LEASE, repairs=MAX_REPAIRS), UPLOAD, MASTER, DESCRIPTION)
    assert stores.queue.sent == []


def list_images(count: int) -> list[tuple[Plan, RenderedImage]]:
    return [(Plan(KEY, width=width), IMAGE) for width in range(1, count + 1)]


def test_presets_are_stored_and_named() -> None:
    stores = Stores()
    etag = stores.media.store(PLACE, build_marks(CURRENT))
    images = list_images(3)
    context = build_publishing_context(stores)
    names = put_presets(context, LEASE, StoredMaster(MasterRef(etag), {}), images)
    assert names == tuple(derivative_name(plan) for plan, _ in images)
    assert all(
        stores.media.objects[f"derivatives/{name}"].metadata == derivative_metadata(etag, "quick") for name in names
    )
    assert list_purges(context, stores) == []


@pytest.mark.parametrize("there", [False, True])
@pytest.mark.parametrize("etag", ['"!"', '"another"'])
def test_presets_of_another_master_are_purged(there: bool, etag: str) -> None:
    stores = Stores()
    if there:
        stores.media.store(PLACE, build_marks(LATER))
    context = build_publishing_context(stores)
    with pytest.raises(Superseded) as raised:
        put_presets(context, LEASE, StoredMaster(MasterRef(etag), {}), list_images(1))
    assert raised.value.wrote is True
    assert list_purges(context, stores) == [KEY]


def test_a_preset_is_about_to_be_re_encoded() -> None:
    stores = Stores()
    etag = stores.media.store(PLACE, build_marks(CURRENT))
    put_presets(
        build_publishing_context(stores, CachePolicy(refines=True)),
        LEASE,
        StoredMaster(MasterRef(etag), {}),
        list_images(1),
    )
    assert f"s-maxage={UNREFINED_S}," in stores.media.puts[0]["headers"]["Cache-Control"]


@pytest.mark.parametrize("changes", range(6))
def test_a_preset_is_put_four_times(changes: int) -> None:
    """The first put expects no object: it fails once where there is an older preset."""
    stores, calls = Stores(), list[int]()
    etag = stores.media.store(PLACE, build_marks(CURRENT))
    [(plan, image)] = list_images(1)
    name = f"derivatives/{derivative_name(plan)}"

    def change() -> None:
        calls.append(1)
        if len(calls) <= changes:
            stores.media.store(name, {"source-etag": "another"})

    stores.media.interfere = change
    context = build_publishing_context(stores)
    if changes < MOST_TRIES:
        assert put_presets(context, LEASE, StoredMaster(MasterRef(etag), {}), [(plan, image)]) == (
            derivative_name(plan),
        )
        assert stores.media.objects[name].metadata == derivative_metadata(etag, "quick")
    else:
        with pytest.raises(ObjectChanged):
            put_presets(context, LEASE, StoredMaster(MasterRef(etag), {}), [(plan, image)])
    assert len(calls) == min(changes + 1, MOST_TRIES)


class ThreadBarrier:
    """Counts the threads that are inside at once; each waits there until :data:`AT_ONCE` have come."""

    def __init__(self) -> None:
        self.barrier = threading.Barrier(AT_ONCE, timeout=5)
        self.lock = threading.Lock()
        self.inside = self.most = 0

    def enter(self) -> None:
        with self.lock:
            self.inside += 1
            self.most = max(self.most, self.inside)
        self.barrier.wait()
        time.sleep(0.02)
        with self.lock:
            self.inside -= 1


def test_four_presets_are_put_at_once() -> None:
    """Each holds its body in memory, and a connection of the pool."""
    stores, meeting = Stores(), ThreadBarrier()
    etag = stores.media.store(PLACE, build_marks(CURRENT))
    stores.media.interfere = meeting.enter
    put_presets(build_publishing_context(stores), LEASE, StoredMaster(MasterRef(etag), {}), list_images(2 * AT_ONCE))
    assert meeting.most == AT_ONCE


def store_presets(stores: Stores, donor: Record, plans: list[Plan], marks: Mapping[str, str]) -> None:
    for plan in plans:
        stores.media.store(f"derivatives/{derivative_name(replace(plan, key=donor.key))}", marks)


@pytest.mark.parametrize(("pace", "refined"), [("quick", False), ("thorough", True), (None, False)])
def test_copied_presets_keep_the_re_encoding_of_their_originals(pace: Any, refined: bool) -> None:
    stores = Stores()
    donor, etag = store_donor(stores), stores.media.store(PLACE, build_marks(CURRENT))
    plans = [plan for plan, _ in list_images(2)]
    store_presets(stores, donor, plans, derivative_metadata(donor.master.etag, pace))
    context = build_publishing_context(stores, CachePolicy(refines=True))
    assert copy_presets(context, LEASE, StoredMaster(MasterRef(etag), {}), plans, donor) == tuple(
        derivative_name(plan) for plan in plans
    )
    for copied in stores.media.copies:
        assert copied["metadata"] == derivative_metadata(etag, pace or "quick")
        assert (f"s-maxage={UNREFINED_S}," in copied["headers"]["Cache-Control"]) is not refined


@pytest.mark.parametrize("other", ["", '"!"', '"another"'])
def test_presets_are_copied_all_or_not_at_all(other: str) -> None:
    """``other`` is the master that the second preset was made from, empty if there is no second preset."""
    stores = Stores()
    donor, etag = store_donor(stores), stores.media.store(PLACE, build_marks(CURRENT))
    plans = [plan for plan, _ in list_images(2)]
    store_presets(stores, donor, plans[:1], derivative_metadata(donor.master.etag, "quick"))
    if other:
        store_presets(stores, donor, plans[1:], derivative_metadata(other, "quick"))
    context = build_publishing_context(stores)
    assert copy_presets(context, LEASE, StoredMaster(MasterRef(etag), {}), plans, donor) is None
    assert list_purges(context, stores) == []


def test_four_presets_are_copied_at_once() -> None:
    stores, meeting = Stores(), ThreadBarrier()
    donor, etag = store_donor(stores), stores.media.store(PLACE, build_marks(CURRENT))
    plans = [plan for plan, _ in list_images(2 * AT_ONCE)]
    store_presets(stores, donor, plans, derivative_metadata(donor.master.etag, "quick"))
    copy = stores.media.copy

    def enter(*arguments: Any, **further: Any) -> str | None:
        meeting.enter()
        return copy(*arguments, **further)

    stores.media.copy = enter  # type: ignore[method-assign]
    copy_presets(build_publishing_context(stores), LEASE, StoredMaster(MasterRef(etag), {}), plans, donor)
    assert meeting.most == AT_ONCE


def test_a_removed_key_has_no_master_to_adopt() -> None:
    stores = Stores()
    known = build_record(REMOVED)
    assert adopt_orphan(build_publishing_context(stores, uploads=Bucket()), LEASE, known) is known
