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

from darkroom import VERSION
from darkroom.errors import Busy, ChecksumMismatch
from darkroom.imaging.formats.metadata.rights import NO_TEXT
from darkroom.plan.canonical import derivative_name
from darkroom.plan.limits import Limits
from darkroom.plan.presets import Presets, load_default_presets
from darkroom.services.deadline import CpuLimit, is_abandoned
from darkroom_pipeline.aws.powertools import PowertoolsObserver
from darkroom_pipeline.aws.record import READY, REFUSED, REMOVED, MasterRef, Refusal, pad_sequencer
from darkroom_pipeline.imaging.master import Master
from darkroom_pipeline.services.ingest.context import IngestOutcome
from darkroom_pipeline.services.ingest.events import build_repair_message, read_event
from darkroom_pipeline.services.ingest.examine import Description, UploadExaminer, fetch_upload
from darkroom_pipeline.services.ingest.handler import handle_event
from darkroom_pipeline.services.ingest.publish import put_master
from tests.images.photographs import jpeg_photo, png_noise
from tests.images.slow_svg import blurred
from tests.waiting import HANG_S, wait_until

from .ingest_environment import IngestEnvironment, event_text

PRESETS = load_default_presets().at_ingest


@pytest.fixture
def env(aws: Callable[[str], Any]) -> IngestEnvironment:
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


def test_an_upload_becomes_a_clean_master_with_its_presets(env: IngestEnvironment) -> None:
    body = with_gps()
    assert env.created("trips/röm 1.jpg", body) is IngestOutcome.READY
    master = env.body("media", "masters/trips/r.-C3B6m.-201.jpg")
    assert b"Leica" not in master
    assert Image.open(io.BytesIO(master)).getexif() == {0x0112: 6}
    head = env.vault("media").head("masters/trips/r.-C3B6m.-201.jpg")
    assert head is not None
    assert head.headers["Content-Type"] == "image/jpeg"
    assert head.metadata["sha256"] == hashlib.sha256(body).hexdigest()
    assert head.metadata["master-sha256"] == hashlib.sha256(env.body("media", head.key)).hexdigest()
    record = env.record("trips/röm 1.jpg")
    assert (record.state, record.announced) == (READY, True)
    assert (record.facts["width"], record.facts["height"], record.facts["format"]) == (300, 400, "jpeg")
    assert record.provenance["camera"] == "Leica Q3"
    assert record.provenance["copyright"] == "Ada Lovelace"
    assert "gps" not in record.provenance
    assert record.master.etag == head.etag
    uploaded = env.vault("uploads").head("trips/röm 1.jpg")
    assert uploaded is not None
    assert record.version_id == uploaded.version_id != ""


def test_each_preset_is_stored_as_the_transform_path_stores_it(env: IngestEnvironment) -> None:
    env.created("photo.jpg", jpeg_photo())
    names = env.keys("media", "derivatives/")
    assert names == sorted(f"derivatives/{name}" for name in env.record("photo.jpg").derivatives)
    assert "derivatives/photo.jpg/_/w-640.webp" in names
    assert len(names) == len(PRESETS)
    etag = env.record("photo.jpg").master.etag.strip('"')
    for name in names:
        head = env.vault("media").head(name)
        assert head is not None
        assert head.headers == {
            "Content-Type": "image/webp",
            "Cache-Control": "public, max-age=86400, s-maxage=31536000, stale-while-revalidate=86400",
        }
        assert head.metadata == {"source-etag": etag, "pace": "quick", "renderer": VERSION}
    assert Image.open(io.BytesIO(env.body("media", "derivatives/photo.jpg/_/w-640.webp"))).size == (640, 427)


def test_gps_is_kept_where_it_was_requested(env: IngestEnvironment) -> None:
    env.keep_gps = True
    env.created("photo.jpg", with_gps())
    gps = env.record("photo.jpg").provenance["gps"]
    assert gps["latitude"] == pytest.approx(52.52)
    assert gps["longitude"] == pytest.approx(13.41)


