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

from darkroom.errors import Busy, Unavailable
from darkroom.plan.forced_options import ForcedOptions
from darkroom.plan.presets import Presets, load_default_presets
from darkroom_pipeline.aws.audit import AuditLog, hash_key
from darkroom_pipeline.aws.record import HELD, READY, REFUSED, REMOVED, HeldUpload, MasterRef
from darkroom_pipeline.services.ingest.context import IngestOutcome
from darkroom_pipeline.services.ingest.events import build_confirm_message, build_release_message, build_verdict_message
from darkroom_pipeline.services.ingest.handler import handle_event
from tests import commands
from tests.images.photographs import jpeg_photo, png_noise

from .ingest_environment import IngestEnvironment

PRESETS = load_default_presets().at_ingest
KEY = "trips/rome.jpg"
BODY = jpeg_photo()


@pytest.fixture
def env(aws: Callable[[str], Any]) -> IngestEnvironment:
    made = IngestEnvironment.build(aws)
    made.blocks = True
    return made


def served(env: IngestEnvironment, key: str = KEY) -> bool:
    """Whether viewers can have it: its master is there; and nothing is left of it if not."""
    there = env.vault("media").head(f"masters/{key}") is not None
    assert there or env.keys("media", f"derivatives/{key}/_/") == []
    return there


def held(env: IngestEnvironment, key: str = KEY) -> bool:
    return env.vault("media").head(f"held/{key}") is not None


@pytest.mark.slow
def test_without_the_policy_nothing_is_held(env: IngestEnvironment) -> None:
    env.blocks = False
    env.judge(KEY, flagged=True, body=BODY)
    assert env.created(KEY, BODY) is IngestOutcome.READY
    assert env.judged(KEY, flagged=True, body=BODY) is IngestOutcome.DROPPED
    assert served(env)


def test_an_upload_waits_where_nothing_is_served_from(env: IngestEnvironment) -> None:
    assert env.created(KEY, BODY) is IngestOutcome.HELD
    assert env.keys("media") == [f"held/{KEY}"]
    record = env.record(KEY)
    assert (record.state, record.announced, record.master, record.sha256) == (HELD, True, MasterRef(), "")
    assert record.held.facts["format"] == "jpeg"
    assert record.held.master.sequencer == record.sequencer
    assert record.held.flagged is False
    assert env.index.find_by_sha256(record.held.sha256) == []
    assert [kind for kind, _ in env.published()] == ["ImageHeld"]


def test_an_approved_image_is_as_if_it_had_never_waited(env: IngestEnvironment, aws: Callable[[str], Any]) -> None:
    env.created(KEY, BODY)
    assert env.judged(KEY, flagged=False, body=BODY) is IngestOutcome.RELEASED
    assert served(env)
    assert not held(env)
    other = IngestEnvironment.build(aws)
    other.created(KEY, BODY)
    ours, theirs = env.record(KEY), other.record(KEY)
    differ = {name: getattr(theirs, name) for name in ("token", "version_id", "updated_at", "image_id")}
    assert replace(ours, **differ, master=MasterRef()) == replace(theirs, master=MasterRef())
    assert replace(ours.master, version_id="") == replace(theirs.master, version_id="")
    assert env.keys("media") == other.keys("media")
    for name in env.keys("media", "derivatives/"):
        assert env.body("media", name) == other.body("media", name)
    assert [kind for kind, _ in env.published()] == ["ImageHeld", "ImageReady"]


def tiff() -> bytes:
    out = io.BytesIO()
    Image.open(io.BytesIO(BODY)).save(out, "TIFF")
    return out.getvalue()


DRAWING = b'<svg xmlns="http://www.w3.org/2000/svg" width="4" height="3"/>'


@pytest.mark.slow
@pytest.mark.parametrize("upload", [png_noise(600, 400), DRAWING, tiff()], ids=["png", "svg", "tiff"])
def test_presets_are_made_of_the_master_that_waited(env: IngestEnvironment, upload: bytes) -> None:
    env.created(KEY, upload)
    assert env.judged(KEY, flagged=False, body=upload) is IngestOutcome.RELEASED
    assert len(env.keys("media", "derivatives/")) == len(PRESETS)


