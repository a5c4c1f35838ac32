"""Analyse images: from an event to findings in S3, in the index and on the bus."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from itertools import count
from typing import Any

import pytest
from PIL import Image

from darkroom.errors import Unavailable
from darkroom.findings import (
    CLIENT,
    CUTOUT,
    ENDPOINT,
    FACES,
    FALLBACK,
    MODERATION,
    SIMILARITY,
    TAGS,
    TEXT,
    Face,
    Finding,
    Findings,
    Label,
    Region,
)
from darkroom.image_keys import HELD_MASTERS, MASTERS, derivatives_prefix
from darkroom_analysis.inference.analysis import AnalysisOutcome
from darkroom_analysis.inference.views import UNSAMPLED
from darkroom_pipeline.aws.findings_store import sidecar_name
from darkroom_pipeline.aws.record import HELD, HeldUpload, Record, to_item
from darkroom_pipeline.services.analysis_requests import AnalysisRequest, RequestKind, parse_request
from darkroom_pipeline.services.ingest.events import VERDICT, build_verdict_message
from tests.announcements import complaints
from tests.component.aws import sagemaker
from tests.component.aws.sagemaker import RASTER
from tests.images.hidden import KINDS, flagged_drawing
from tests.images.photographs import jpeg_photo, turned

from .harness import ALL, SMALL, InferEnvironment, by, small

KEY = "trips/Rom 2026.jpg"


def metrics(output: str) -> dict[str, float]:
    """Sum the metrics by name."""
    found: dict[str, float] = {}
    for line in output.splitlines():
        document = json.loads(line)
        for block in document.get("_aws", {}).get("CloudWatchMetrics", []):
            for metric in block["Metrics"]:
                values = document[metric["Name"]]
                found[metric["Name"]] = found.get(metric["Name"], 0) + sum(values)
    return found


def test_an_image_is_analysed_stored_and_published(env: InferEnvironment, capsys: pytest.CaptureFixture[str]) -> None:
    assert env.ready(KEY, jpeg_photo()) is AnalysisOutcome.ANALYSED
    findings = env.findings(KEY)
    assert {task: finding.origin for task, finding in findings.found.items()} == dict.fromkeys(ALL, ENDPOINT)
    assert (findings.source_etag, findings.generation, findings.pending) == (env.etag(KEY), "1", ())
    assert findings.found[FACES] == sagemaker.found(FACES)
    noted = env.noted(KEY)
    assert noted.findings == findings
    assert (noted.sha256_of, noted.flagged, noted.announced) == (env.index.get(KEY).sha256, False, True)  # type: ignore[union-attr]
    assert env.searchable(KEY) == ("gpu-similarity/2", "gpu-likeness/2", ("bridge", "river"))
    stored = env.vectors.get(KEY)
    assert stored is not None
    assert (stored.source_etag, stored.perceptual_hash, stored.model) == (
        env.etag(KEY), "cedbd88c49eaf808", "gpu-similarity/2",
    )  # fmt: skip
    [event] = env.published()
    assert complaints("ImageAnalysed", event) == []
    assert (event["image_id"], event["key"], event["by"], event["flagged"]) == (noted.image_id, KEY, ENDPOINT, False)
    assert event["tasks"][FACES] == {"model": "gpu-faces", "version": "2", "by": ENDPOINT, "error": ""}
    assert not env.models.seen
    env.observer.flush()
    counted = metrics(capsys.readouterr().out)
    assert counted["Handled"] == 1
    assert {"PrepareTime", "InvokeTime", "StoreTime", "AnnounceTime", "UploadToAnalysed"} <= counted.keys()


def sent_image(env: InferEnvironment) -> Image.Image:
    return Image.open(io.BytesIO(env.runtime.calls[0].body))


@pytest.mark.slow
def test_models_see_a_small_upright_image(env: InferEnvironment) -> None:
    photo = Image.open(io.BytesIO(jpeg_photo((3000, 1500))))
    env.ready(KEY, turned(photo, 6))
    image = sent_image(env)
    assert (image.format, image.mode, image.size) == ("JPEG", "RGB", (2048, 1024))
    assert env.runtime.calls[0].tasks == ALL


def test_what_is_transparent_is_white_for_models(env: InferEnvironment) -> None:
    out = io.BytesIO()
    Image.new("RGBA", (60, 40), (200, 0, 0, 0)).save(out, "PNG")
    env.ready("a.png", out.getvalue())
    assert sent_image(env).getpixel((30, 20)) == (255, 255, 255)
    black, bare = env.runtime.calls[1:]
    assert black.tasks == bare.tasks == (FACES, TEXT, MODERATION)
    assert Image.open(io.BytesIO(black.body)).getpixel((30, 20)) == (0, 0, 0)
    assert Image.open(io.BytesIO(bare.body)).getpixel((30, 20)) == pytest.approx((200, 0, 0), abs=3)


def test_models_see_the_first_frame_and_grey_as_colour(env: InferEnvironment) -> None:
    out = io.BytesIO()
    frames = [Image.new("L", (60, 40), shade) for shade in (250, 5)]
    frames[0].save(out, "GIF", save_all=True, append_images=frames[1:])
    env.ready("a.gif", out.getvalue())
    image = sent_image(env).convert("RGB")
    assert image.size == (60, 40)
    assert image.getpixel((30, 20)) == pytest.approx((250, 250, 250), abs=3)
    assert [call.tasks for call in env.runtime.calls] == [ALL, (MODERATION,)]


@pytest.mark.slow
def test_a_further_view_without_an_answer_puts_the_whole_off(env: InferEnvironment) -> None:
    def answer(call: sagemaker.Call) -> sagemaker.Reply:
        return sagemaker.answer(call) if call.tasks == ALL else sagemaker.dead(call)

    env.runtime.behave = answer
    assert env.ready("a.gif", KINDS["gif-last"](flagged_drawing())) is AnalysisOutcome.FALLBACK
    assert env.findings("a.gif").found[MODERATION].origin == FALLBACK


@pytest.mark.slow
def test_further_views_that_take_too_long_are_a_gap(env: InferEnvironment) -> None:
    """Each of the endpoint's answers takes 8 s here: another attempt would not get farther, and would cost as much."""
    ticks = count(0, 4)
    infer = env.infer
    assert infer.models is not None
    slow = replace(infer.models.client, call_timeout_s=20.0, deadline_s=45.0, monotonic=lambda: float(next(ticks)))
    sequencer = env.master("a.gif", KINDS["gif-last"](flagged_drawing()))
    infer = replace(infer, models=replace(infer.models, client=slow))
    assert infer.handle(AnalysisRequest(RequestKind.READY, "a.gif", sequencer)) is AnalysisOutcome.ANALYSED
    assert 1 < len(env.runtime.calls) < 6
    found = env.findings("a.gif").found[MODERATION]
    assert (found.origin, found.flagged, UNSAMPLED in {label.name for label in found.labels}) == (ENDPOINT, True, True)