def test_what_is_ready_is_announced_with_what_a_page_needs(env: IngestEnvironment) -> None:
    env.created("trips/röm 1.jpg", jpeg_photo())
    [(detail_type, detail)] = env.published()
    record = env.record("trips/röm 1.jpg")
    assert detail_type == "ImageReady"
    assert detail["key"] == "trips/röm 1.jpg"
    assert detail["id"] == record.image_id
    assert detail["picture"] == record.facts
    assert detail["path"] == "/trips/r%C3%B6m%201.jpg"
    assert detail["presets"]["cover"] == "/trips/r%C3%B6m%201.jpg?preset=cover"


def test_an_event_that_comes_twice_has_one_effect(env: IngestEnvironment) -> None:
    change = env.change("photo.jpg", env.upload("photo.jpg", jpeg_photo()))
    assert env.handle(change) is IngestOutcome.READY
    before = env.record("photo.jpg")
    assert env.handle(change) is IngestOutcome.DROPPED
    assert env.record("photo.jpg") == before
    assert len(env.published()) == 1


def test_an_announcement_that_was_not_made_is_made_when_the_event_comes_again(env: IngestEnvironment) -> None:
    change = env.change("photo.jpg", env.upload("photo.jpg", jpeg_photo()))
    env.handle(change)
    first = env.published()
    env.index.put_record(replace(env.record("photo.jpg"), announced=False))
    assert env.handle(change) is IngestOutcome.DROPPED
    assert env.published() == first
    assert env.record("photo.jpg").announced


def test_the_same_bytes_under_another_key_are_copied(env: IngestEnvironment) -> None:
    env.created("one.jpg", with_gps())
    assert env.created("two.jpg", with_gps()) is IngestOutcome.DUPLICATE
    one, two = env.record("one.jpg"), env.record("two.jpg")
    assert two.same_as == "one.jpg"
    assert (two.facts, two.provenance, two.sha256) == (one.facts, one.provenance, one.sha256)
    assert env.body("media", "masters/two.jpg") == env.body("media", "masters/one.jpg")
    heads = [env.vault("media").head(f"masters/{name}.jpg") for name in ("one", "two")]
    assert len({head.metadata["master-sha256"] for head in heads if head is not None}) == 1
    assert two.derivatives == tuple(name.replace("one", "two") for name in one.derivatives)
    for name in one.derivatives:
        copied = env.vault("media").head("derivatives/" + name.replace("one", "two"))
        assert copied is not None
        assert copied.metadata == {
            "source-etag": two.master.etag.strip('"'),
            "pace": "quick",
            "renderer": VERSION,
        }
        assert copied.headers["Content-Type"] == "image/webp"
    details = [detail for _, detail in env.published()]
    assert details[1]["same_as"] == "one.jpg"
    assert details[0]["id"] != details[1]["id"]


def test_a_re_encoded_derivative_is_copied_unchanged(env: IngestEnvironment) -> None:
    env.created("one.jpg", jpeg_photo())
    media, name = env.vault("media"), env.record("one.jpg").derivatives[0]
    found = media.head(f"derivatives/{name}")
    assert found is not None
    media.put(f"derivatives/{name}", b"smaller", headers=found.headers, metadata={**found.metadata, "pace": "thorough"})
    env.created("two.jpg", jpeg_photo())
    copied = f"derivatives/{name.replace('one', 'two')}"
    head = media.head(copied)
    assert head is not None
    assert (head.metadata["pace"], env.body("media", copied)) == ("thorough", b"smaller")


