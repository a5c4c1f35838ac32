"""Ingest, end to end on S3, DynamoDB, SQS and EventBridge of MiniStack: the result of an upload."""

from __future__ import annotations

import base64
import hashlib
import io
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from PIL import Image

from darkroom.aws.record import READY, REFUSED, REMOVED, MasterRef, Refusal, pad_sequencer
from darkroom.aws.telemetry.powertools import PowertoolsObserver
from darkroom.errors import Busy, ChecksumMismatch
from darkroom.imaging.master import Master
from darkroom.plan.canonical import derivative_name
from darkroom.plan.limits import Limits
from darkroom.plan.presets import Presets, load_default_presets
from darkroom.services.deadline import CpuLimit, is_abandoned
from darkroom.services.ingest.context import IngestOutcome
from darkroom.services.ingest.events import build_repair_message, read_event
from darkroom.services.ingest.examine import UploadExaminer, fetch_upload
from darkroom.services.ingest.handler import handle_event
from darkroom.services.ingest.publish import put_master
from tests.images.pictures import jpeg_photo, png_noise
from tests.images.slow_svg import blurred
from tests.waiting import HANG_S, wait_until

from .ingest_environment import IngestEnvironment, event_text

PRESETS = load_default_presets().at_ingest


@pytest.fixture
def world(aws: Callable[[str], Any]) -> IngestEnvironment:
    return IngestEnvironment.build(aws)


def with_gps() -> bytes:
    exif = Image.Exif()
    exif[0x010F], exif[0x0110], exif[0x0112] = "Leica", "Leica Q3", 6
    exif[0x8298] = "Ada Lovelace"
    exif.get_ifd(0x8825)[1] = "N"
    exif.get_ifd(0x8825).update({2: (52.0, 31.0, 12.0), 3: "E", 4: (13.0, 24.0, 36.0)})
    out = io.BytesIO()
    Image.open(io.BytesIO(jpeg_photo((400, 300)))).save(out, "JPEG", exif=exif)
    return out.getvalue()


def test_an_upload_becomes_a_clean_master_with_its_presets(world: IngestEnvironment) -> None:
    body = with_gps()
    assert world.created("trips/röm 1.jpg", body) is IngestOutcome.READY
    master = world.body("media", "masters/trips/r.-C3B6m.-201.jpg")
    assert b"Leica" not in master
    assert Image.open(io.BytesIO(master)).getexif() == {0x0112: 6}
    head = world.vault("media").head("masters/trips/r.-C3B6m.-201.jpg")
    assert head is not None
    assert head.headers["Content-Type"] == "image/jpeg"
    assert head.metadata["sha256"] == hashlib.sha256(body).hexdigest()
    assert head.metadata["master-sha256"] == hashlib.sha256(world.body("media", head.key)).hexdigest()
    record = world.record("trips/röm 1.jpg")
    assert (record.state, record.announced) == (READY, True)
    assert (record.facts["width"], record.facts["height"], record.facts["format"]) == (300, 400, "jpeg")
    assert record.provenance["camera"] == "Leica Q3"
    assert record.provenance["copyright"] == "Ada Lovelace"
    assert "gps" not in record.provenance
    assert record.master.etag == head.etag
    uploaded = world.vault("uploads").head("trips/röm 1.jpg")
    assert uploaded is not None
    assert record.version_id == uploaded.version_id != ""


def test_each_preset_is_stored_as_the_transform_path_stores_it(world: IngestEnvironment) -> None:
    world.created("photo.jpg", jpeg_photo())
    names = world.keys("media", "derivatives/")
    assert names == sorted(f"derivatives/{name}" for name in world.record("photo.jpg").derivatives)
    assert "derivatives/photo.jpg/_/w-640.webp" in names
    assert len(names) == len(PRESETS)
    etag = world.record("photo.jpg").master.etag.strip('"')
    for name in names:
        head = world.vault("media").head(name)
        assert head is not None
        assert head.headers == {
            "Content-Type": "image/webp",
            "Cache-Control": "public, max-age=86400, s-maxage=31536000, stale-while-revalidate=86400",
        }
        assert head.metadata == {"source-etag": etag, "pace": "quick"}
    assert Image.open(io.BytesIO(world.body("media", "derivatives/photo.jpg/_/w-640.webp"))).size == (640, 427)


