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

from darkroom.errors import Busy, SceneRefused
from darkroom.imaging.render.pipeline import render
from darkroom.imaging.source import Source
from darkroom.plan.canonical import derivative_name
from darkroom.plan.limits import Limits
from darkroom.plan.presets import load_default_presets
from darkroom_pipeline.aws.record import CLAIMED, HELD, READY, REFUSED, REMOVED, LargeImageRef
from darkroom_pipeline.aws.s3_objects import DECLARED_SHA256
from darkroom_pipeline.services.ingest.context import IngestOutcome
from darkroom_pipeline.services.ingest.events import build_large_image_message, build_repair_message
from darkroom_pipeline.services.ingest.examine import FetchedUpload, fetch_upload
from darkroom_pipeline.services.ingest.handler import IngestConsumer, handle_event
from darkroom_pipeline.services.ingest.large_image import LEASE_S, TRIES
from darkroom_pipeline.services.large_image.steps import StepAction
from darkroom_pipeline.services.queue_consumer import SqsMessage

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
def env(aws: Callable[[str], Any]) -> LargeImageEnvironment:
    return LargeImageEnvironment.with_machine(aws)


def mean_difference(body: bytes, image: pyvips.Image) -> float:
    shown = pyvips.Image.new_from_buffer(body, "")
    return float(np.abs(shown.numpy().astype(int) - image.numpy()).mean())


def test_a_large_image_is_cut_and_served_as_any_image(env: LargeImageEnvironment) -> None:
    assert len(tiff()) > LIMITS.max_bytes
    assert env.created(KEY, tiff(), ChecksumAlgorithm="SHA256") is IngestOutcome.STARTED
    claimed = env.record(KEY)
    assert (claimed.state, claimed.lease_until_s) == (CLAIMED, int(env.now_s + LEASE_S))
    assert env.published() == []
    env.execution().whole()
    assert env.ended() is IngestOutcome.READY

    record = env.record(KEY)
    assert (record.state, record.large_image, record.announced) == (READY, LargeImageRef(), True)
    assert (record.facts["width"], record.facts["height"], record.facts["format"]) == (2600, 2100, "tiff")
    assert record.facts["size_bytes"] == len(tiff())
    assert len(record.facts["perceptual_hash"]) == 16
    assert (record.master.how, record.master.content_type) == ("pyramid", "image/tiff")
    [(kind, detail)] = env.published()
    assert (kind, detail["key"], detail["sha256"]) == ("ImageReady", KEY, record.sha256)
    assert mean_difference(env.body("media", MASTER), scene_image()) < 3
    head = env.vault("media").head(MASTER)
    assert head is not None
    assert (head.etag, head.metadata["sequencer"]) == (record.master.etag, record.sequencer)
    assert env.parts() == []


@pytest.mark.slow
def test_its_presets_are_what_would_be_rendered_of_its_master(env: LargeImageEnvironment) -> None:
    env.limits = OF_BYTES
    env.created(KEY, tiff())
    env.execution().whole()
    env.ended()
    source = Source.from_bytes(env.body("media", MASTER))
    plans = [plan for plan in load_default_presets().build_ingest_plans(KEY).values() if plan.watermark is None]
    wanted = {derivative_name(plan): render(plan, source, limits=Limits()).body for plan in plans}
    assert set(env.record(KEY).derivatives) == set(wanted)
    assert {name: env.body("media", f"derivatives/{name}") for name in wanted} == wanted


@pytest.mark.slow
def test_presets_that_read_too_much_are_rendered_on_request(env: LargeImageEnvironment) -> None:
    env.created(KEY, tiff())
    env.execution().whole()
    assert env.ended() is IngestOutcome.READY
    made = env.record(KEY).derivatives
    assert 0 < len(made) < len(load_default_presets().build_ingest_plans(KEY))
    assert {f"derivatives/{name}" for name in made} == set(env.keys("media", "derivatives/"))


@pytest.mark.slow
def test_provenance_of_the_file_goes_into_the_index(env: LargeImageEnvironment) -> None:
    image = Image.fromarray(scene_image().numpy())
    published = {271: "Maker", 272: "Camera 1", 33432: "Ada Lovelace"}
    body = io.BytesIO()
    image.save(body, "TIFF", tiffinfo=published, compression="raw")
    env.created(KEY, body.getvalue())
    assert env.record(KEY).large_image.provenance == {"camera": "Maker Camera 1", "copyright": "Ada Lovelace"}