def test_deleting_one_of_two_equal_images_leaves_the_other_whole(env: IngestEnvironment) -> None:
    env.created("one.jpg", jpeg_photo())
    env.created("two.jpg", jpeg_photo())
    assert env.deleted("one.jpg") is IngestOutcome.REMOVED
    assert env.keys("media", "masters/") == ["masters/two.jpg"]
    assert len(env.keys("media", "derivatives/two.jpg/_/")) == len(PRESETS)
    assert env.created("three.jpg", jpeg_photo()) is IngestOutcome.DUPLICATE
    assert env.record("three.jpg").same_as == "two.jpg"


def test_a_donor_that_has_lost_a_derivative_is_not_copied_from(env: IngestEnvironment) -> None:
    env.created("one.jpg", jpeg_photo())
    env.vault("media").delete("derivatives/one.jpg/_/w-640.webp")
    assert env.created("two.jpg", jpeg_photo()) is IngestOutcome.READY
    assert len(env.keys("media", "derivatives/two.jpg/_/")) == len(PRESETS)


def test_the_same_bytes_under_the_same_key_change_nothing_but_the_record(env: IngestEnvironment) -> None:
    env.created("photo.jpg", jpeg_photo())
    before = env.record("photo.jpg")
    assert env.created("photo.jpg", jpeg_photo()) is IngestOutcome.DUPLICATE
    after = env.record("photo.jpg")
    assert after.master == before.master
    assert after.sequencer > before.sequencer
    assert env.messages("purges") == []


def test_an_overwrite_takes_every_older_derivative_with_it(env: IngestEnvironment) -> None:
    env.created("photo.jpg", jpeg_photo())
    stale = "derivatives/photo.jpg/_/w-333.webp"
    env.vault("media").put(stale, b"x", headers={}, metadata={"source-etag": "another"})
    assert env.created("photo.jpg", png_noise(700, 500)) is IngestOutcome.READY
    assert stale not in env.keys("media")
    assert env.record("photo.jpg").facts["format"] == "png"
    assert env.messages("purges")[0]["key"] == "photo.jpg"
    etag = env.record("photo.jpg").master.etag.strip('"')
    for name in env.keys("media", "derivatives/"):
        head = env.vault("media").head(name)
        assert head is not None
        assert head.metadata["source-etag"] == etag


def test_a_first_upload_costs_no_purge(env: IngestEnvironment) -> None:
    env.created("photo.jpg", jpeg_photo())
    assert env.messages("purges") == []


REFUSED_UPLOADS = {
    "damaged": ("photo.jpg", jpeg_photo()[:20_000], Limits()),
    "type-not-allowed": ("photo.jpg", b"%PDF-1.7 no image at all", Limits()),
    "over-limits": ("photo.jpg", jpeg_photo(), Limits(max_pixels=1000)),
    "bad-key": ("a/_/photo.jpg", jpeg_photo(), Limits()),
}


@pytest.mark.parametrize("code", REFUSED_UPLOADS)
def test_a_refused_upload_is_kept_in_quarantine_with_its_reason(env: IngestEnvironment, code: str) -> None:
    key, body, env.limits = REFUSED_UPLOADS[code]
    assert env.created(key, body) is IngestOutcome.REFUSED
    record = env.record(key)
    digest = hashlib.sha256(body).hexdigest()
    assert (record.state, record.refusal.code, record.refusal.sha256) == (REFUSED, code, digest)
    place = record.refusal.quarantined
    assert place == f"{key}/_/{record.sequencer}"
    assert env.body("quarantine", place) == body
    head = env.vault("quarantine").head(place)
    assert head is not None
    assert head.metadata["code"] == code
    assert head.metadata["sha256"] == digest
    assert head.metadata["reason"]
    assert head.headers["Content-Type"] == "application/octet-stream"
    assert env.keys("media") == []
    assert env.vault("uploads").head(key) is not None
    [(detail_type, detail)] = env.published()
    assert (detail_type, detail["code"], detail["quarantined"]) == ("ImageRefused", code, place)