def test_gps_is_kept_where_it_was_requested(world: IngestEnvironment) -> None:
    world.keep_gps = True
    world.created("photo.jpg", with_gps())
    gps = world.record("photo.jpg").provenance["gps"]
    assert gps["latitude"] == pytest.approx(52.52)
    assert gps["longitude"] == pytest.approx(13.41)


def test_what_is_ready_is_announced_with_what_a_page_needs(world: IngestEnvironment) -> None:
    world.created("trips/röm 1.jpg", jpeg_photo())
    [(detail_type, detail)] = world.published()
    record = world.record("trips/röm 1.jpg")
    assert detail_type == "ImageReady"
    assert detail["key"] == "trips/röm 1.jpg"
    assert detail["id"] == record.image_id
    assert detail["picture"] == record.facts
    assert detail["path"] == "/trips/r%C3%B6m%201.jpg"
    assert detail["presets"]["cover"] == "/trips/r%C3%B6m%201.jpg?preset=cover"


def test_an_event_that_comes_twice_has_one_effect(world: IngestEnvironment) -> None:
    change = world.change("photo.jpg", world.upload("photo.jpg", jpeg_photo()))
    assert world.handle(change) is IngestOutcome.READY
    before = world.record("photo.jpg")
    assert world.handle(change) is IngestOutcome.DROPPED
    assert world.record("photo.jpg") == before
    assert len(world.published()) == 1


def test_an_announcement_that_was_not_made_is_made_when_the_event_comes_again(world: IngestEnvironment) -> None:
    change = world.change("photo.jpg", world.upload("photo.jpg", jpeg_photo()))
    world.handle(change)
    first = world.published()
    world.index.put_record(replace(world.record("photo.jpg"), announced=False))
    assert world.handle(change) is IngestOutcome.DROPPED
    assert world.published() == first
    assert world.record("photo.jpg").announced


def test_the_same_bytes_under_another_key_are_copied(world: IngestEnvironment) -> None:
    world.created("one.jpg", with_gps())
    assert world.created("two.jpg", with_gps()) is IngestOutcome.DUPLICATE
    one, two = world.record("one.jpg"), world.record("two.jpg")
    assert two.same_as == "one.jpg"
    assert (two.facts, two.provenance, two.sha256) == (one.facts, one.provenance, one.sha256)
    assert world.body("media", "masters/two.jpg") == world.body("media", "masters/one.jpg")
    heads = [world.vault("media").head(f"masters/{name}.jpg") for name in ("one", "two")]
    assert len({head.metadata["master-sha256"] for head in heads if head is not None}) == 1
    assert two.derivatives == tuple(name.replace("one", "two") for name in one.derivatives)
    for name in one.derivatives:
        copied = world.vault("media").head("derivatives/" + name.replace("one", "two"))
        assert copied is not None
        assert copied.metadata == {"source-etag": two.master.etag.strip('"'), "pace": "quick"}
        assert copied.headers["Content-Type"] == "image/webp"
    details = [detail for _, detail in world.published()]
    assert details[1]["same_as"] == "one.jpg"
    assert details[0]["id"] != details[1]["id"]


def test_a_re_encoded_derivative_is_copied_unchanged(world: IngestEnvironment) -> None:
    world.created("one.jpg", jpeg_photo())
    media, name = world.vault("media"), world.record("one.jpg").derivatives[0]
    found = media.head(f"derivatives/{name}")
    assert found is not None
    media.put(f"derivatives/{name}", b"smaller", headers=found.headers, metadata={**found.metadata, "pace": "thorough"})
    world.created("two.jpg", jpeg_photo())
    copied = f"derivatives/{name.replace('one', 'two')}"
    head = media.head(copied)
    assert head is not None
    assert (head.metadata["pace"], world.body("media", copied)) == ("thorough", b"smaller")