@pytest.mark.slow
def test_an_image_whose_upload_has_expired_is_released_too(env: IngestEnvironment) -> None:
    env.created(KEY, BODY)
    env.vault("uploads").erase(KEY)
    assert env.judged(KEY, flagged=False, body=BODY) is IngestOutcome.RELEASED
    assert served(env)


def test_a_flagged_upload_stays_held_and_is_published_once(env: IngestEnvironment) -> None:
    env.created(KEY, BODY)
    assert env.judged(KEY, flagged=True, body=BODY) is IngestOutcome.HELD
    assert env.judged(KEY, flagged=True, body=BODY) is IngestOutcome.DROPPED
    assert (env.record(KEY).state, env.record(KEY).held.flagged) == (HELD, True)
    assert held(env)
    assert not served(env)
    assert [detail["flagged"] for _, detail in env.published()] == [False, True]


@pytest.mark.slow
def test_a_verdict_on_other_bytes_is_ignored(env: IngestEnvironment) -> None:
    env.created(KEY, BODY)
    assert env.judged(KEY, flagged=False, body=b"others") is IngestOutcome.DROPPED
    assert env.record(KEY).state == HELD
    env.judged(KEY, flagged=False, body=BODY)
    assert env.judged(KEY, flagged=True, body=b"others") is IngestOutcome.DROPPED
    assert env.record(KEY).state == READY


def test_a_message_without_a_verdict_requests_one(env: IngestEnvironment) -> None:
    env.created(KEY, BODY)
    first = env.published()
    assert env.message(build_verdict_message(KEY)) is IngestOutcome.DROPPED
    assert env.published() == first
    assert env.message(build_verdict_message("unknown.jpg")) is IngestOutcome.DROPPED


def test_a_later_verdict_withdraws_an_image(env: IngestEnvironment) -> None:
    env.created(KEY, BODY)
    env.judged(KEY, flagged=False, body=BODY)
    etag = env.record(KEY).master.etag
    env.published()
    assert env.judged(KEY, flagged=True, body=BODY) is IngestOutcome.HELD
    assert env.keys("media") == [f"held/{KEY}"]
    record = env.record(KEY)
    assert (record.state, record.held.flagged, record.master, record.derivatives) == (HELD, True, MasterRef(), ())
    assert record.held.master.etag == etag
    assert {message["key"] for message in env.messages("purges")} == {KEY}
    assert [(kind, detail["flagged"]) for kind, detail in env.published()] == [("ImageHeld", True)]
    assert env.judged(KEY, flagged=False, body=BODY) is IngestOutcome.RELEASED, "it may turn out to have been a mistake"
    assert served(env)


@pytest.mark.slow
def test_an_approval_of_a_flagged_image_is_stored(env: IngestEnvironment) -> None:
    env.created(KEY, BODY)
    env.judged(KEY, flagged=True, body=BODY)
    assert env.released(KEY) is IngestOutcome.RELEASED
    assert env.record(KEY).released
    assert env.judged(KEY, flagged=True, body=BODY) is IngestOutcome.DROPPED
    assert env.created(KEY, BODY) is IngestOutcome.DUPLICATE, "the same bytes once more"
    assert env.record(KEY).released
    assert served(env)
    other = png_noise(40, 30)
    assert env.created(KEY, other) is IngestOutcome.HELD, "but other bytes wait"
    env.judged(KEY, flagged=False, body=other)
    assert not env.record(KEY).released


def test_an_approval_covers_the_reviewed_upload_and_no_later_one(env: IngestEnvironment) -> None:
    env.created(KEY, BODY)
    assert env.released(KEY, b"another image") is IngestOutcome.DROPPED
    assert env.record(KEY).state == HELD
    assert env.released(KEY, BODY) is IngestOutcome.RELEASED
    assert env.released(KEY, BODY) is IngestOutcome.DROPPED
    assert env.released("unknown.jpg") is IngestOutcome.DROPPED