@pytest.mark.slow
def test_an_upload_whose_presets_take_too_long_is_refused_and_not_published(env: IngestEnvironment) -> None:
    env.cpu_limit = CpuLimit(cpu_s=0.2, wall_s=HANG_S)
    assert env.created("drawing.svg", blurred(3, 1000, 2000, 2000)) is IngestOutcome.REFUSED
    refusal = env.record("drawing.svg").refusal
    assert refusal.code == "too-slow"
    assert env.keys("quarantine") == [refusal.quarantined]
    assert env.keys("media") == []
    wait_until(lambda: not is_abandoned(), "the render ends")


def test_an_upload_that_is_too_long_is_refused_without_being_held(env: IngestEnvironment) -> None:
    env.limits = Limits(max_bytes=10_000)
    body = jpeg_photo()
    assert env.created("photo.jpg", body) is IngestOutcome.REFUSED
    refusal = env.record("photo.jpg").refusal
    assert refusal.code == "over-limits"
    assert "10,000" in refusal.reason
    assert refusal.sha256 == hashlib.sha256(body).hexdigest()
    upload = fetch_upload(env.vault("uploads"), "photo.jpg", env.limits)
    assert upload is not None
    assert upload.data is None


def test_a_key_too_long_to_be_part_of_another_is_quarantined_by_its_hash(env: IngestEnvironment) -> None:
    key = "k" * 1000 + ".jpg"
    assert env.created(key, jpeg_photo()) is IngestOutcome.REFUSED
    hashed = hashlib.sha256(key.encode()).hexdigest()
    assert env.keys("quarantine") == [f".-long/{hashed}/_/{env.record(key).sequencer}"]


def test_a_refused_overwrite_leaves_the_earlier_image_in_service(env: IngestEnvironment) -> None:
    env.created("photo.jpg", jpeg_photo())
    before = env.record("photo.jpg")
    assert env.created("photo.jpg", b"nonsense") is IngestOutcome.REFUSED
    after = env.record("photo.jpg")
    assert (after.state, after.master, after.derivatives) == (REFUSED, before.master, before.derivatives)
    assert len(env.keys("media", "derivatives/")) == len(PRESETS)
    assert env.created("photo.jpg", png_noise(40, 30)) is IngestOutcome.READY
    assert env.record("photo.jpg").refusal == Refusal()


def test_every_full_checksum_must_agree(env: IngestEnvironment) -> None:
    env.upload("photo.jpg", jpeg_photo(), ChecksumAlgorithm="SHA256")
    upload = fetch_upload(env.vault("uploads"), "photo.jpg", Limits())
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


def test_what_a_scanner_finds_is_refused(env: IngestEnvironment) -> None:
    env.scanner = Eicar()
    assert env.created("good.jpg", jpeg_photo()) is IngestOutcome.READY
    assert env.created("bad.jpg", jpeg_photo() + b"EICAR") is IngestOutcome.REFUSED
    assert env.record("bad.jpg").refusal.code == "infected"


def test_known_bytes_are_scanned_again_by_a_newer_scanner(env: IngestEnvironment) -> None:
    data = jpeg_photo() + b"EICAR"
    assert env.created("first.jpg", data) is IngestOutcome.READY
    env.scanner = Eicar()
    assert env.created("second.jpg", data) is IngestOutcome.REFUSED
    assert env.created("first.jpg", data) is IngestOutcome.REFUSED


def test_a_deleted_upload_takes_its_image_with_it(env: IngestEnvironment) -> None:
    env.created("photo.jpg", jpeg_photo())
    created = env.published()
    assert env.deleted("photo.jpg") is IngestOutcome.REMOVED
    assert env.keys("media") == []
    record = env.record("photo.jpg")
    assert (record.state, record.master, record.sha256) == (REMOVED, MasterRef(), "")
    assert record.expires_at_s > env.now_s
    [(detail_type, detail)] = env.published()
    assert (detail_type, detail["key"]) == ("ImageRemoved", "photo.jpg")
    assert detail["id"] != created[0][1]["id"]
    assert env.messages("purges")[0]["key"] == "photo.jpg"