@pytest.mark.slow
@pytest.mark.parametrize("form", [".png", ".jpg"])
def test_what_can_only_be_read_from_its_top_is_cut_by_one_worker(env: LargeImageEnvironment, form: str) -> None:
    key, body = f"maps/north{form}", scene_image().write_to_buffer(form)
    assert env.created(key, body) is IngestOutcome.STARTED
    cut = env.execution()
    cut.whole()
    assert cut.calls == [-1]
    assert env.ended() is IngestOutcome.READY
    assert env.record(key).facts["format"] == {".png": "png", ".jpg": "jpeg"}[form]
    assert mean_difference(env.body("media", f"masters/{key}"), scene_image()) < 5


def test_over_the_pixel_limit_alone_it_is_a_large_image_too(env: LargeImageEnvironment) -> None:
    body = pyvips.Image.black(2600, 2100, bands=3).copy(interpretation="srgb").pngsave_buffer()
    assert len(body) < LIMITS.max_bytes
    assert env.created("flat.png", body) is IngestOutcome.STARTED


@pytest.mark.slow
def test_large_images_have_limits_and_kinds_of_their_own(env: LargeImageEnvironment) -> None:
    webp = Image.fromarray(scene_image().numpy())
    large = io.BytesIO()
    webp.save(large, "WEBP", quality=90)
    pages = io.BytesIO()
    webp.save(pages, "TIFF", save_all=True, append_images=[webp], compression="raw")
    for key, body in (("a.webp", large.getvalue()), ("pages.tif", pages.getvalue())):
        assert env.created(key, body) is IngestOutcome.REFUSED
        assert env.record(key).refusal.code == "over-limits"
    env.limits = replace(LIMITS, max_scene_pixels=5_000_000)
    assert env.created("larger.tif", tiff()) is IngestOutcome.REFUSED
    assert "5,000,000" in env.record("larger.tif").refusal.reason
    env.limits = replace(LIMITS, max_scene_pixels=LIMITS.max_pixels)
    assert env.created("never.tif", tiff()) is IngestOutcome.REFUSED
    assert env.executions() == []


def test_a_large_image_that_cannot_be_scanned_is_refused(env: LargeImageEnvironment) -> None:
    class Clean:
        def scan(self, data: bytes) -> str:
            return ""

    env.scanner = Clean()
    assert env.created(KEY, tiff()) is IngestOutcome.REFUSED
    small = pyvips.Image.black(2600, 2100, bands=3).copy(interpretation="srgb").pngsave_buffer()
    assert env.created("flat.png", small) is IngestOutcome.STARTED  # all of it was looked into


def test_a_large_image_with_another_checksum_is_refused(env: LargeImageEnvironment) -> None:
    sequencer = env.upload(KEY, tiff(), Metadata={DECLARED_SHA256: "A" * 43 + "="})
    assert env.handle(env.change(KEY, sequencer)) is IngestOutcome.REFUSED
    assert env.record(KEY).refusal.code == "checksum-mismatch"


@pytest.mark.slow
def test_a_damaged_large_image_is_refused_into_quarantine_with_its_reason(env: LargeImageEnvironment) -> None:
    damaged = bytearray(tiff())
    at = len(damaged) // 2
    damaged[at : at + 60_000] = b"\xa5" * 60_000
    assert env.created(KEY, bytes(damaged)) is IngestOutcome.STARTED
    cut = env.execution()
    with pytest.raises(SceneRefused):
        cut.whole()
    cut.step(StepAction.REPORT, stopped={"Error": "States.ExceedToleratedFailureThreshold", "Cause": ""})
    assert env.ended() is IngestOutcome.REFUSED
    record = env.record(KEY)
    assert (record.state, record.refusal.code, record.large_image) == (REFUSED, "damaged", LargeImageRef())
    kept = env.vault("quarantine").head(record.refusal.quarantined)
    assert kept is not None
    assert (kept.size_bytes, kept.metadata["code"]) == (len(damaged), "damaged")
    assert env.keys("media") == []