@pytest.mark.slow
def test_the_earlier_image_is_served_until_the_new_one_is_approved(env: IngestEnvironment) -> None:
    env.created(KEY, BODY)
    env.judged(KEY, flagged=False, body=BODY)
    before, new = env.record(KEY), png_noise(600, 400)
    assert env.created(KEY, new) is IngestOutcome.HELD
    waiting = env.record(KEY)
    assert (waiting.master, waiting.derivatives, waiting.sha256) == (before.master, before.derivatives, before.sha256)
    assert len(env.keys("media", "derivatives/")) == len(PRESETS)
    assert env.judged(KEY, flagged=False, body=new) is IngestOutcome.RELEASED
    after = env.record(KEY)
    assert (after.facts["format"], after.held) == ("png", HeldUpload())
    assert env.body("media", f"masters/{KEY}") != BODY
    etag = after.master.etag.strip('"')
    for name in env.keys("media", "derivatives/"):
        head = env.vault("media").head(name)
        assert head is not None
        assert head.metadata["source-etag"] == etag


@pytest.mark.slow
def test_the_earlier_image_may_be_flagged_while_the_new_one_waits(env: IngestEnvironment) -> None:
    env.created(KEY, BODY)
    env.judged(KEY, flagged=False, body=BODY)
    new = png_noise(600, 400)
    env.created(KEY, new)
    assert env.judged(KEY, flagged=True, body=BODY) is IngestOutcome.HELD
    assert not served(env)
    record = env.record(KEY)
    assert (record.held.facts["format"], record.held.flagged) == ("png", False)
    assert env.judged(KEY, flagged=False, body=new) is IngestOutcome.RELEASED
    assert env.record(KEY).facts["format"] == "png"


@pytest.mark.slow
def test_the_image_before_a_refused_upload_may_be_flagged(env: IngestEnvironment) -> None:
    env.created(KEY, BODY)
    env.judged(KEY, flagged=False, body=BODY)
    assert env.created(KEY, b"no image") is IngestOutcome.REFUSED
    assert env.judged(KEY, flagged=True, body=BODY) is IngestOutcome.HELD
    assert not served(env)
    assert held(env)


@pytest.mark.sample(6)
@pytest.mark.parametrize("newer", ["overwrite", "refusal", "deletion"])
def test_a_waiting_upload_is_replaced_by_a_newer_one(env: IngestEnvironment, newer: str) -> None:
    env.created(KEY, BODY)
    waited = env.body("media", f"held/{KEY}")
    if newer == "overwrite":
        assert env.created(KEY, png_noise(40, 30)) is IngestOutcome.HELD
        assert env.body("media", f"held/{KEY}") != waited
        return
    if newer == "refusal":
        assert env.created(KEY, b"no image") is IngestOutcome.REFUSED
        assert (env.record(KEY).state, env.record(KEY).held) == (REFUSED, HeldUpload())
    else:
        assert env.deleted(KEY) is IngestOutcome.REMOVED
        assert (env.record(KEY).state, env.record(KEY).held) == (REMOVED, HeldUpload())
    assert env.keys("media") == []
    assert env.judged(KEY, flagged=False, body=BODY) is IngestOutcome.DROPPED
    assert env.keys("media") == []


@pytest.mark.slow
def test_copies_of_approved_images_do_not_wait(env: IngestEnvironment) -> None:
    env.created(KEY, BODY)
    env.judged(KEY, flagged=False, body=BODY)
    assert env.created("copy.jpg", BODY) is IngestOutcome.DUPLICATE
    assert served(env, "copy.jpg")


@pytest.mark.slow
def test_copies_of_unreviewed_uploads_wait_too(env: IngestEnvironment) -> None:
    env.created(KEY, BODY)
    assert env.created("copy.jpg", BODY) is IngestOutcome.HELD
    env.blocks = False
    env.created("before.jpg", png_noise(40, 30))
    env.blocks = True
    assert env.created("after.jpg", png_noise(40, 30)) is IngestOutcome.HELD


@pytest.mark.slow
def test_copies_of_approved_images_are_approved_too(env: IngestEnvironment) -> None:
    env.created(KEY, BODY)
    env.judged(KEY, flagged=True, body=BODY)
    env.released(KEY)
    assert env.created("copy.jpg", BODY) is IngestOutcome.DUPLICATE
    assert env.judged("copy.jpg", flagged=True, body=BODY) is IngestOutcome.DROPPED
    assert env.record("copy.jpg").released