def test_a_deletion_is_remembered_against_an_older_event(env: IngestEnvironment) -> None:
    older = env.change("photo.jpg", env.upload("photo.jpg", jpeg_photo()))
    assert env.deleted("photo.jpg") is IngestOutcome.REMOVED
    env.clients["s3"].put_object(Bucket=env.names["uploads"], Key="photo.jpg", Body=jpeg_photo())
    assert env.handle(older) is IngestOutcome.DROPPED
    assert env.keys("media") == []
    assert env.published() == []
    assert env.created("photo.jpg", jpeg_photo()) is IngestOutcome.READY


def test_deleting_an_older_version_deletes_no_image(env: IngestEnvironment) -> None:
    s3, bucket = env.clients["s3"], env.names["uploads"]
    first = s3.put_object(Bucket=bucket, Key="photo.jpg", Body=jpeg_photo())["VersionId"]
    env.created("photo.jpg", png_noise(40, 30))
    assert env.handle(env.deletion("photo.jpg", first)) is IngestOutcome.DUPLICATE
    assert env.record("photo.jpg").facts["format"] == "png"


def test_deleting_the_newest_version_brings_the_older_one_back(env: IngestEnvironment) -> None:
    s3, bucket = env.clients["s3"], env.names["uploads"]
    env.created("photo.jpg", jpeg_photo())
    newest = s3.put_object(Bucket=bucket, Key="photo.jpg", Body=png_noise(40, 30))["VersionId"]
    env.handle(env.change("photo.jpg", env.next_sequencer()))
    assert env.handle(env.deletion("photo.jpg", newest)) is IngestOutcome.READY
    assert env.record("photo.jpg").facts["format"] == "jpeg"


@pytest.mark.parametrize("late", [False, True])
def test_what_was_deleted_does_not_stay_because_the_next_upload_is_refused(env: IngestEnvironment, late: bool) -> None:
    """``late``: the event of the deletion arrives after that of the upload."""
    env.created("photo.jpg", jpeg_photo())
    deletion = env.deletion("photo.jpg")
    spoilt = env.change("photo.jpg", env.upload("photo.jpg", b"no image"))
    env.published()
    changes = (spoilt, deletion) if late else (deletion, spoilt)
    expected = [IngestOutcome.REFUSED, IngestOutcome.REMOVED if late else IngestOutcome.REFUSED]
    assert [env.handle(change) for change in changes] == expected
    assert env.keys("media") == []
    record = env.record("photo.jpg")
    assert (record.state, record.master, record.facts, record.derivatives) == (REFUSED, MasterRef(), {}, ())
    assert (record.sequencer, record.refusal.code) == (spoilt.sequencer, "type-not-allowed")
    published = {(detail_type, detail["sequencer"]) for detail_type, detail in env.published()}
    assert {("ImageRemoved", deletion.sequencer), ("ImageRefused", spoilt.sequencer)} <= published
    before = env.record("photo.jpg")
    assert [env.handle(change) for change in changes] == [IngestOutcome.DROPPED, IngestOutcome.DROPPED]
    assert (env.record("photo.jpg"), env.published()) == (before, [])


@pytest.mark.parametrize("served", [True, False])
def test_the_image_that_stays_goes_when_its_own_version_is_deleted(env: IngestEnvironment, served: bool) -> None:
    s3, bucket = env.clients["s3"], env.names["uploads"]
    other = s3.put_object(Bucket=bucket, Key="photo.jpg", Body=png_noise(40, 30))["VersionId"]
    env.created("photo.jpg", jpeg_photo())
    own = env.record("photo.jpg").master.version_id
    env.created("photo.jpg", b"no image")
    assert env.handle(env.deletion("photo.jpg", own if served else other)) is IngestOutcome.REFUSED
    assert (env.keys("media", "masters/") == []) == served
    assert (env.record("photo.jpg").master == MasterRef()) == served