@pytest.mark.slow
def test_further_backgrounds_of_the_first_frame_are_needed(env: InferEnvironment) -> None:
    """Redaction depends on them."""
    ticks = count(0, 9)
    infer = env.infer
    assert infer.models is not None
    slow = replace(infer.models.client, call_timeout_s=20.0, deadline_s=45.0, monotonic=lambda: float(next(ticks)))
    sequencer = env.master("a.png", KINDS["alpha-zero-png"](flagged_drawing()))
    infer = replace(infer, models=replace(infer.models, client=slow))
    assert infer.handle(AnalysisRequest(RequestKind.READY, "a.png", sequencer)) is AnalysisOutcome.FALLBACK


def test_a_flagged_frame_flags_the_image(env: InferEnvironment) -> None:
    def answer(call: sagemaker.Call) -> sagemaker.Reply:
        last = len(env.runtime.calls) == 6
        return (sagemaker.flagging if last else sagemaker.answer)(call)

    env.runtime.behave = answer
    assert env.ready("a.gif", KINDS["gif-last"](flagged_drawing())) is AnalysisOutcome.ANALYSED
    assert [call.explains for call in env.runtime.calls] == [*[False] * 6, True]
    assert env.noted("a.gif").flagged
    assert env.findings("a.gif").found[FACES] == sagemaker.found(FACES)