@pytest.mark.slow
def test_bytes_that_are_flagged_already_are_held_and_served_no_more(env: IngestEnvironment) -> None:
    """As if the verdict came before the policy was changed to block."""
    env.blocks = False
    env.created(KEY, BODY)
    env.judge(KEY, flagged=True, body=BODY)
    env.blocks = True
    assert env.created(KEY, BODY) is IngestOutcome.HELD
    assert env.record(KEY).held.flagged is True
    assert not served(env)


def test_a_verdict_waits_for_the_claim_on_the_key(env: IngestEnvironment) -> None:
    env.created(KEY, BODY)
    sequencer = env.upload(KEY, png_noise(40, 30))
    env.claims.acquire(KEY, sequencer, replaces_token="")
    with pytest.raises(Busy):
        env.judged(KEY, flagged=False, body=BODY)
    env.now_s += 1000
    with pytest.raises(Busy):
        env.judged(KEY, flagged=False, body=BODY)
    assert env.record(KEY).held.facts["format"] == "png", "what the dead worker left has been done"
    assert env.judged(KEY, flagged=False, body=BODY) is IngestOutcome.DROPPED


@pytest.mark.slow
def test_a_release_without_a_held_master_makes_it_again(env: IngestEnvironment) -> None:
    env.created(KEY, BODY)
    env.judged(KEY, flagged=True, body=BODY)
    env.vault("media").delete(f"held/{KEY}")
    with pytest.raises(Busy):
        env.message(build_release_message(KEY))
    assert env.message(build_release_message(KEY)) is IngestOutcome.RELEASED
    assert Image.open(io.BytesIO(env.body("media", f"masters/{KEY}"))).format == "JPEG"


@pytest.mark.slow
def test_after_the_policy_has_ended_what_is_held_can_be_released_and_deleted(env: IngestEnvironment) -> None:
    env.created(KEY, BODY)
    env.created("other.jpg", png_noise(40, 30))
    env.blocks = False
    assert env.judged(KEY, flagged=False, body=BODY) is IngestOutcome.RELEASED
    assert env.deleted("other.jpg") is IngestOutcome.REMOVED
    assert env.keys("media", "held/") == []