@pytest.mark.slow
def test_the_same_bytes_under_another_key_are_copied(env: LargeImageEnvironment) -> None:
    env.limits = OF_BYTES
    env.created(KEY, tiff())
    env.execution().whole()
    env.ended()
    assert env.created("copy.tif", tiff()) is IngestOutcome.DUPLICATE
    assert env.executions() == []
    assert env.body("media", "masters/copy.tif") == env.body("media", MASTER)


@pytest.mark.slow
def test_a_strip_that_was_lost_is_cut_again_to_the_same_bytes_and_no_other_is(env: LargeImageEnvironment) -> None:
    env.created(KEY, tiff())
    cut = env.execution()
    assert cut.step("plan")["strips"] == [0, 1]
    folder = f"scenes/{cut.document['scene']}/"
    cut.cut(0)
    first = {name: env.vault("media").head(name) for name in env.parts()}
    cut.cut(0)
    assert {name: env.vault("media").head(name) for name in env.parts()} == first
    for lost in (f"{folder}notes/00000.json", f"{folder}strips/00000"):
        body = env.body("media", lost)
        env.clients["s3"].delete_object(Bucket=env.names["media"], Key=lost)
        cut.cut(0)
        if lost.endswith("json"):  # a worker without the note repeats it
            assert env.body("media", lost) == body


@pytest.mark.slow
def test_a_newer_upload_wins_over_one_that_is_being_cut(env: LargeImageEnvironment) -> None:
    env.created(KEY, tiff())
    older = env.execution()
    older.step("plan")
    older.cut(0)
    env.created(KEY, other())
    newer = env.execution()
    with pytest.raises(SceneRefused):
        older.cut(1)
    older.step(StepAction.REPORT, stopped={"Error": "SceneRefused", "Cause": ""})
    assert env.ended() is IngestOutcome.DROPPED
    assert not [name for name in env.parts() if older.document["scene"] in name]
    newer.whole()
    assert env.ended() is IngestOutcome.READY
    assert env.record(KEY).facts["width"] == 2500
    assert env.keys("quarantine") == []


@pytest.mark.slow
def test_what_is_deleted_while_it_is_cut_stays_deleted(env: LargeImageEnvironment) -> None:
    env.created(KEY, tiff())
    cut = env.execution()
    cut.whole()
    assert env.deleted(KEY) is IngestOutcome.REMOVED
    assert env.ended() is IngestOutcome.DROPPED
    assert env.record(KEY).state == REMOVED
    assert [*env.keys("media", "masters/"), *env.parts()] == []


@pytest.mark.slow
def test_an_image_is_served_while_its_successor_is_cut(env: LargeImageEnvironment) -> None:
    small = scene_image(800, 600).jpegsave_buffer()
    env.created(KEY, small)
    before = env.record(KEY)
    env.created(KEY, tiff())
    claimed = env.record(KEY)
    assert (claimed.state, claimed.master) == (CLAIMED, before.master)
    env.execution().whole()
    assert env.ended() is IngestOutcome.READY
    assert env.record(KEY).facts["width"] == 2600
    assert env.messages("purges")


@pytest.mark.slow
def test_a_large_image_waits_for_moderation_and_is_released(env: LargeImageEnvironment) -> None:
    env.blocks = True
    env.created(KEY, tiff())
    env.execution().whole()
    assert env.ended() is IngestOutcome.HELD
    record = env.record(KEY)
    assert (record.state, record.held.facts["width"]) == (HELD, 2600)
    assert env.keys("media", "masters/") == []
    env.sent.clear()
    assert env.judged(KEY, flagged=False, body=tiff()) is IngestOutcome.RELEASED
    assert mean_difference(env.body("media", MASTER), scene_image()) < 3
    assert env.record(KEY).derivatives


@pytest.mark.slow
def test_a_repeated_report_is_ignored(env: LargeImageEnvironment) -> None:
    env.created(KEY, tiff())
    cut = env.execution()
    cut.whole()
    [change] = env.cuts()
    assert env.handle(change) is IngestOutcome.READY
    record = env.record(KEY)
    assert env.handle(change) is IngestOutcome.DROPPED
    assert env.record(KEY) == record
    assert len(env.published()) == 1