def test_deleting_one_of_two_equal_images_leaves_the_other_whole(world: IngestEnvironment) -> None:
    world.created("one.jpg", jpeg_photo())
    world.created("two.jpg", jpeg_photo())
    assert world.deleted("one.jpg") is IngestOutcome.REMOVED
    assert world.keys("media", "masters/") == ["masters/two.jpg"]
    assert len(world.keys("media", "derivatives/two.jpg/_/")) == len(PRESETS)
    assert world.created("three.jpg", jpeg_photo()) is IngestOutcome.DUPLICATE
    assert world.record("three.jpg").same_as == "two.jpg"


def test_a_donor_that_has_lost_a_derivative_is_not_copied_from(world: IngestEnvironment) -> None:
    world.created("one.jpg", jpeg_photo())
    world.vault("media").delete("derivatives/one.jpg/_/w-640.webp")
    assert world.created("two.jpg", jpeg_photo()) is IngestOutcome.READY
    assert len(world.keys("media", "derivatives/two.jpg/_/")) == len(PRESETS)


def test_the_same_bytes_under_the_same_key_change_nothing_but_the_record(world: IngestEnvironment) -> None:
    world.created("photo.jpg", jpeg_photo())
    before = world.record("photo.jpg")
    assert world.created("photo.jpg", jpeg_photo()) is IngestOutcome.DUPLICATE
    after = world.record("photo.jpg")
    assert after.master == before.master
    assert after.sequencer > before.sequencer
    assert world.messages("purges") == []


def test_an_overwrite_takes_every_older_derivative_with_it(world: IngestEnvironment) -> None:
    world.created("photo.jpg", jpeg_photo())
    stale = "derivatives/photo.jpg/_/w-333.webp"
    world.vault("media").put(stale, b"x", headers={}, metadata={"source-etag": "another"})
    assert world.created("photo.jpg", png_noise(700, 500)) is IngestOutcome.READY
    assert stale not in world.keys("media")
    assert world.record("photo.jpg").facts["format"] == "png"
    assert world.messages("purges")[0]["key"] == "photo.jpg"
    etag = world.record("photo.jpg").master.etag.strip('"')
    for name in world.keys("media", "derivatives/"):
        head = world.vault("media").head(name)
        assert head is not None
        assert head.metadata["source-etag"] == etag


def test_a_first_upload_costs_no_purge(world: IngestEnvironment) -> None:
    world.created("photo.jpg", jpeg_photo())
    assert world.messages("purges") == []


REFUSED_UPLOADS = {
    "damaged": ("photo.jpg", jpeg_photo()[:20_000], Limits()),
    "type-not-allowed": ("photo.jpg", b"%PDF-1.7 no picture at all", Limits()),
    "over-limits": ("photo.jpg", jpeg_photo(), Limits(max_pixels=1000)),
    "bad-key": ("a/_/photo.jpg", jpeg_photo(), Limits()),
}


@pytest.mark.parametrize("code", REFUSED_UPLOADS)
def test_a_refused_upload_is_kept_in_quarantine_with_its_reason(world: IngestEnvironment, code: str) -> None:
    key, body, world.limits = REFUSED_UPLOADS[code]
    assert world.created(key, body) is IngestOutcome.REFUSED
    record = world.record(key)
    digest = hashlib.sha256(body).hexdigest()
    assert (record.state, record.refusal.code, record.refusal.sha256) == (REFUSED, code, digest)
    place = record.refusal.quarantined
    assert place == f"{key}/_/{record.sequencer}"
    assert world.body("quarantine", place) == body
    head = world.vault("quarantine").head(place)
    assert head is not None
    assert head.metadata["code"] == code
    assert head.metadata["sha256"] == digest
    assert head.metadata["reason"]
    assert head.headers["Content-Type"] == "application/octet-stream"
    assert world.keys("media") == []
    assert world.vault("uploads").head(key) is not None
    [(detail_type, detail)] = world.published()
    assert (detail_type, detail["code"], detail["quarantined"]) == ("ImageRefused", code, place)