def test_a_late_deletion_leaves_the_same_image_uploaded_since(env: IngestEnvironment) -> None:
    env.created("photo.jpg", jpeg_photo())
    deletion = env.deletion("photo.jpg")
    assert env.created("photo.jpg", jpeg_photo()) is IngestOutcome.DUPLICATE
    assert env.handle(deletion) is IngestOutcome.DROPPED
    assert "masters/photo.jpg" in env.keys("media")


def test_a_late_deletion_waits_for_the_outcome_of_the_newer_upload(env: IngestEnvironment) -> None:
    env.created("photo.jpg", jpeg_photo())
    deletion = env.deletion("photo.jpg")
    spoilt = env.upload("photo.jpg", b"no image")
    env.index.claim("photo.jpg", spoilt, "a worker", now_s=env.now_s, lease_s=60)
    with pytest.raises(Busy) as busy:
        env.handle(deletion)
    assert busy.value.retry_in_s == 60
    assert "masters/photo.jpg" in env.keys("media")
    env.now_s += 61
    with pytest.raises(Busy) as soon:
        env.handle(deletion)
    assert soon.value.retry_in_s == 1
    assert env.record("photo.jpg").state == REFUSED
    assert env.handle(deletion) is IngestOutcome.REMOVED
    assert env.keys("media") == []


def half_done(env: IngestEnvironment, key: str) -> None:
    """A worker puts the master of an upload and dies before the index has it."""
    sequencer = env.upload(key, jpeg_photo())
    hold = env.claims.acquire(key, sequencer, replaces_token="")
    upload = fetch_upload(env.vault("uploads"), key, env.limits)
    assert upload is not None
    master = Master(b"of the dead worker", "image/jpeg", "cleaned")
    put_master(env.context, hold, upload, master, Description({}, {}))


def test_an_orphaned_master_is_adopted_by_a_refusal(env: IngestEnvironment) -> None:
    env.created("photo.jpg", png_noise(40, 30))
    half_done(env, "photo.jpg")
    there = env.vault("media").head("masters/photo.jpg")
    assert there is not None
    assert env.created("photo.jpg", b"no image") is IngestOutcome.REFUSED
    record = env.record("photo.jpg")
    assert record.master == MasterRef(
        etag=there.etag,
        sequencer=there.metadata["sequencer"],
        version_id=there.metadata["version-id"],
        content_type="image/jpeg",
        size_bytes=len(b"of the dead worker"),
        how="cleaned",
        master_sha256=hashlib.sha256(b"of the dead worker").hexdigest(),
        rights=NO_TEXT,
    )
    assert record.sha256 == hashlib.sha256(jpeg_photo()).hexdigest()
    assert (record.facts, record.derivatives) == ({}, ())
    assert env.keys("media") == ["masters/photo.jpg"]
    assert env.claims.matches(record, there)


@pytest.mark.parametrize("deletion", ["marker", "for good"])
def test_an_orphaned_master_is_deleted_with_its_upload(env: IngestEnvironment, deletion: str) -> None:
    half_done(env, "photo.jpg")
    upload = env.vault("uploads").head("photo.jpg")
    assert upload is not None
    env.deletion("photo.jpg", upload.version_id if deletion == "for good" else "")
    assert env.created("photo.jpg", b"no image") is IngestOutcome.REFUSED
    assert env.keys("media") == []
    assert env.record("photo.jpg").master == MasterRef()


def test_a_refusal_does_not_speak_of_a_master_that_is_not_there(env: IngestEnvironment) -> None:
    env.created("photo.jpg", jpeg_photo())
    env.vault("media").delete("masters/photo.jpg")
    assert env.created("photo.jpg", b"no image") is IngestOutcome.REFUSED
    assert env.keys("media") == []
    assert env.record("photo.jpg").master == MasterRef()