def test_the_same_event_again_does_nothing(env: InferEnvironment) -> None:
    env.ready(KEY, jpeg_photo())
    env.published()
    sequencer = env.masters.find_current(KEY).sequencer  # type: ignore[union-attr]
    assert env.infer.handle(AnalysisRequest(RequestKind.READY, KEY, sequencer)) is AnalysisOutcome.DROPPED
    assert (len(env.runtime.calls), env.published()) == (1, [])


def test_an_event_of_an_earlier_master_does_nothing(env: InferEnvironment) -> None:
    old = env.master(KEY, jpeg_photo((90, 60)))
    env.master(KEY, jpeg_photo((60, 90)))
    assert env.infer.handle(AnalysisRequest(RequestKind.READY, KEY, old)) is AnalysisOutcome.DROPPED
    assert (env.runtime.calls, env.keys("findings/")) == ([], [])


def test_a_new_master_is_analysed_and_replaces_the_findings(env: InferEnvironment) -> None:
    env.ready(KEY, jpeg_photo((90, 60)))
    assert env.ready(KEY, jpeg_photo((60, 90))) is AnalysisOutcome.ANALYSED
    assert env.findings(KEY).source_etag == env.etag(KEY)
    assert len(env.runtime.calls) == 2
    assert env.messages("purges") == [], "ingest has purged already"


def test_a_generation_has_sidecars_of_its_own_and_the_index_the_newest(env: InferEnvironment) -> None:
    env.ready(KEY, jpeg_photo())
    env.generation = "2"
    assert env.infer.handle(AnalysisRequest(RequestKind.ANALYSE, KEY)) is AnalysisOutcome.ANALYSED
    assert env.keys("findings/") == [sidecar_name("1", KEY), sidecar_name("2", KEY)]
    assert env.noted(KEY).findings == env.findings(KEY, "2")
    assert len(env.runtime.calls) == 2


def test_the_same_bytes_are_analysed_once(env: InferEnvironment) -> None:
    env.ready("first.jpg", jpeg_photo(), sha256="same")
    assert env.ready("second.jpg", jpeg_photo((90, 60)), sha256="same") is AnalysisOutcome.COPIED
    assert len(env.runtime.calls) == 1
    assert env.findings("second.jpg").found == env.findings("first.jpg").found
    assert env.findings("second.jpg").source_etag == env.etag("second.jpg")
    first, second = env.vectors.get("first.jpg"), env.vectors.get("second.jpg")
    assert first is not None
    assert second is not None
    assert second.vector == pytest.approx(first.vector, abs=0.02)
    assert env.searchable("second.jpg") == env.searchable("first.jpg")
    assert [event["key"] for event in env.published()] == ["first.jpg", "second.jpg"]


@pytest.mark.parametrize("mode", ["endpoint", "lambda"])
def test_images_below_a_prefix_have_its_tasks(env: InferEnvironment, mode: str) -> None:
    env.mode, env.tasks_by_prefix = mode, {"people/": ("faces",), "": ("faces", "moderation")}
    env.ready("people/cup.jpg", jpeg_photo())
    env.ready("shop/cup.jpg", jpeg_photo((90, 60)))
    assert env.findings("people/cup.jpg").found.keys() == {"faces"}
    assert env.findings("shop/cup.jpg").found.keys() == {"faces", "moderation"}
    assert env.findings("people/cup.jpg").pending == ()
    if mode == "endpoint":
        assert [set(call.tasks) for call in env.runtime.calls] == [{"faces"}, {"faces", "moderation"}]