def test_an_upload_whose_presets_take_too_long_is_refused_and_not_published(world: IngestEnvironment) -> None:
    world.cpu_limit = CpuLimit(cpu_s=0.2, wall_s=HANG_S)
    assert world.created("drawing.svg", blurred(3, 1000, 2000, 2000)) is IngestOutcome.REFUSED
    refusal = world.record("drawing.svg").refusal
    assert refusal.code == "too-slow"
    assert world.keys("quarantine") == [refusal.quarantined]
    assert world.keys("media") == []
    wait_until(lambda: not is_abandoned(), "the render ends")


def test_an_upload_that_is_too_long_is_refused_without_being_held(world: IngestEnvironment) -> None:
    world.limits = Limits(max_bytes=10_000)
    body = jpeg_photo()
    assert world.created("photo.jpg", body) is IngestOutcome.REFUSED
    refusal = world.record("photo.jpg").refusal
    assert refusal.code == "over-limits"
    assert "10,000" in refusal.reason
    assert refusal.sha256 == hashlib.sha256(body).hexdigest()
    upload = fetch_upload(world.vault("uploads"), "photo.jpg", world.limits)
    assert upload is not None
    assert upload.data is None


def test_a_key_too_long_to_be_part_of_another_is_quarantined_by_its_hash(world: IngestEnvironment) -> None:
    key = "k" * 1000 + ".jpg"
    assert world.created(key, jpeg_photo()) is IngestOutcome.REFUSED
    hashed = hashlib.sha256(key.encode()).hexdigest()
    assert world.keys("quarantine") == [f".-long/{hashed}/_/{world.record(key).sequencer}"]


def test_a_refused_overwrite_leaves_the_earlier_image_in_service(world: IngestEnvironment) -> None:
    world.created("photo.jpg", jpeg_photo())
    before = world.record("photo.jpg")
    assert world.created("photo.jpg", b"nonsense") is IngestOutcome.REFUSED
    after = world.record("photo.jpg")
    assert (after.state, after.master, after.derivatives) == (REFUSED, before.master, before.derivatives)
    assert len(world.keys("media", "derivatives/")) == len(PRESETS)
    assert world.created("photo.jpg", png_noise(40, 30)) is IngestOutcome.READY
    assert world.record("photo.jpg").refusal == Refusal()


def test_every_full_checksum_must_agree(world: IngestEnvironment) -> None:
    world.upload("photo.jpg", jpeg_photo(), ChecksumAlgorithm="SHA256")
    upload = fetch_upload(world.vault("uploads"), "photo.jpg", Limits())
    assert upload is not None
    right = base64.b64encode(hashlib.sha256(jpeg_photo()).digest()).decode()
    assert upload.head.checksums["sha256"] == right
    examiner = UploadExaminer(Limits(), PowertoolsObserver("ingest"))
    examiner.read_header("photo.jpg", upload)
    for name in ("sha256", "sha1", "crc32", "crc32c", "crc64nvme"):
        wrong = replace(upload, head=replace(upload.head, checksums={"sha256": right, name: "AAAA"}))
        with pytest.raises(ChecksumMismatch, match=name):
            examiner.read_header("photo.jpg", wrong)


class Eicar:
    """A scanner with one signature."""

    def scan(self, data: bytes) -> str:
        return "Eicar-Signature" if b"EICAR" in data else ""