def test_a_claim_that_was_left_behind_ends_without_the_upload(env: IngestEnvironment) -> None:
    env.created("photo.jpg", jpeg_photo())
    env.clients["s3"].delete_object(Bucket=env.names["uploads"], Key="photo.jpg")
    env.index.claim("photo.jpg", env.next_sequencer(), "a worker", now_s=env.now_s, lease_s=60)
    env.now_s += 61
    repair = read_event(json.dumps(build_repair_message("photo.jpg")))
    assert repair is not None
    assert env.handle(repair) is IngestOutcome.REMOVED
    assert env.keys("media") == []


def test_a_lifecycle_expiry_purges_nothing(env: IngestEnvironment) -> None:
    env.created("photo.jpg", jpeg_photo())
    bucket = env.names["uploads"]
    expiry = event_text(bucket, "photo.jpg", env.next_sequencer(), "Object Deleted", "Lifecycle Expiration")
    assert read_event(expiry) is None


def test_an_older_event_than_the_last_is_dropped(env: IngestEnvironment) -> None:
    older = env.change("photo.jpg", env.upload("photo.jpg", png_noise(40, 30)))
    env.created("photo.jpg", jpeg_photo())
    before = env.record("photo.jpg")
    assert env.handle(older) is IngestOutcome.DROPPED
    assert env.record("photo.jpg") == before


def test_an_event_of_an_upload_that_has_gone_is_dropped(env: IngestEnvironment) -> None:
    assert env.handle(env.change("never.jpg", "1000")) is IngestOutcome.DROPPED
    assert env.index.get("never.jpg") is None


def test_a_master_that_was_put_there_by_hand_is_not_deleted(env: IngestEnvironment) -> None:
    env.vault("media").put("masters/mine.jpg", b"mine", headers={}, metadata={})
    env.deleted("mine.jpg")
    assert env.keys("media") == ["masters/mine.jpg"]


def test_a_master_that_differs_from_the_index_is_repaired(env: IngestEnvironment) -> None:
    env.created("photo.jpg", jpeg_photo())
    good = env.body("media", "masters/photo.jpg")
    marks = {"sequencer": pad_sequencer("0F"), "sha256": "0", "version-id": "0"}
    env.vault("media").put("masters/photo.jpg", b"of an overtaken worker", headers={}, metadata=marks)
    late = env.change("photo.jpg", "0F")
    assert env.handle(late) is IngestOutcome.DROPPED
    assert [message["detail-type"] for message in env.messages("changes")] == ["Mend"]
    repair = read_event(json.dumps(build_repair_message("photo.jpg")))
    assert repair is not None
    assert env.handle(repair) is IngestOutcome.READY
    assert env.body("media", "masters/photo.jpg") == good
    assert env.handle(repair) is IngestOutcome.DROPPED


def test_a_preset_has_its_watermark(env: IngestEnvironment) -> None:
    marked = Presets(
        {"m": {"w": "320", "f": "webp", "wm": "logo,center,100,100"}}, {"logo": "watermarks/l.png"}, ("m",)
    )
    context = replace(env.context, presets=marked)
    [plan] = marked.build_ingest_plans("one.png").values()
    assert (
        handle_event(context, env.change("one.png", env.upload("one.png", png_noise(400, 300)))) is IngestOutcome.READY
    )
    assert env.record("one.png").derivatives == ()
    red = io.BytesIO()
    Image.new("RGB", (40, 30), (255, 0, 0)).save(red, "PNG")
    env.vault("media").put("watermarks/l.png", red.getvalue(), headers={}, metadata={})
    assert (
        handle_event(context, env.change("two.png", env.upload("two.png", png_noise(400, 302)))) is IngestOutcome.READY
    )
    [name] = env.record("two.png").derivatives
    assert name == derivative_name(replace(plan, key="two.png"))
    shown = Image.open(io.BytesIO(env.body("media", f"derivatives/{name}")))
    red_share = shown.convert("RGB").getpixel((160, 120))
    assert isinstance(red_share, tuple)
    assert red_share[0] > 240
    assert max(red_share[1:]) < 20