@pytest.mark.slow
def test_images_below_a_prefix_are_cut_out(env: InferEnvironment) -> None:
    env.cutout_prefixes = ("shop/",)
    env.ready("shop/cup.jpg", jpeg_photo(), sha256="same")
    env.ready("people/cup.jpg", jpeg_photo((90, 60)))
    assert [CUTOUT in call.tasks for call in env.runtime.calls] == [True, False]
    assert env.findings("shop/cup.jpg").found[CUTOUT].raster == RASTER
    indexed = env.archive.read_record("shop/cup.jpg").findings
    assert indexed is not None
    assert indexed.found[CUTOUT].raster == b"", "an item of the index has room for 400 KB"
    assert env.ready("shop/copy.jpg", jpeg_photo((90, 60)), sha256="same") is AnalysisOutcome.COPIED
    assert env.findings("shop/copy.jpg").found[CUTOUT].raster == RASTER


@pytest.mark.slow
def test_a_copy_of_an_image_without_a_cut_out_gets_one(env: InferEnvironment) -> None:
    env.cutout_prefixes = ("shop/",)
    env.ready("people/cup.jpg", jpeg_photo(), sha256="same")
    assert env.ready("shop/cup.jpg", jpeg_photo((90, 60)), sha256="same") is AnalysisOutcome.ANALYSED
    assert CUTOUT in env.findings("shop/cup.jpg").found


@pytest.mark.slow
def test_a_new_cut_out_replaces_derivatives_and_the_same_one_does_not(env: InferEnvironment) -> None:
    env.cutout_prefixes = ("shop/",)
    env.ready("shop/cup.jpg", jpeg_photo())
    name = f"{derivatives_prefix('shop/cup.jpg')}cutout-1_fv-1.png"
    env.media.put(name, b"rendered", headers={}, metadata={})
    again = AnalysisRequest(RequestKind.ANALYSE, "shop/cup.jpg", again=True)
    env.infer.handle(again)
    assert env.media.head(name) is not None
    env.runtime.behave = newer_cutout
    env.infer.handle(again)
    assert env.media.head(name) is None


def newer_cutout(call: sagemaker.Call) -> sagemaker.Reply:
    status, body = sagemaker.answer(call) or sagemaker.HANG
    document = json.loads(body)
    document["tasks"][CUTOUT]["version"] = "3"
    return status, json.dumps(document).encode()


def test_without_an_endpoint_nothing_is_cut_out(env: InferEnvironment) -> None:
    env.mode, env.cutout_prefixes = "lambda", ("shop/",)
    env.ready("shop/cup.jpg", jpeg_photo())
    found = env.findings("shop/cup.jpg")
    assert CUTOUT not in found.found
    assert found.pending == ()


@pytest.mark.slow
def test_a_donor_of_another_generation_or_without_all_tasks_is_none(env: InferEnvironment) -> None:
    env.tasks = (FACES,)
    env.ready("first.jpg", jpeg_photo(), sha256="same")
    env.tasks = ALL
    assert env.ready("second.jpg", jpeg_photo(), sha256="same") is AnalysisOutcome.ANALYSED
    env.generation = "2"
    assert env.ready("third.jpg", jpeg_photo(), sha256="same") is AnalysisOutcome.ANALYSED
    assert len(env.runtime.calls) == 3


def test_a_forced_analysis_runs_again(env: InferEnvironment) -> None:
    env.ready(KEY, jpeg_photo())
    assert env.infer.handle(AnalysisRequest(RequestKind.ANALYSE, KEY, again=True)) is AnalysisOutcome.ANALYSED
    assert len(env.runtime.calls) == 2