def test_what_a_scanner_finds_is_refused(world: IngestEnvironment) -> None:
    world.scanner = Eicar()
    assert world.created("good.jpg", jpeg_photo()) is IngestOutcome.READY
    assert world.created("bad.jpg", jpeg_photo() + b"EICAR") is IngestOutcome.REFUSED
    assert world.record("bad.jpg").refusal.code == "infected"


def test_known_bytes_are_scanned_again_by_a_newer_scanner(world: IngestEnvironment) -> None:
    data = jpeg_photo() + b"EICAR"
    assert world.created("first.jpg", data) is IngestOutcome.READY
    world.scanner = Eicar()
    assert world.created("second.jpg", data) is IngestOutcome.REFUSED
    assert world.created("first.jpg", data) is IngestOutcome.REFUSED


def test_a_deleted_upload_takes_its_image_with_it(world: IngestEnvironment) -> None:
    world.created("photo.jpg", jpeg_photo())
    created = world.published()
    assert world.deleted("photo.jpg") is IngestOutcome.REMOVED
    assert world.keys("media") == []
    record = world.record("photo.jpg")
    assert (record.state, record.master, record.sha256) == (REMOVED, MasterRef(), "")
    assert record.expires_at_s > world.now_s
    [(detail_type, detail)] = world.published()
    assert (detail_type, detail["key"]) == ("ImageRemoved", "photo.jpg")
    assert detail["id"] != created[0][1]["id"]
    assert world.messages("purges")[0]["key"] == "photo.jpg"


def test_a_deletion_is_remembered_against_an_older_event(world: IngestEnvironment) -> None:
    older = world.change("photo.jpg", world.upload("photo.jpg", jpeg_photo()))
    assert world.deleted("photo.jpg") is IngestOutcome.REMOVED
    world.clients["s3"].put_object(Bucket=world.names["uploads"], Key="photo.jpg", Body=jpeg_photo())
    assert world.handle(older) is IngestOutcome.DROPPED
    assert world.keys("media") == []
    assert world.published() == []
    assert world.created("photo.jpg", jpeg_photo()) is IngestOutcome.READY


def test_deleting_an_older_version_deletes_no_image(world: IngestEnvironment) -> None:
    s3, bucket = world.clients["s3"], world.names["uploads"]
    first = s3.put_object(Bucket=bucket, Key="photo.jpg", Body=jpeg_photo())["VersionId"]
    world.created("photo.jpg", png_noise(40, 30))
    assert world.handle(world.deletion("photo.jpg", first)) is IngestOutcome.DUPLICATE
    assert world.record("photo.jpg").facts["format"] == "png"


def test_deleting_the_newest_version_brings_the_older_one_back(world: IngestEnvironment) -> None:
    s3, bucket = world.clients["s3"], world.names["uploads"]
    world.created("photo.jpg", jpeg_photo())
    newest = s3.put_object(Bucket=bucket, Key="photo.jpg", Body=png_noise(40, 30))["VersionId"]
    world.handle(world.change("photo.jpg", world.next_sequencer()))
    assert world.handle(world.deletion("photo.jpg", newest)) is IngestOutcome.READY
    assert world.record("photo.jpg").facts["format"] == "jpeg"


@pytest.mark.parametrize("late", [False, True])
def test_what_was_deleted_does_not_stay_because_the_next_upload_is_refused(
    world: IngestEnvironment, late: bool
) -> None:
    """``late``: the event of the deletion arrives after that of the upload."""
    world.created("photo.jpg", jpeg_photo())
    deletion = world.deletion("photo.jpg")
    spoilt = world.change("photo.jpg", world.upload("photo.jpg", b"no picture"))
    world.published()
    changes = (spoilt, deletion) if late else (deletion, spoilt)
    expected = [IngestOutcome.REFUSED, IngestOutcome.REMOVED if late else IngestOutcome.REFUSED]
    assert [world.handle(change) for change in changes] == expected
    assert world.keys("media") == []
    record = world.record("photo.jpg")
    assert (record.state, record.master, record.facts, record.derivatives) == (REFUSED, MasterRef(), {}, ())
    assert (record.sequencer, record.refusal.code) == (spoilt.sequencer, "type-not-allowed")
    published = {(detail_type, detail["sequencer"]) for detail_type, detail in world.published()}
    assert {("ImageRemoved", deletion.sequencer), ("ImageRefused", spoilt.sequencer)} <= published
    before = world.record("photo.jpg")
    assert [world.handle(change) for change in changes] == [IngestOutcome.DROPPED, IngestOutcome.DROPPED]
    assert (world.record("photo.jpg"), world.published()) == (before, [])