def test_a_preset_has_its_overlay(env: IngestEnvironment) -> None:
    stamped = Presets({"m": {"w": "320", "f": "webp", "ov": "image:stamp.png,at:center,width:100"}}, {}, ("m",))
    context = replace(env.context, presets=stamped)
    handle_event(context, env.change("one.png", env.upload("one.png", png_noise(400, 300))))
    assert env.record("one.png").derivatives == ()
    red = io.BytesIO()
    Image.new("RGB", (40, 30), (255, 0, 0)).save(red, "PNG")
    env.vault("media").put("overlays/stamp.png", red.getvalue(), headers={}, metadata={})
    handle_event(context, env.change("two.png", env.upload("two.png", png_noise(400, 302))))
    [name] = env.record("two.png").derivatives
    shown = Image.open(io.BytesIO(env.body("media", f"derivatives/{name}"))).convert("RGB")
    stamp = shown.getpixel((160, 120))
    assert isinstance(stamp, tuple)
    assert stamp[0] > 240
    assert max(stamp[1:]) < 20


def test_an_index_that_was_lost_does_not_outrank_its_master(env: IngestEnvironment) -> None:
    """An old event comes again, as from the DLQ: the current upload is ingested."""
    old = env.change("photo.jpg", env.upload("photo.jpg", png_noise(40, 30)))
    env.created("photo.jpg", jpeg_photo())
    before = env.record("photo.jpg")
    env.index.delete("photo.jpg")
    assert env.handle(old) is IngestOutcome.READY
    after = env.record("photo.jpg")
    assert (after.state, after.sequencer, after.facts) == (READY, before.sequencer, before.facts)
    assert env.claims.matches(after, env.claims.head_master("photo.jpg"))
    [check] = env.sent  # of a master that was stored before
    assert env.message(json.loads(check)) is IngestOutcome.DROPPED
    assert env.record("photo.jpg") == after


def test_an_old_deletion_keeps_a_newer_master_if_the_index_was_lost(env: IngestEnvironment) -> None:
    """Its upload may be gone because it expired, which deletes no image."""
    env.created("photo.jpg", jpeg_photo())
    old = env.change("photo.jpg", env.next_sequencer(), "Object Deleted", "DeleteObject")
    env.created("photo.jpg", jpeg_photo((64, 48)))
    newer = env.body("media", "masters/photo.jpg")
    env.index.delete("photo.jpg")
    env.vault("uploads").erase("photo.jpg")
    assert env.handle(old) is IngestOutcome.DROPPED
    assert env.body("media", "masters/photo.jpg") == newer


def test_a_restored_index_is_repaired_by_its_master(env: IngestEnvironment) -> None:
    env.created("photo.jpg", png_noise(40, 30))
    backup = env.record("photo.jpg")
    env.created("photo.jpg", jpeg_photo())
    after = env.record("photo.jpg")
    env.index.put_record(replace(backup, token=after.token))
    repair = read_event(json.dumps(build_repair_message("photo.jpg")))
    assert repair is not None
    assert env.handle(repair) is IngestOutcome.READY
    mended = env.record("photo.jpg")
    assert (mended.sequencer, mended.facts) == (after.sequencer, after.facts)


def test_deleting_a_deleted_key_purges_and_publishes_nothing(env: IngestEnvironment) -> None:
    env.created("photo.jpg", jpeg_photo())
    env.deleted("photo.jpg")
    env.messages("purges")
    env.published()
    assert env.deleted("photo.jpg") is IngestOutcome.REMOVED
    assert env.messages("purges") == []
    assert env.published() == []