@pytest.mark.slow
def test_without_a_master_nothing_is_kept(env: InferEnvironment) -> None:
    env.ready(KEY, jpeg_photo())
    env.ready("other.jpg", jpeg_photo((90, 60)))
    env.generation = "2"
    env.infer.handle(AnalysisRequest(RequestKind.ANALYSE, KEY))
    assert env.removed(KEY) is AnalysisOutcome.REMOVED
    assert env.keys("findings/") == ["findings/1/other.jpg.json"]
    assert (env.noted(KEY).version, env.searchable(KEY)) == (0, ("", "", ()))
    assert env.searchable("other.jpg") == ("gpu-similarity/2", "gpu-likeness/2", ("bridge", "river"))
    assert env.removed(KEY) is AnalysisOutcome.REMOVED, "the same event once more"


@pytest.mark.slow
def test_a_deletion_that_comes_late_removes_nothing(env: InferEnvironment) -> None:
    env.ready(KEY, jpeg_photo())
    assert env.infer.handle(AnalysisRequest(RequestKind.REMOVED, KEY, env.next_sequencer())) is AnalysisOutcome.DROPPED
    assert env.findings(KEY)
    assert (
        env.infer.handle(AnalysisRequest(RequestKind.READY, "gone.jpg", env.next_sequencer()))
        is AnalysisOutcome.REMOVED
    )


DAMAGED = jpeg_photo()[:3000]


@pytest.mark.slow
@pytest.mark.parametrize("body", [DAMAGED, b"no image"])
def test_a_master_that_cannot_be_decoded_is_a_finding(env: InferEnvironment, body: bytes) -> None:
    assert env.ready(KEY, body) is AnalysisOutcome.ANALYSED
    assert {finding.error for finding in env.findings(KEY).found.values()} == {"unreadable"}
    assert (env.noted(KEY).flagged, env.runtime.calls) == (None, [])
    [event] = env.published()
    assert complaints("ImageAnalysed", event) == []
    assert {task["error"] for task in event["tasks"].values()} == {"unreadable"}


@pytest.mark.slow
@pytest.mark.parametrize("behave", [sagemaker.unreadable, sagemaker.refusing(400)])
def test_an_image_that_the_models_refuse_is_a_finding(env: InferEnvironment, behave: Any) -> None:
    env.runtime.behave = behave
    assert env.ready(KEY, jpeg_photo()) is AnalysisOutcome.ANALYSED
    assert {finding.error for finding in env.findings(KEY).found.values()} == {"unreadable"}
    assert (len(env.runtime.calls), env.models.seen, env.sent) == (1, [], [])


def test_the_small_models_alone(env: InferEnvironment) -> None:
    env.mode = "lambda"
    assert env.ready(KEY, jpeg_photo()) is AnalysisOutcome.ANALYSED
    findings = env.findings(KEY)
    assert (tuple(findings.found), findings.pending) == (SMALL, ())
    assert (env.sent, env.runtime.calls) == ([], [])
    assert env.published()[0]["by"] == FALLBACK
    env.infer.handle(AnalysisRequest(RequestKind.ANALYSE, KEY))
    assert len(env.models.seen) == 1


@pytest.mark.slow
def test_a_new_endpoint_analyses_the_images_of_the_small_models(env: InferEnvironment) -> None:
    env.mode = "lambda"
    env.ready(KEY, jpeg_photo())
    env.mode = "endpoint"
    assert env.infer.handle(AnalysisRequest(RequestKind.ANALYSE, KEY)) is AnalysisOutcome.ANALYSED
    assert {finding.origin for finding in env.findings(KEY).found.values()} == {ENDPOINT}