@pytest.mark.parametrize("served", [True, False])
def test_the_image_that_stays_goes_when_its_own_version_is_deleted(world: IngestEnvironment, served: bool) -> None:
    s3, bucket = world.clients["s3"], world.names["uploads"]
    other = s3.put_object(Bucket=bucket, Key="photo.jpg", Body=png_noise(40, 30))["VersionId"]
    world.created("photo.jpg", jpeg_photo())
    own = world.record("photo.jpg").master.version_id
    world.created("photo.jpg", b"no picture")
    assert world.handle(world.deletion("photo.jpg", own if served else other)) is IngestOutcome.REFUSED
    assert (world.keys("media", "masters/") == []) == served
    assert (world.record("photo.jpg").master == MasterRef()) == served


def test_a_late_deletion_leaves_the_same_image_uploaded_since(world: IngestEnvironment) -> None:
    world.created("photo.jpg", jpeg_photo())
    deletion = world.deletion("photo.jpg")
    assert world.created("photo.jpg", jpeg_photo()) is IngestOutcome.DUPLICATE
    assert world.handle(deletion) is IngestOutcome.DROPPED
    assert "masters/photo.jpg" in world.keys("media")


def test_a_late_deletion_waits_for_the_outcome_of_the_newer_upload(world: IngestEnvironment) -> None:
    world.created("photo.jpg", jpeg_photo())
    deletion = world.deletion("photo.jpg")
    spoilt = world.upload("photo.jpg", b"no picture")
    world.index.claim("photo.jpg", spoilt, "a worker", now_s=world.now_s, lease_s=60)
    with pytest.raises(Busy) as busy:
        world.handle(deletion)
    assert busy.value.retry_in_s == 60
    assert "masters/photo.jpg" in world.keys("media")
    world.now_s += 61
    with pytest.raises(Busy) as soon:
        world.handle(deletion)
    assert soon.value.retry_in_s == 1
    assert world.record("photo.jpg").state == REFUSED
    assert world.handle(deletion) is IngestOutcome.REMOVED
    assert world.keys("media") == []


def half_done(world: IngestEnvironment, key: str) -> None:
    """A worker puts the master of an upload and dies before the index has it."""
    sequencer = world.upload(key, jpeg_photo())
    hold = world.claims.acquire(key, sequencer, replaces_token="")
    upload = fetch_upload(world.vault("uploads"), key, world.limits)
    assert upload is not None
    master = Master(b"of the dead worker", "image/jpeg", "cleaned")
    put_master(world.context, hold, upload, master)


def test_an_orphaned_master_is_adopted_by_a_refusal(world: IngestEnvironment) -> None:
    world.created("photo.jpg", png_noise(40, 30))
    half_done(world, "photo.jpg")
    there = world.vault("media").head("masters/photo.jpg")
    assert there is not None
    assert world.created("photo.jpg", b"no picture") is IngestOutcome.REFUSED
    record = world.record("photo.jpg")
    assert record.master == MasterRef(
        etag=there.etag,
        sequencer=there.metadata["sequencer"],
        version_id=there.metadata["version-id"],
        content_type="image/jpeg",
        size_bytes=len(b"of the dead worker"),
        how="cleaned",
        master_sha256=hashlib.sha256(b"of the dead worker").hexdigest(),
    )
    assert record.sha256 == hashlib.sha256(jpeg_photo()).hexdigest()
    assert (record.facts, record.derivatives) == ({}, ())
    assert world.keys("media") == ["masters/photo.jpg"]
    assert world.claims.matches(record, there)