@pytest.mark.slow
def test_the_command_releases_what_it_found_held(
    env: IngestEnvironment, aws_environment: dict[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    outputs = {"IndexTableName": env.names["index"], "ReviewQueueUrl": env.names["changes"]}
    command = commands.local(aws_environment, tmp_path, capsys, outputs)
    done = command.run("review", "release", KEY)
    assert (done.code, "nothing is known" in done.err) == (3, True)
    env.created(KEY, BODY)
    assert command.run("review", "release", KEY, "--json").document["sha256"] == sha256(BODY).hexdigest()
    [message] = env.messages("changes")
    assert env.message(message) is IngestOutcome.RELEASED
    done = command.run("review", "release", KEY)
    assert (done.code, "ready" in done.err) == (3, True)


@pytest.mark.slow
def test_presets_with_redaction_or_findings_are_not_rendered_at_ingest(env: IngestEnvironment) -> None:
    env.blocks, env.always = False, ForcedOptions.parse("people/=faces")
    env.created(KEY, BODY)
    assert len(env.keys("media", "derivatives/")) == len(PRESETS)
    assert env.created("people/rome.jpg", BODY) is IngestOutcome.DUPLICATE, "nothing of it is copied but the master"
    assert env.keys("media", "derivatives/people/") == []
    assert env.record("people/rome.jpg").derivatives == ()
    assert env.created("people/other.jpg", png_noise(40, 30)) is IngestOutcome.READY
    assert env.keys("media", "derivatives/people/") == []
    assert env.created("other.jpg", png_noise(40, 30)) is IngestOutcome.READY, "and there is nothing to copy of it"
    assert len(env.keys("media", "derivatives/other.jpg/")) == len(PRESETS)


def test_a_preset_that_crops_to_faces_is_rendered_on_request(env: IngestEnvironment) -> None:
    env.blocks = False
    presets = Presets(
        {"f": {"w": "8", "h": "8", "fit": "cover", "g": "face", "f": "webp"}, "w": {"w": "8", "f": "webp"}},
        {},
        ("f", "w"),
    )
    context = replace(env.context, presets=presets)
    handle_event(context, env.change(KEY, env.upload(KEY, BODY)))
    assert env.record(KEY).derivatives == (f"{KEY}/_/w-8.webp",)
    assert set(env.published()[0][1]["presets"]) == {"f", "w"}


def in_review(env: IngestEnvironment) -> list[str]:
    return [record.key for record in env.index.list_flagged()]


@pytest.mark.slow
def test_flagged_uploads_are_listed_for_review_oldest_first(env: IngestEnvironment) -> None:
    for number in range(3):
        env.now_s += 60
        env.created(f"{number}.jpg", BODY + bytes(number))
    assert in_review(env) == []
    for number in (1, 0):
        env.now_s += 60
        env.judged(f"{number}.jpg", flagged=True, body=BODY + bytes(number))
    assert in_review(env) == ["1.jpg", "0.jpg"]
    assert env.released("1.jpg") is IngestOutcome.RELEASED
    assert env.confirmed("0.jpg") is IngestOutcome.CONFIRMED
    assert in_review(env) == []


@pytest.mark.slow
def test_no_model_overrides_a_confirmed_flag(env: IngestEnvironment) -> None:
    env.created(KEY, BODY)
    env.judged(KEY, flagged=True, body=BODY)
    env.published()
    assert env.confirmed(KEY, b"others") is IngestOutcome.DROPPED
    assert env.confirmed(KEY, BODY) is IngestOutcome.CONFIRMED
    assert env.confirmed(KEY, BODY) is IngestOutcome.DROPPED
    assert env.judged(KEY, flagged=False, body=BODY) is IngestOutcome.DROPPED
    assert (env.record(KEY).state, served(env)) == (HELD, False)
    assert env.published() == [], "it was published when it was flagged"
    assert env.released(KEY, BODY) is IngestOutcome.RELEASED, "a person may think again"
    assert env.confirmed(KEY, BODY) is IngestOutcome.DROPPED


def test_a_moderator_may_decide_before_the_model(env: IngestEnvironment) -> None:
    env.created(KEY, BODY)
    assert env.confirmed(KEY) is IngestOutcome.CONFIRMED
    assert env.record(KEY).held.flagged is True
    assert [detail["flagged"] for _, detail in env.published()] == [False, True]


def test_another_upload_is_analysed_again(env: IngestEnvironment) -> None:
    env.created(KEY, BODY)
    env.confirmed(KEY)
    other = png_noise(60, 40)
    env.created(KEY, other)
    assert env.record(KEY).held.reviewed is False
    assert env.judged(KEY, flagged=True, body=other) is IngestOutcome.HELD
    assert in_review(env) == [KEY]


@pytest.mark.slow
def test_decisions_of_operators_are_logged_without_the_key(env: IngestEnvironment) -> None:
    env.created(KEY, BODY)
    env.judged(KEY, flagged=True, body=BODY)
    assert env.message(build_confirm_message(KEY, by="ada")) is IngestOutcome.CONFIRMED
    assert env.message(build_confirm_message(KEY, by="ada")) is IngestOutcome.DROPPED
    assert env.message(build_release_message(KEY)) is IngestOutcome.RELEASED
    assert env.message(build_release_message(KEY)) is IngestOutcome.DROPPED
    entries = AuditLog(env.vault("audit")).list_newest(10)
    assert [(one["kind"], one["subject"], one["by"], one["facts"]["decision"]) for one in entries] == [
        ("override", hash_key(KEY), "a person", "release"),
        ("override", hash_key(KEY), "ada", "confirm"),
    ]
    assert {one["facts"]["sha256"] for one in entries} == {sha256(BODY).hexdigest()}


def test_a_decision_that_cannot_be_written_down_is_not_carried_out(env: IngestEnvironment) -> None:
    env.created(KEY, BODY)
    env.names = dict(env.names) | {"audit": "no-such-bucket"}
    with pytest.raises(Unavailable):
        env.message(build_release_message(KEY))
    assert env.record(KEY).state == HELD