@pytest.mark.sample(3)
@pytest.mark.parametrize(("behave", "flagged"), [(sagemaker.answer, False), (sagemaker.flagging, True)])
@pytest.mark.parametrize("block", [False, True])
def test_a_verdict_is_stored_published_and_sent_to_a_waiting_ingest(
    env: InferEnvironment, behave: Any, flagged: bool, block: bool
) -> None:
    env.runtime.behave, env.block = behave, block
    env.ready(KEY, jpeg_photo(), sha256="digest")
    assert (env.noted(KEY).flagged, env.published()[0]["flagged"]) == (flagged, flagged)
    message = build_verdict_message(KEY) | {"attributes": {}}
    assert env.messages("changes") == ([message] if block else [])


def test_a_held_master_is_analysed_in_place_and_published_again(env: InferEnvironment) -> None:
    env.block = True
    sequencer = env.master(KEY, jpeg_photo(), prefix="held/")
    held = AnalysisRequest(RequestKind.HELD, KEY, sequencer)
    assert env.infer.handle(held) is AnalysisOutcome.ANALYSED
    assert env.findings(KEY).source_etag == env.etag(KEY, "held/")
    assert env.infer.handle(held) is AnalysisOutcome.DROPPED
    assert [message["detail-type"] for message in env.messages("changes")] == [VERDICT, VERDICT]


def test_what_was_released_keeps_its_findings(env: InferEnvironment) -> None:
    """Its entity tag may be another one, as with a KMS key."""
    env.block = True
    sequencer = env.master(KEY, jpeg_photo(), prefix="held/", sha256="same")
    env.infer.handle(AnalysisRequest(RequestKind.HELD, KEY, sequencer))
    env.media.delete(HELD_MASTERS.name(KEY))
    assert env.ready(KEY, jpeg_photo((90, 60)), sha256="same") is AnalysisOutcome.COPIED
    assert env.findings(KEY).source_etag == env.etag(KEY)


@pytest.mark.slow
def test_a_waiting_upload_keeps_the_findings_of_the_served_image(env: InferEnvironment) -> None:
    env.block = True
    env.ready(KEY, jpeg_photo(), sha256="old")
    served, found_by = env.findings(KEY), env.searchable(KEY)
    derivative = env.derivative(KEY, "fv-1_redact-faces_w-320.webp")
    env.runtime.behave = sagemaker.flagging
    sequencer = env.master(KEY, jpeg_photo((90, 60)), prefix="held/", sha256="new")
    held = AnalysisRequest(RequestKind.HELD, KEY, sequencer)
    assert env.infer.handle(held) is AnalysisOutcome.ANALYSED
    assert env.noted(KEY).flagged
    assert (env.findings(KEY), env.searchable(KEY)) == (served, found_by)
    assert derivative in env.keys("derivatives/")
    assert env.infer.handle(held) is AnalysisOutcome.DROPPED


@pytest.mark.slow
def test_once_it_is_served_it_has_its_own(env: InferEnvironment) -> None:
    env.block = True
    env.ready(KEY, jpeg_photo(), sha256="old")
    sequencer = env.master(KEY, jpeg_photo((90, 60)), prefix="held/", sha256="new")
    env.infer.handle(AnalysisRequest(RequestKind.HELD, KEY, sequencer))
    env.media.delete(HELD_MASTERS.name(KEY))
    assert env.ready(KEY, jpeg_photo((90, 60)), sha256="new") is AnalysisOutcome.ANALYSED
    assert env.findings(KEY).source_etag == env.etag(KEY)
    stored = env.vectors.get(KEY)
    assert stored is not None
    assert stored.source_etag == env.etag(KEY)


def test_the_hash_of_a_held_image_is_stored_with_its_embedding(env: InferEnvironment) -> None:
    sequencer = env.master(KEY, jpeg_photo(), prefix="held/")
    record = Record(KEY, HELD, sequencer, held=HeldUpload(facts={"perceptual_hash": "00000000000000ff"}))
    env.clients["dynamodb"].put_item(TableName=env.names["index"], Item=to_item(record))
    env.infer.handle(AnalysisRequest(RequestKind.HELD, KEY, sequencer))
    stored = env.vectors.get(KEY)
    assert stored is not None
    assert stored.perceptual_hash == "00000000000000ff"