@pytest.mark.parametrize("deletion", ["marker", "for good"])
def test_an_orphaned_master_is_deleted_with_its_upload(world: IngestEnvironment, deletion: str) -> None:
    half_done(world, "photo.jpg")
    upload = world.vault("uploads").head("photo.jpg")
    assert upload is not None
    world.deletion("photo.jpg", upload.version_id if deletion == "for good" else "")
    assert world.created("photo.jpg", b"no picture") is IngestOutcome.REFUSED
    assert world.keys("media") == []
    assert world.record("photo.jpg").master == MasterRef()


def test_a_refusal_does_not_speak_of_a_master_that_is_not_there(world: IngestEnvironment) -> None:
    world.created("photo.jpg", jpeg_photo())
    world.vault("media").delete("masters/photo.jpg")
    assert world.created("photo.jpg", b"no picture") is IngestOutcome.REFUSED
    assert world.keys("media") == []
    assert world.record("photo.jpg").master == MasterRef()


def test_a_claim_that_was_left_behind_ends_without_the_upload(world: IngestEnvironment) -> None:
    world.created("photo.jpg", jpeg_photo())
    world.clients["s3"].delete_object(Bucket=world.names["uploads"], Key="photo.jpg")
    world.index.claim("photo.jpg", world.next_sequencer(), "a worker", now_s=world.now_s, lease_s=60)
    world.now_s += 61
    repair = read_event(json.dumps(build_repair_message("photo.jpg")))
    assert repair is not None
    assert world.handle(repair) is IngestOutcome.REMOVED
    assert world.keys("media") == []


def test_a_lifecycle_expiry_purges_nothing(world: IngestEnvironment) -> None:
    world.created("photo.jpg", jpeg_photo())
    bucket = world.names["uploads"]
    expiry = event_text(bucket, "photo.jpg", world.next_sequencer(), "Object Deleted", "Lifecycle Expiration")
    assert read_event(expiry) is None


def test_an_older_event_than_the_last_is_dropped(world: IngestEnvironment) -> None:
    older = world.change("photo.jpg", world.upload("photo.jpg", png_noise(40, 30)))
    world.created("photo.jpg", jpeg_photo())
    before = world.record("photo.jpg")
    assert world.handle(older) is IngestOutcome.DROPPED
    assert world.record("photo.jpg") == before


def test_an_event_of_an_upload_that_has_gone_is_dropped(world: IngestEnvironment) -> None:
    assert world.handle(world.change("never.jpg", "1000")) is IngestOutcome.DROPPED
    assert world.index.get("never.jpg") is None


def test_a_master_that_was_put_there_by_hand_is_not_deleted(world: IngestEnvironment) -> None:
    world.vault("media").put("masters/mine.jpg", b"mine", headers={}, metadata={})
    world.deleted("mine.jpg")
    assert world.keys("media") == ["masters/mine.jpg"]


def test_a_master_that_differs_from_the_index_is_repaired(world: IngestEnvironment) -> None:
    world.created("photo.jpg", jpeg_photo())
    good = world.body("media", "masters/photo.jpg")
    marks = {"sequencer": pad_sequencer("0F"), "sha256": "0", "version-id": "0"}
    world.vault("media").put("masters/photo.jpg", b"of an overtaken worker", headers={}, metadata=marks)
    late = world.change("photo.jpg", "0F")
    assert world.handle(late) is IngestOutcome.DROPPED
    assert [message["detail-type"] for message in world.messages("changes")] == ["Mend"]
    repair = read_event(json.dumps(build_repair_message("photo.jpg")))
    assert repair is not None
    assert world.handle(repair) is IngestOutcome.READY
    assert world.body("media", "masters/photo.jpg") == good
    assert world.handle(repair) is IngestOutcome.DROPPED