@pytest.mark.slow
def test_no_other_worker_ends_a_claimed_upload(env: LargeImageEnvironment) -> None:
    env.created(KEY, tiff())
    env.execution().whole()
    [change] = env.cuts()
    env.index.release_lease(KEY, env.record(KEY).token)
    claims = env.claims
    claims.acquire(KEY, env.record(KEY).sequencer, replaces_token="")
    with pytest.raises(Busy):
        env.handle(change)
    env.now_s += 61
    assert env.handle(change) is IngestOutcome.READY


@pytest.mark.slow
def test_one_event_begins_one_execution(env: LargeImageEnvironment) -> None:
    sequencer = env.upload(KEY, tiff())
    wire = Wire("after-call", 1, kill, calls_of="stepfunctions.StartExecution")
    with wired(env, wire), pytest.raises(Killed):
        env.handle(env.change(KEY, sequencer))
    assert wire.reached
    env.now_s += 61
    assert env.handle(env.change(KEY, sequencer)) is IngestOutcome.STARTED
    env.execution().whole()
    assert env.ended() is IngestOutcome.READY


@pytest.mark.slow
def test_a_failed_cut_is_restarted_and_refused_at_last(env: LargeImageEnvironment) -> None:
    env.created(KEY, tiff())
    fault = {"Error": "States.Timeout", "Cause": ""}
    names = set()
    for _ in range(TRIES - 1):
        [running] = env.executions()
        names.add(running["name"])
        env.execution().step(StepAction.REPORT, stopped=fault)
        assert env.ended() is IngestOutcome.STARTED
    cut = env.execution()
    assert len(names) == TRIES - 1
    env.sent.clear()
    inbox = IngestConsumer(
        context=env.context,
        observer=env.context.observer,
        queue=env.claims.queue,
        dead_letters=env.queue("dead"),
        max_receives=6,
    )
    body = build_large_image_message(KEY, cut.document["scene"], cut.document["version_id"], fault=fault["Error"])
    inbox.handle(message(body))
    [letter] = env.messages("dead")
    assert letter["attributes"]["code"]["StringValue"] == "scene-failed"
    assert letter["detail"] == build_repair_message(KEY)["detail"]
    env.now_s += 61
    assert env.message(build_repair_message(KEY)) is IngestOutcome.STARTED  # as the sweep or a redrive of the DLQ does
    env.execution().whole()
    assert env.ended() is IngestOutcome.READY


def message(body: dict[str, object]) -> SqsMessage:
    return SqsMessage("ingest", json.dumps(body), receipt_handle="", receives=1)


def test_without_a_machine_such_an_upload_is_refused(env: LargeImageEnvironment) -> None:
    sequencer = env.upload(KEY, tiff())
    plain = replace(env.context, open_state_machine=None)
    assert handle_event(plain, env.change(KEY, sequencer)) is IngestOutcome.REFUSED


def test_no_more_than_a_piece_of_it_is_in_memory_at_ingest(env: LargeImageEnvironment) -> None:
    env.upload(KEY, tiff())
    upload = fetch_upload(env.vault("uploads"), KEY, env.limits)
    assert isinstance(upload, FetchedUpload)
    assert upload.data is None
    assert len(upload.first_bytes) <= 65_536


@pytest.mark.slow
@pytest.mark.parametrize("at", range(1, 26, 2))
def test_killed_anywhere_while_it_publishes_the_end_is_the_same(env: LargeImageEnvironment, at: int) -> None:
    env.created(KEY, other())
    env.execution().whole()
    [change] = env.cuts()
    wire = Wire("before-send", at, kill)
    with wired(env, wire), pytest.raises(Killed):
        env.handle(change)
    env.now_s += 61
    outcome = env.handle(change)
    assert outcome in (IngestOutcome.READY, IngestOutcome.DROPPED)
    record = env.record(KEY)
    assert (record.state, record.announced, record.large_image) == (READY, True, LargeImageRef())
    assert env.parts() == []
    master = env.vault("media").head(MASTER)
    assert master is not None
    assert master.etag == record.master.etag