@pytest.mark.parametrize(("tasks", "messages"), [((FACES,), 0), ((FACES, MODERATION), 1)])
def test_ingest_hears_that_there_will_be_no_verdict(
    env: InferEnvironment, tasks: tuple[str, ...], messages: int
) -> None:
    env.block, env.tasks = True, tasks
    env.runtime.behave = sagemaker.unreadable
    env.ready(KEY, jpeg_photo())
    assert len(env.messages("changes")) == messages


THEIRS = Face(Region(0.25, 0.25, 0.5, 0.5), 1.0)


def told_by_client(env: InferEnvironment, *faces: Face) -> Findings:
    found = {
        FACES: Finding(FACES, "client", "1", CLIENT, faces=faces),
        TAGS: Finding(TAGS, "client", "1", CLIENT, labels=(Label("cat", 1.0),)),
    }
    return Findings("1", env.etag(KEY), found, (TEXT, MODERATION, SIMILARITY))


@pytest.mark.parametrize(
    ("faces", "apart", "purged"), [((THEIRS,), 0.0, False), ((), 1.0, True), ((THEIRS, THEIRS), 0.5, True)]
)
def test_client_findings_are_reconciled(
    env: InferEnvironment, capsys: pytest.CaptureFixture[str], faces: tuple[Face, ...], apart: float, purged: bool
) -> None:
    env.tasks = [task for task in ALL if task != TAGS]
    sequencer = env.master(KEY, jpeg_photo())
    env.known(KEY, told_by_client(env, *faces))
    image = env.derivative(KEY, "fit-cover_fv-1_g-face_h-400_w-400.auto-webp")
    assert env.infer.handle(AnalysisRequest(RequestKind.READY, KEY, sequencer)) is AnalysisOutcome.ANALYSED
    findings = env.findings(KEY)
    assert {task: finding.origin for task, finding in findings.found.items()} == {
        **dict.fromkeys(ALL, ENDPOINT), TAGS: CLIENT,
    }  # fmt: skip
    assert findings.found[FACES] == sagemaker.found(FACES)
    assert env.tags.get(KEY) == ("cat",)
    assert (env.media.head(image) is None, len(env.messages("purges"))) == (purged, int(purged))
    env.observer.flush()
    assert metrics(capsys.readouterr().out)["ClientDisagreement"] == apart


@pytest.mark.slow
def test_images_of_other_findings_go_and_no_others(env: InferEnvironment) -> None:
    env.runtime.behave = sagemaker.dead
    env.ready(KEY, jpeg_photo())
    assert env.findings(KEY).found[FACES] == small(FACES)
    names = ["fv-1_redact-faces.auto-webp", "fit-cover_fv-1_g-face_h-400_w-400.jpeg", "fv-11_redact-faces.jpeg",
             "w-320.auto-webp", "fv-2_redact-faces.auto-webp"]  # fmt: skip
    for name in names:
        env.derivative(KEY, name)
    env.runtime.behave, env.now_s = sagemaker.answer, env.now_s + 1000
    assert env.infer.handle(AnalysisRequest(RequestKind.ANALYSE, KEY, attempt=1)) is AnalysisOutcome.ANALYSED
    left = [name.rpartition("/")[2] for name in env.keys("derivatives/")]
    assert left == ["fv-11_redact-faces.jpeg", "fv-2_redact-faces.auto-webp", "w-320.auto-webp"]
    assert [message["key"] for message in env.messages("purges")] == [KEY]