def test_a_preset_has_its_watermark(world: IngestEnvironment) -> None:
    marked = Presets(
        {"m": {"w": "320", "f": "webp", "wm": "logo,center,100,100"}}, {"logo": "watermarks/l.png"}, ("m",)
    )
    context = replace(world.context, presets=marked)
    [plan] = marked.build_ingest_plans("one.png").values()
    assert (
        handle_event(context, world.change("one.png", world.upload("one.png", png_noise(400, 300))))
        is IngestOutcome.READY
    )
    assert world.record("one.png").derivatives == ()
    red = io.BytesIO()
    Image.new("RGB", (40, 30), (255, 0, 0)).save(red, "PNG")
    world.vault("media").put("watermarks/l.png", red.getvalue(), headers={}, metadata={})
    assert (
        handle_event(context, world.change("two.png", world.upload("two.png", png_noise(400, 302))))
        is IngestOutcome.READY
    )
    [name] = world.record("two.png").derivatives
    assert name == derivative_name(replace(plan, key="two.png"))
    shown = Image.open(io.BytesIO(world.body("media", f"derivatives/{name}")))
    red_share = shown.convert("RGB").getpixel((160, 120))
    assert isinstance(red_share, tuple)
    assert red_share[0] > 240
    assert max(red_share[1:]) < 20


def test_an_index_that_was_lost_does_not_outrank_its_master(world: IngestEnvironment) -> None:
    """An old event comes again, as from the DLQ: the current upload is ingested."""
    old = world.change("photo.jpg", world.upload("photo.jpg", png_noise(40, 30)))
    world.created("photo.jpg", jpeg_photo())
    before = world.record("photo.jpg")
    world.index.delete("photo.jpg")
    assert world.handle(old) is IngestOutcome.READY
    after = world.record("photo.jpg")
    assert (after.state, after.sequencer, after.facts) == (READY, before.sequencer, before.facts)
    assert world.claims.matches(after, world.claims.head_master("photo.jpg"))
    assert world.sent == []


def test_an_old_deletion_keeps_a_newer_master_if_the_index_was_lost(world: IngestEnvironment) -> None:
    """Its upload may be gone because it expired, which deletes no image."""
    world.created("photo.jpg", jpeg_photo())
    old = world.change("photo.jpg", world.next_sequencer(), "Object Deleted", "DeleteObject")
    world.created("photo.jpg", jpeg_photo((64, 48)))
    newer = world.body("media", "masters/photo.jpg")
    world.index.delete("photo.jpg")
    world.vault("uploads").erase("photo.jpg")
    assert world.handle(old) is IngestOutcome.DROPPED
    assert world.body("media", "masters/photo.jpg") == newer


def test_a_restored_index_is_repaired_by_its_master(world: IngestEnvironment) -> None:
    world.created("photo.jpg", png_noise(40, 30))
    backup = world.record("photo.jpg")
    world.created("photo.jpg", jpeg_photo())
    after = world.record("photo.jpg")
    world.index.put_record(replace(backup, token=after.token))
    repair = read_event(json.dumps(build_repair_message("photo.jpg")))
    assert repair is not None
    assert world.handle(repair) is IngestOutcome.READY
    mended = world.record("photo.jpg")
    assert (mended.sequencer, mended.facts) == (after.sequencer, after.facts)


def test_deleting_a_deleted_key_purges_and_publishes_nothing(world: IngestEnvironment) -> None:
    world.created("photo.jpg", jpeg_photo())
    world.deleted("photo.jpg")
    world.messages("purges")
    world.published()
    assert world.deleted("photo.jpg") is IngestOutcome.REMOVED
    assert world.messages("purges") == []
    assert world.published() == []
