"""Uploads over the limits of one worker: cut, published, refused, superseded; killed anywhere, reported twice."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest
import pyvips
from PIL import Image

from darkroom.aws.presigned_post import DECLARED_SHA256
from darkroom.aws.record import CLAIMED, HELD, READY, REFUSED, REMOVED, LargeImageRef
from darkroom.errors import Busy, SceneRefused
from darkroom.imaging.render.pipeline import render
from darkroom.imaging.source import Source
from darkroom.plan.canonical import derivative_name
from darkroom.plan.limits import Limits
from darkroom.plan.presets import load_default_presets
from darkroom.services.ingest.context import IngestOutcome
from darkroom.services.ingest.events import build_large_image_message, build_repair_message
from darkroom.services.ingest.examine import FetchedUpload, fetch_upload
from darkroom.services.ingest.handler import IngestConsumer, handle_event
from darkroom.services.ingest.large_image import LEASE_S, TRIES
from darkroom.services.large_image.steps import StepAction
from darkroom.services.queue_consumer import SqsMessage

from .kill_points import Killed, Wire, kill, wired
from .large_images import KEY, LIMITS, LargeImageEnvironment, scene_image, scene_tiff

MASTER = f"masters/{KEY}"
OF_BYTES = replace(LIMITS, max_pixels=20_000_000)
"""Limits that the image is over by its bytes alone."""


@cache
def tiff() -> bytes:
    """One of 5.5 MP, over the limits of bytes and of pixels."""
    return scene_tiff()


@cache
def other() -> bytes:
    """Another one."""
    return scene_tiff(2500, 2000)


@pytest.fixture
def world(aws: Callable[[str], Any]) -> LargeImageEnvironment:
    return LargeImageEnvironment.with_machine(aws)


def mean_difference(body: bytes, image: pyvips.Image) -> float:
    shown = pyvips.Image.new_from_buffer(body, "")
    return float(np.abs(shown.numpy().astype(int) - image.numpy()).mean())


def test_a_large_image_is_cut_and_served_as_any_image(world: LargeImageEnvironment) -> None:
    assert len(tiff()) > LIMITS.max_bytes
    assert world.created(KEY, tiff(), ChecksumAlgorithm="SHA256") is IngestOutcome.STARTED
    claimed = world.record(KEY)
    assert (claimed.state, claimed.lease_until_s) == (CLAIMED, int(world.now_s + LEASE_S))
    assert world.published() == []
    world.execution().whole()
    assert world.ended() is IngestOutcome.READY

    record = world.record(KEY)
    assert (record.state, record.large_image, record.announced) == (READY, LargeImageRef(), True)
    assert (record.facts["width"], record.facts["height"], record.facts["format"]) == (2600, 2100, "tiff")
    assert record.facts["size_bytes"] == len(tiff())
    assert len(record.facts["perceptual_hash"]) == 16
    assert (record.master.how, record.master.content_type) == ("pyramid", "image/tiff")
    [(kind, detail)] = world.published()
    assert (kind, detail["key"], detail["sha256"]) == ("ImageReady", KEY, record.sha256)
    assert mean_difference(world.body("media", MASTER), scene_image()) < 3
    head = world.vault("media").head(MASTER)
    assert head is not None
    assert (head.etag, head.metadata["sequencer"]) == (record.master.etag, record.sequencer)
    assert world.parts() == []


def test_its_presets_are_what_would_be_rendered_of_its_master(world: LargeImageEnvironment) -> None:
    world.limits = OF_BYTES
    world.created(KEY, tiff())
    world.execution().whole()
    world.ended()
    source = Source.from_bytes(world.body("media", MASTER))
    plans = [plan for plan in load_default_presets().build_ingest_plans(KEY).values() if plan.watermark is None]
    wanted = {derivative_name(plan): render(plan, source, limits=Limits()).body for plan in plans}
    assert set(world.record(KEY).derivatives) == set(wanted)
    assert {name: world.body("media", f"derivatives/{name}") for name in wanted} == wanted


def test_presets_that_read_too_much_are_rendered_on_request(world: LargeImageEnvironment) -> None:
    world.created(KEY, tiff())
    world.execution().whole()
    assert world.ended() is IngestOutcome.READY
    made = world.record(KEY).derivatives
    assert 0 < len(made) < len(load_default_presets().build_ingest_plans(KEY))
    assert {f"derivatives/{name}" for name in made} == set(world.keys("media", "derivatives/"))


def test_provenance_of_the_file_goes_into_the_index(world: LargeImageEnvironment) -> None:
    image = Image.fromarray(scene_image().numpy())
    published = {271: "Maker", 272: "Camera 1", 33432: "Ada Lovelace"}
    body = io.BytesIO()
    image.save(body, "TIFF", tiffinfo=published, compression="raw")
    world.created(KEY, body.getvalue())
    assert world.record(KEY).large_image.provenance == {"camera": "Maker Camera 1", "copyright": "Ada Lovelace"}


@pytest.mark.parametrize("form", [".png", ".jpg"])
def test_what_can_only_be_read_from_its_top_is_cut_by_one_worker(world: LargeImageEnvironment, form: str) -> None:
    key, body = f"maps/north{form}", scene_image().write_to_buffer(form)
    assert world.created(key, body) is IngestOutcome.STARTED
    cut = world.execution()
    cut.whole()
    assert cut.calls == [-1]
    assert world.ended() is IngestOutcome.READY
    assert world.record(key).facts["format"] == {".png": "png", ".jpg": "jpeg"}[form]
    assert mean_difference(world.body("media", f"masters/{key}"), scene_image()) < 5


def test_over_the_pixel_limit_alone_it_is_a_large_image_too(world: LargeImageEnvironment) -> None:
    body = pyvips.Image.black(2600, 2100, bands=3).copy(interpretation="srgb").pngsave_buffer()
    assert len(body) < LIMITS.max_bytes
    assert world.created("flat.png", body) is IngestOutcome.STARTED


def test_large_images_have_limits_and_kinds_of_their_own(world: LargeImageEnvironment) -> None:
    webp = Image.fromarray(scene_image().numpy())
    large = io.BytesIO()
    webp.save(large, "WEBP", quality=90)
    pages = io.BytesIO()
    webp.save(pages, "TIFF", save_all=True, append_images=[webp], compression="raw")
    for key, body in (("a.webp", large.getvalue()), ("pages.tif", pages.getvalue())):
        assert world.created(key, body) is IngestOutcome.REFUSED
        assert world.record(key).refusal.code == "over-limits"
    world.limits = replace(LIMITS, max_scene_pixels=5_000_000)
    assert world.created("larger.tif", tiff()) is IngestOutcome.REFUSED
    assert "5,000,000" in world.record("larger.tif").refusal.reason
    world.limits = replace(LIMITS, max_scene_pixels=LIMITS.max_pixels)
    assert world.created("never.tif", tiff()) is IngestOutcome.REFUSED
    assert world.executions() == []


def test_a_large_image_that_cannot_be_scanned_is_refused(world: LargeImageEnvironment) -> None:
    class Clean:
        def scan(self, data: bytes) -> str:
            return ""

    world.scanner = Clean()
    assert world.created(KEY, tiff()) is IngestOutcome.REFUSED
    small = pyvips.Image.black(2600, 2100, bands=3).copy(interpretation="srgb").pngsave_buffer()
    assert world.created("flat.png", small) is IngestOutcome.STARTED  # all of it was looked into


def test_a_large_image_with_another_checksum_is_refused(world: LargeImageEnvironment) -> None:
    sequencer = world.upload(KEY, tiff(), Metadata={DECLARED_SHA256: "A" * 43 + "="})
    assert world.handle(world.change(KEY, sequencer)) is IngestOutcome.REFUSED
    assert world.record(KEY).refusal.code == "checksum-mismatch"


def test_a_damaged_large_image_is_refused_into_quarantine_with_its_reason(world: LargeImageEnvironment) -> None:
    damaged = bytearray(tiff())
    at = len(damaged) // 2
    damaged[at : at + 60_000] = b"\xa5" * 60_000
    assert world.created(KEY, bytes(damaged)) is IngestOutcome.STARTED
    cut = world.execution()
    with pytest.raises(SceneRefused):
        cut.whole()
    cut.step(StepAction.REPORT, stopped={"Error": "States.ExceedToleratedFailureThreshold", "Cause": ""})
    assert world.ended() is IngestOutcome.REFUSED
    record = world.record(KEY)
    assert (record.state, record.refusal.code, record.large_image) == (REFUSED, "damaged", LargeImageRef())
    kept = world.vault("quarantine").head(record.refusal.quarantined)
    assert kept is not None
    assert (kept.size_bytes, kept.metadata["code"]) == (len(damaged), "damaged")
    assert world.keys("media") == []


def test_the_same_bytes_under_another_key_are_copied(world: LargeImageEnvironment) -> None:
    world.limits = OF_BYTES
    world.created(KEY, tiff())
    world.execution().whole()
    world.ended()
    assert world.created("copy.tif", tiff()) is IngestOutcome.DUPLICATE
    assert world.executions() == []
    assert world.body("media", "masters/copy.tif") == world.body("media", MASTER)


def test_a_strip_that_was_lost_is_cut_again_to_the_same_bytes_and_no_other_is(world: LargeImageEnvironment) -> None:
    world.created(KEY, tiff())
    cut = world.execution()
    assert cut.step("plan")["strips"] == [0, 1]
    folder = f"scenes/{cut.document['scene']}/"
    cut.cut(0)
    first = {name: world.vault("media").head(name) for name in world.parts()}
    cut.cut(0)
    assert {name: world.vault("media").head(name) for name in world.parts()} == first
    for lost in (f"{folder}notes/00000.json", f"{folder}strips/00000"):
        body = world.body("media", lost)
        world.clients["s3"].delete_object(Bucket=world.names["media"], Key=lost)
        cut.cut(0)
        if lost.endswith("json"):  # a worker without the note repeats it
            assert world.body("media", lost) == body


def test_a_newer_upload_wins_over_one_that_is_being_cut(world: LargeImageEnvironment) -> None:
    world.created(KEY, tiff())
    older = world.execution()
    older.step("plan")
    older.cut(0)
    world.created(KEY, other())
    newer = world.execution()
    with pytest.raises(SceneRefused):
        older.cut(1)
    older.step(StepAction.REPORT, stopped={"Error": "SceneRefused", "Cause": ""})
    assert world.ended() is IngestOutcome.DROPPED
    assert not [name for name in world.parts() if older.document["scene"] in name]
    newer.whole()
    assert world.ended() is IngestOutcome.READY
    assert world.record(KEY).facts["width"] == 2500
    assert world.keys("quarantine") == []


def test_what_is_deleted_while_it_is_cut_stays_deleted(world: LargeImageEnvironment) -> None:
    world.created(KEY, tiff())
    cut = world.execution()
    cut.whole()
    assert world.deleted(KEY) is IngestOutcome.REMOVED
    assert world.ended() is IngestOutcome.DROPPED
    assert world.record(KEY).state == REMOVED
    assert [*world.keys("media", "masters/"), *world.parts()] == []


def test_an_image_is_served_while_its_successor_is_cut(world: LargeImageEnvironment) -> None:
    small = scene_image(800, 600).jpegsave_buffer()
    world.created(KEY, small)
    before = world.record(KEY)
    world.created(KEY, tiff())
    claimed = world.record(KEY)
    assert (claimed.state, claimed.master) == (CLAIMED, before.master)
    world.execution().whole()
    assert world.ended() is IngestOutcome.READY
    assert world.record(KEY).facts["width"] == 2600
    assert world.messages("purges")


def test_a_large_image_waits_for_moderation_and_is_released(world: LargeImageEnvironment) -> None:
    world.blocks = True
    world.created(KEY, tiff())
    world.execution().whole()
    assert world.ended() is IngestOutcome.HELD
    record = world.record(KEY)
    assert (record.state, record.held.facts["width"]) == (HELD, 2600)
    assert world.keys("media", "masters/") == []
    world.sent.clear()
    assert world.judged(KEY, flagged=False, body=tiff()) is IngestOutcome.RELEASED
    assert mean_difference(world.body("media", MASTER), scene_image()) < 3
    assert world.record(KEY).derivatives


def test_a_repeated_report_is_ignored(world: LargeImageEnvironment) -> None:
    world.created(KEY, tiff())
    cut = world.execution()
    cut.whole()
    [change] = world.cuts()
    assert world.handle(change) is IngestOutcome.READY
    record = world.record(KEY)
    assert world.handle(change) is IngestOutcome.DROPPED
    assert world.record(KEY) == record
    assert len(world.published()) == 1


def test_no_other_worker_ends_a_claimed_upload(world: LargeImageEnvironment) -> None:
    world.created(KEY, tiff())
    world.execution().whole()
    [change] = world.cuts()
    world.index.release_lease(KEY, world.record(KEY).token)
    claims = world.claims
    claims.acquire(KEY, world.record(KEY).sequencer, replaces_token="")
    with pytest.raises(Busy):
        world.handle(change)
    world.now_s += 61
    assert world.handle(change) is IngestOutcome.READY


def test_one_event_begins_one_execution(world: LargeImageEnvironment) -> None:
    sequencer = world.upload(KEY, tiff())
    wire = Wire("after-call", 1, kill, calls_of="stepfunctions.StartExecution")
    with wired(world, wire), pytest.raises(Killed):
        world.handle(world.change(KEY, sequencer))
    assert wire.reached
    world.now_s += 61
    assert world.handle(world.change(KEY, sequencer)) is IngestOutcome.STARTED
    world.execution().whole()
    assert world.ended() is IngestOutcome.READY


def test_a_failed_cut_is_restarted_and_refused_at_last(world: LargeImageEnvironment) -> None:
    world.created(KEY, tiff())
    fault = {"Error": "States.Timeout", "Cause": ""}
    names = set()
    for _ in range(TRIES - 1):
        [running] = world.executions()
        names.add(running["name"])
        world.execution().step(StepAction.REPORT, stopped=fault)
        assert world.ended() is IngestOutcome.STARTED
    cut = world.execution()
    assert len(names) == TRIES - 1
    world.sent.clear()
    inbox = IngestConsumer(
        context=world.context,
        observer=world.context.observer,
        queue=world.claims.queue,
        dead_letters=world.queue("dead"),
        max_receives=6,
    )
    body = build_large_image_message(KEY, cut.document["scene"], cut.document["version_id"], fault=fault["Error"])
    inbox.handle(message(body))
    [letter] = world.messages("dead")
    assert letter["attributes"]["code"]["StringValue"] == "scene-failed"
    assert letter["detail"] == build_repair_message(KEY)["detail"]
    world.now_s += 61
    assert (
        world.message(build_repair_message(KEY)) is IngestOutcome.STARTED
    )  # as the sweep or a redrive of the DLQ does
    world.execution().whole()
    assert world.ended() is IngestOutcome.READY


def message(body: dict[str, object]) -> SqsMessage:
    return SqsMessage("ingest", json.dumps(body), receipt_handle="", receives=1)


def test_without_a_machine_such_an_upload_is_refused(world: LargeImageEnvironment) -> None:
    sequencer = world.upload(KEY, tiff())
    plain = replace(world.context, state_machine=None)
    assert handle_event(plain, world.change(KEY, sequencer)) is IngestOutcome.REFUSED


def test_no_more_than_a_piece_of_it_is_in_memory_at_ingest(world: LargeImageEnvironment) -> None:
    world.upload(KEY, tiff())
    upload = fetch_upload(world.vault("uploads"), KEY, world.limits)
    assert isinstance(upload, FetchedUpload)
    assert upload.data is None
    assert len(upload.first_bytes) <= 65_536


@pytest.mark.parametrize("at", range(1, 26, 2))
def test_killed_anywhere_while_it_publishes_the_end_is_the_same(world: LargeImageEnvironment, at: int) -> None:
    world.created(KEY, other())
    world.execution().whole()
    [change] = world.cuts()
    wire = Wire("before-send", at, kill)
    with wired(world, wire), pytest.raises(Killed):
        world.handle(change)
    world.now_s += 61
    outcome = world.handle(change)
    assert outcome in (IngestOutcome.READY, IngestOutcome.DROPPED)
    record = world.record(KEY)
    assert (record.state, record.announced, record.large_image) == (READY, True, LargeImageRef())
    assert world.parts() == []
    master = world.vault("media").head(MASTER)
    assert master is not None
    assert master.etag == record.master.etag