def test_a_late_fallback_undoes_nothing(env: InferEnvironment) -> None:
    sequencer = env.master(KEY, jpeg_photo())
    present = env.masters.find_current(KEY)
    assert present is not None
    env.infer.handle(AnalysisRequest(RequestKind.READY, KEY, sequencer))
    late = Findings("1", present.etag, {task: small(task) for task in SMALL}, (TEXT,), "later")
    kept = env.infer.writer.write(present, "id", late, "", env.tasks)
    assert kept.findings.pending == ()
    assert {finding.origin for finding in env.findings(KEY).found.values()} == {ENDPOINT}
    stored = env.vectors.get(KEY)
    assert stored is not None
    assert stored.model == "gpu-similarity/2"
    assert env.tags.get(KEY) == ("bridge", "river")


def test_a_deployment_without_similarity_stores_findings_alone(env: InferEnvironment) -> None:
    env.has_similarity = False
    env.ready(KEY, jpeg_photo())
    assert set(env.findings(KEY).found) == set(ALL)
    assert env.searchable(KEY) == ("", "", ())
    assert env.removed(KEY) is AnalysisOutcome.REMOVED
    assert env.keys("findings/") == []


def test_findings_of_the_old_kind_are_replaced_not_mixed(env: InferEnvironment) -> None:
    sequencer = env.master(KEY, jpeg_photo())
    old = Findings("1", "old", {TEXT: Finding(TEXT, "m", "1")})
    env.known(KEY, by(old, ENDPOINT))
    env.tasks = (FACES,)
    env.infer.handle(AnalysisRequest(RequestKind.READY, KEY, sequencer))
    assert tuple(env.findings(KEY).found) == (FACES,)


def test_a_master_that_changes_during_analysis_is_analysed_again(env: InferEnvironment) -> None:
    def overtaken(call: sagemaker.Call) -> sagemaker.Reply:
        env.runtime.behave = sagemaker.answer
        env.master(KEY, jpeg_photo((60, 90)))
        return sagemaker.answer(call)

    env.runtime.behave = overtaken
    assert env.ready(KEY, jpeg_photo()) is AnalysisOutcome.DROPPED
    assert env.keys("findings/") == []
    [message] = env.sent
    request = parse_request(message)
    assert request is not None
    assert request.again
    assert env.infer.handle(request) is AnalysisOutcome.ANALYSED
    assert env.findings(KEY).source_etag == env.etag(KEY)


def test_a_master_that_is_deleted_during_analysis_leaves_nothing(env: InferEnvironment) -> None:
    def deleted(call: sagemaker.Call) -> sagemaker.Reply:
        env.media.delete(MASTERS.name(KEY))
        return sagemaker.answer(call)

    env.runtime.behave = deleted
    assert env.ready(KEY, jpeg_photo()) is AnalysisOutcome.DROPPED
    request = parse_request(env.sent[0])
    assert request is not None
    assert env.infer.handle(request) is AnalysisOutcome.REMOVED
    assert (env.keys("findings/"), env.noted(KEY).version, env.searchable(KEY)) == ([], 0, ("", "", ()))


def test_an_index_that_does_not_answer_is_a_fault(env: InferEnvironment) -> None:
    env.names = {**env.names, "index": "no-such-table"}
    sequencer = env.next_sequencer()
    env.media.put(MASTERS.name(KEY), jpeg_photo(), headers={}, metadata={})
    with pytest.raises(Unavailable):
        env.infer.handle(AnalysisRequest(RequestKind.READY, KEY, sequencer))


def test_a_flag_of_the_fallback_can_be_taken_back(env: InferEnvironment) -> None:
    env.runtime.behave = sagemaker.dead
    flagged = replace(small(MODERATION), flagged=True)
    prude = {"tasks": (MODERATION,), "detect": lambda *_: {MODERATION: flagged}, "explain": lambda *_: None}
    env.finder = type("Prude", (), prude)()
    env.ready(KEY, jpeg_photo())
    assert env.noted(KEY).flagged is True
    env.runtime.behave, env.now_s = sagemaker.answer, env.now_s + 1000
    env.infer.handle(AnalysisRequest(RequestKind.ANALYSE, KEY))
    assert env.noted(KEY).flagged is False
