"""Moderation: images are held until a verdict, withdrawn after one, or approved by a moderator."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from darkroom.aws.audit import AuditLog, hash_key
from darkroom.aws.record import HELD, READY, REFUSED, REMOVED, HeldUpload, MasterRef
from darkroom.errors import Busy, Unavailable
from darkroom.plan.presets import Presets, load_default_presets
from darkroom.plan.redaction import AlwaysRedact
from darkroom.services.ingest.context import IngestOutcome
from darkroom.services.ingest.events import build_confirm_message, build_release_message, build_verdict_message
from darkroom.services.ingest.handler import handle_event
from tests import commands
from tests.images.pictures import jpeg_photo, png_noise

from .ingest_environment import IngestEnvironment

PRESETS = load_default_presets().at_ingest
KEY = "trips/rome.jpg"
BODY = jpeg_photo()


@pytest.fixture
def world(aws: Callable[[str], Any]) -> IngestEnvironment:
    made = IngestEnvironment.build(aws)
    made.blocks = True
    return made


def served(world: IngestEnvironment, key: str = KEY) -> bool:
    """Whether viewers can have it: its master is there; and nothing is left of it if not."""
    there = world.vault("media").head(f"masters/{key}") is not None
    assert there or world.keys("media", f"derivatives/{key}/_/") == []
    return there


def held(world: IngestEnvironment, key: str = KEY) -> bool:
    return world.vault("media").head(f"held/{key}") is not None


def test_without_the_policy_nothing_is_held(world: IngestEnvironment) -> None:
    world.blocks = False
    world.judge(KEY, flagged=True, body=BODY)
    assert world.created(KEY, BODY) is IngestOutcome.READY
    assert world.judged(KEY, flagged=True, body=BODY) is IngestOutcome.DROPPED
    assert served(world)


def test_an_upload_waits_where_nothing_is_served_from(world: IngestEnvironment) -> None:
    assert world.created(KEY, BODY) is IngestOutcome.HELD
    assert world.keys("media") == [f"held/{KEY}"]
    record = world.record(KEY)
    assert (record.state, record.announced, record.master, record.sha256) == (HELD, True, MasterRef(), "")
    assert record.held.facts["format"] == "jpeg"
    assert record.held.master.sequencer == record.sequencer
    assert record.held.flagged is False
    assert world.index.find_by_sha256(record.held.sha256) == []
    assert [kind for kind, _ in world.published()] == ["ImageHeld"]


def test_an_approved_image_is_as_if_it_had_never_waited(world: IngestEnvironment, aws: Callable[[str], Any]) -> None:
    world.created(KEY, BODY)
    assert world.judged(KEY, flagged=False, body=BODY) is IngestOutcome.RELEASED
    assert served(world)
    assert not held(world)
    other = IngestEnvironment.build(aws)
    other.created(KEY, BODY)
    ours, theirs = world.record(KEY), other.record(KEY)
    differ = {name: getattr(theirs, name) for name in ("token", "version_id", "updated_at", "image_id")}
    assert replace(ours, **differ, master=MasterRef()) == replace(theirs, master=MasterRef())
    assert replace(ours.master, version_id="") == replace(theirs.master, version_id="")
    assert world.keys("media") == other.keys("media")
    for name in world.keys("media", "derivatives/"):
        assert world.body("media", name) == other.body("media", name)
    assert [kind for kind, _ in world.published()] == ["ImageHeld", "ImageReady"]


def tiff() -> bytes:
    out = io.BytesIO()
    Image.open(io.BytesIO(BODY)).save(out, "TIFF")
    return out.getvalue()


DRAWING = b'<svg xmlns="http://www.w3.org/2000/svg" width="4" height="3"/>'


@pytest.mark.parametrize("upload", [png_noise(600, 400), DRAWING, tiff()], ids=["png", "svg", "tiff"])
def test_presets_are_made_of_the_master_that_waited(world: IngestEnvironment, upload: bytes) -> None:
    world.created(KEY, upload)
    assert world.judged(KEY, flagged=False, body=upload) is IngestOutcome.RELEASED
    assert len(world.keys("media", "derivatives/")) == len(PRESETS)


def test_an_image_whose_upload_has_expired_is_released_too(world: IngestEnvironment) -> None:
    world.created(KEY, BODY)
    world.vault("uploads").erase(KEY)
    assert world.judged(KEY, flagged=False, body=BODY) is IngestOutcome.RELEASED
    assert served(world)


def test_a_flagged_upload_stays_held_and_is_published_once(world: IngestEnvironment) -> None:
    world.created(KEY, BODY)
    assert world.judged(KEY, flagged=True, body=BODY) is IngestOutcome.HELD
    assert world.judged(KEY, flagged=True, body=BODY) is IngestOutcome.DROPPED
    assert (world.record(KEY).state, world.record(KEY).held.flagged) == (HELD, True)
    assert held(world)
    assert not served(world)
    assert [detail["flagged"] for _, detail in world.published()] == [False, True]


def test_a_verdict_on_other_bytes_is_ignored(world: IngestEnvironment) -> None:
    world.created(KEY, BODY)
    assert world.judged(KEY, flagged=False, body=b"others") is IngestOutcome.DROPPED
    assert world.record(KEY).state == HELD
    world.judged(KEY, flagged=False, body=BODY)
    assert world.judged(KEY, flagged=True, body=b"others") is IngestOutcome.DROPPED
    assert world.record(KEY).state == READY


def test_a_message_without_a_verdict_requests_one(world: IngestEnvironment) -> None:
    world.created(KEY, BODY)
    first = world.published()
    assert world.message(build_verdict_message(KEY)) is IngestOutcome.DROPPED
    assert world.published() == first
    assert world.message(build_verdict_message("unknown.jpg")) is IngestOutcome.DROPPED


def test_a_later_verdict_withdraws_an_image(world: IngestEnvironment) -> None:
    world.created(KEY, BODY)
    world.judged(KEY, flagged=False, body=BODY)
    etag = world.record(KEY).master.etag
    world.published()
    assert world.judged(KEY, flagged=True, body=BODY) is IngestOutcome.HELD
    assert world.keys("media") == [f"held/{KEY}"]
    record = world.record(KEY)
    assert (record.state, record.held.flagged, record.master, record.derivatives) == (HELD, True, MasterRef(), ())
    assert record.held.master.etag == etag
    assert {message["key"] for message in world.messages("purges")} == {KEY}
    assert [(kind, detail["flagged"]) for kind, detail in world.published()] == [("ImageHeld", True)]
    assert world.judged(KEY, flagged=False, body=BODY) is IngestOutcome.RELEASED, (
        "it may turn out to have been a mistake"
    )
    assert served(world)


def test_an_approval_of_a_flagged_image_is_stored(world: IngestEnvironment) -> None:
    world.created(KEY, BODY)
    world.judged(KEY, flagged=True, body=BODY)
    assert world.released(KEY) is IngestOutcome.RELEASED
    assert world.record(KEY).released
    assert world.judged(KEY, flagged=True, body=BODY) is IngestOutcome.DROPPED
    assert world.created(KEY, BODY) is IngestOutcome.DUPLICATE, "the same bytes once more"
    assert world.record(KEY).released
    assert served(world)
    other = png_noise(40, 30)
    assert world.created(KEY, other) is IngestOutcome.HELD, "but other bytes wait"
    world.judged(KEY, flagged=False, body=other)
    assert not world.record(KEY).released


def test_an_approval_covers_the_reviewed_upload_and_no_later_one(world: IngestEnvironment) -> None:
    world.created(KEY, BODY)
    assert world.released(KEY, b"another picture") is IngestOutcome.DROPPED
    assert world.record(KEY).state == HELD
    assert world.released(KEY, BODY) is IngestOutcome.RELEASED
    assert world.released(KEY, BODY) is IngestOutcome.DROPPED
    assert world.released("unknown.jpg") is IngestOutcome.DROPPED


def test_the_earlier_image_is_served_until_the_new_one_is_approved(world: IngestEnvironment) -> None:
    world.created(KEY, BODY)
    world.judged(KEY, flagged=False, body=BODY)
    before, new = world.record(KEY), png_noise(600, 400)
    assert world.created(KEY, new) is IngestOutcome.HELD
    waiting = world.record(KEY)
    assert (waiting.master, waiting.derivatives, waiting.sha256) == (before.master, before.derivatives, before.sha256)
    assert len(world.keys("media", "derivatives/")) == len(PRESETS)
    assert world.judged(KEY, flagged=False, body=new) is IngestOutcome.RELEASED
    after = world.record(KEY)
    assert (after.facts["format"], after.held) == ("png", HeldUpload())
    assert world.body("media", f"masters/{KEY}") != BODY
    etag = after.master.etag.strip('"')
    for name in world.keys("media", "derivatives/"):
        head = world.vault("media").head(name)
        assert head is not None
        assert head.metadata["source-etag"] == etag


def test_the_earlier_image_may_be_flagged_while_the_new_one_waits(world: IngestEnvironment) -> None:
    world.created(KEY, BODY)
    world.judged(KEY, flagged=False, body=BODY)
    new = png_noise(600, 400)
    world.created(KEY, new)
    assert world.judged(KEY, flagged=True, body=BODY) is IngestOutcome.HELD
    assert not served(world)
    record = world.record(KEY)
    assert (record.held.facts["format"], record.held.flagged) == ("png", False)
    assert world.judged(KEY, flagged=False, body=new) is IngestOutcome.RELEASED
    assert world.record(KEY).facts["format"] == "png"


def test_the_image_before_a_refused_upload_may_be_flagged(world: IngestEnvironment) -> None:
    world.created(KEY, BODY)
    world.judged(KEY, flagged=False, body=BODY)
    assert world.created(KEY, b"no picture") is IngestOutcome.REFUSED
    assert world.judged(KEY, flagged=True, body=BODY) is IngestOutcome.HELD
    assert not served(world)
    assert held(world)


@pytest.mark.parametrize("newer", ["overwrite", "refusal", "deletion"])
def test_a_waiting_upload_is_replaced_by_a_newer_one(world: IngestEnvironment, newer: str) -> None:
    world.created(KEY, BODY)
    waited = world.body("media", f"held/{KEY}")
    if newer == "overwrite":
        assert world.created(KEY, png_noise(40, 30)) is IngestOutcome.HELD
        assert world.body("media", f"held/{KEY}") != waited
        return
    if newer == "refusal":
        assert world.created(KEY, b"no picture") is IngestOutcome.REFUSED
        assert (world.record(KEY).state, world.record(KEY).held) == (REFUSED, HeldUpload())
    else:
        assert world.deleted(KEY) is IngestOutcome.REMOVED
        assert (world.record(KEY).state, world.record(KEY).held) == (REMOVED, HeldUpload())
    assert world.keys("media") == []
    assert world.judged(KEY, flagged=False, body=BODY) is IngestOutcome.DROPPED
    assert world.keys("media") == []


def test_copies_of_approved_images_do_not_wait(world: IngestEnvironment) -> None:
    world.created(KEY, BODY)
    world.judged(KEY, flagged=False, body=BODY)
    assert world.created("copy.jpg", BODY) is IngestOutcome.DUPLICATE
    assert served(world, "copy.jpg")


def test_copies_of_unreviewed_uploads_wait_too(world: IngestEnvironment) -> None:
    world.created(KEY, BODY)
    assert world.created("copy.jpg", BODY) is IngestOutcome.HELD
    world.blocks = False
    world.created("before.jpg", png_noise(40, 30))
    world.blocks = True
    assert world.created("after.jpg", png_noise(40, 30)) is IngestOutcome.HELD


def test_copies_of_approved_images_are_approved_too(world: IngestEnvironment) -> None:
    world.created(KEY, BODY)
    world.judged(KEY, flagged=True, body=BODY)
    world.released(KEY)
    assert world.created("copy.jpg", BODY) is IngestOutcome.DUPLICATE
    assert world.judged("copy.jpg", flagged=True, body=BODY) is IngestOutcome.DROPPED
    assert world.record("copy.jpg").released


def test_bytes_that_are_flagged_already_are_held_and_served_no_more(world: IngestEnvironment) -> None:
    """As if the verdict came before the policy was changed to block."""
    world.blocks = False
    world.created(KEY, BODY)
    world.judge(KEY, flagged=True, body=BODY)
    world.blocks = True
    assert world.created(KEY, BODY) is IngestOutcome.HELD
    assert world.record(KEY).held.flagged is True
    assert not served(world)


def test_a_verdict_waits_for_the_claim_on_the_key(world: IngestEnvironment) -> None:
    world.created(KEY, BODY)
    sequencer = world.upload(KEY, png_noise(40, 30))
    world.claims.acquire(KEY, sequencer, replaces_token="")
    with pytest.raises(Busy):
        world.judged(KEY, flagged=False, body=BODY)
    world.now_s += 1000
    with pytest.raises(Busy):
        world.judged(KEY, flagged=False, body=BODY)
    assert world.record(KEY).held.facts["format"] == "png", "what the dead worker left has been done"
    assert world.judged(KEY, flagged=False, body=BODY) is IngestOutcome.DROPPED


def test_a_release_without_a_held_master_makes_it_again(world: IngestEnvironment) -> None:
    world.created(KEY, BODY)
    world.judged(KEY, flagged=True, body=BODY)
    world.vault("media").delete(f"held/{KEY}")
    with pytest.raises(Busy):
        world.message(build_release_message(KEY))
    assert world.message(build_release_message(KEY)) is IngestOutcome.RELEASED
    assert Image.open(io.BytesIO(world.body("media", f"masters/{KEY}"))).format == "JPEG"


def test_after_the_policy_has_ended_what_is_held_can_be_released_and_deleted(world: IngestEnvironment) -> None:
    world.created(KEY, BODY)
    world.created("other.jpg", png_noise(40, 30))
    world.blocks = False
    assert world.judged(KEY, flagged=False, body=BODY) is IngestOutcome.RELEASED
    assert world.deleted("other.jpg") is IngestOutcome.REMOVED
    assert world.keys("media", "held/") == []


def test_the_command_releases_what_it_found_held(
    world: IngestEnvironment, aws_environment: dict[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    outputs = {"IndexTableName": world.names["index"], "ReviewQueueUrl": world.names["changes"]}
    command = commands.local(aws_environment, tmp_path, capsys, outputs)
    done = command.run("release", KEY)
    assert (done.code, "nothing is known" in done.err) == (3, True)
    world.created(KEY, BODY)
    assert command.run("release", KEY, "--json").document["sha256"] == sha256(BODY).hexdigest()
    [message] = world.messages("changes")
    assert world.message(message) is IngestOutcome.RELEASED
    done = command.run("release", KEY)
    assert (done.code, "ready" in done.err) == (3, True)


def test_presets_with_redaction_or_findings_are_not_rendered_at_ingest(world: IngestEnvironment) -> None:
    world.blocks, world.always = False, AlwaysRedact.parse("people/=faces")
    world.created(KEY, BODY)
    assert len(world.keys("media", "derivatives/")) == len(PRESETS)
    assert world.created("people/rome.jpg", BODY) is IngestOutcome.DUPLICATE, "nothing of it is copied but the master"
    assert world.keys("media", "derivatives/people/") == []
    assert world.record("people/rome.jpg").derivatives == ()
    assert world.created("people/other.jpg", png_noise(40, 30)) is IngestOutcome.READY
    assert world.keys("media", "derivatives/people/") == []
    assert world.created("other.jpg", png_noise(40, 30)) is IngestOutcome.READY, "and there is nothing to copy of it"
    assert len(world.keys("media", "derivatives/other.jpg/")) == len(PRESETS)


def test_a_preset_that_crops_to_faces_is_rendered_on_request(world: IngestEnvironment) -> None:
    world.blocks = False
    presets = Presets(
        {"f": {"w": "8", "h": "8", "fit": "cover", "g": "face", "f": "webp"}, "w": {"w": "8", "f": "webp"}},
        {},
        ("f", "w"),
    )
    context = replace(world.context, presets=presets)
    handle_event(context, world.change(KEY, world.upload(KEY, BODY)))
    assert world.record(KEY).derivatives == (f"{KEY}/_/w-8.webp",)
    assert set(world.published()[0][1]["presets"]) == {"f", "w"}


def in_review(world: IngestEnvironment) -> list[str]:
    return [record.key for record in world.index.list_flagged()]


def test_flagged_uploads_are_listed_for_review_oldest_first(world: IngestEnvironment) -> None:
    for number in range(3):
        world.now_s += 60
        world.created(f"{number}.jpg", BODY + bytes(number))
    assert in_review(world) == []
    for number in (1, 0):
        world.now_s += 60
        world.judged(f"{number}.jpg", flagged=True, body=BODY + bytes(number))
    assert in_review(world) == ["1.jpg", "0.jpg"]
    assert world.released("1.jpg") is IngestOutcome.RELEASED
    assert world.confirmed("0.jpg") is IngestOutcome.CONFIRMED
    assert in_review(world) == []


def test_no_model_overrides_a_confirmed_flag(world: IngestEnvironment) -> None:
    world.created(KEY, BODY)
    world.judged(KEY, flagged=True, body=BODY)
    world.published()
    assert world.confirmed(KEY, b"others") is IngestOutcome.DROPPED
    assert world.confirmed(KEY, BODY) is IngestOutcome.CONFIRMED
    assert world.confirmed(KEY, BODY) is IngestOutcome.DROPPED
    assert world.judged(KEY, flagged=False, body=BODY) is IngestOutcome.DROPPED
    assert (world.record(KEY).state, served(world)) == (HELD, False)
    assert world.published() == [], "it was published when it was flagged"
    assert world.released(KEY, BODY) is IngestOutcome.RELEASED, "a person may think again"
    assert world.confirmed(KEY, BODY) is IngestOutcome.DROPPED


def test_a_moderator_may_decide_before_the_model(world: IngestEnvironment) -> None:
    world.created(KEY, BODY)
    assert world.confirmed(KEY) is IngestOutcome.CONFIRMED
    assert world.record(KEY).held.flagged is True
    assert [detail["flagged"] for _, detail in world.published()] == [False, True]


def test_another_upload_is_analysed_again(world: IngestEnvironment) -> None:
    world.created(KEY, BODY)
    world.confirmed(KEY)
    other = png_noise(60, 40)
    world.created(KEY, other)
    assert world.record(KEY).held.reviewed is False
    assert world.judged(KEY, flagged=True, body=other) is IngestOutcome.HELD
    assert in_review(world) == [KEY]


def test_decisions_of_operators_are_logged_without_the_key(world: IngestEnvironment) -> None:
    world.created(KEY, BODY)
    world.judged(KEY, flagged=True, body=BODY)
    assert world.message(build_confirm_message(KEY, by="ada")) is IngestOutcome.CONFIRMED
    assert world.message(build_confirm_message(KEY, by="ada")) is IngestOutcome.DROPPED
    assert world.message(build_release_message(KEY)) is IngestOutcome.RELEASED
    assert world.message(build_release_message(KEY)) is IngestOutcome.DROPPED
    entries = AuditLog(world.vault("audit")).list_newest(10)
    assert [(one["kind"], one["subject"], one["by"], one["facts"]["decision"]) for one in entries] == [
        ("override", hash_key(KEY), "a person", "release"),
        ("override", hash_key(KEY), "ada", "confirm"),
    ]
    assert {one["facts"]["sha256"] for one in entries} == {sha256(BODY).hexdigest()}


def test_a_decision_that_cannot_be_written_down_is_not_carried_out(world: IngestEnvironment) -> None:
    world.created(KEY, BODY)
    world.names = dict(world.names) | {"audit": "no-such-bucket"}
    with pytest.raises(Unavailable):
        world.message(build_release_message(KEY))
    assert world.record(KEY).state == HELD
