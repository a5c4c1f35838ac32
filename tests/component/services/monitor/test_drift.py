"""Drift: the first baseline, the metrics of every feature, and the daily reaction to drift."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from darkroom.errors import Unavailable
from darkroom.findings import (
    FACES,
    MODERATION,
    OBJECTS,
    TAGS,
    TEXT,
    DetectedObject,
    Face,
    Finding,
    Findings,
    Label,
    Region,
    TextLine,
)
from darkroom.image_keys import MASTERS
from darkroom_analysis.mlops.drift import BRIGHTNESS, FORMAT, MIN_SAMPLES
from darkroom_analysis.mlops.drift_check import BASELINE, LAST_RUN, MAX_PSI, RECENT_S, BaselineReset, DriftCheck
from darkroom_analysis.mlops.manifests import Manifests, split_of
from darkroom_analysis.mlops.sample import Sample
from darkroom_pipeline.aws.clients import create_client
from darkroom_pipeline.aws.eventbridge import EventBus
from darkroom_pipeline.aws.findings_store import FindingsRecord, FindingsStore
from tests.announcements import complaints
from tests.component.aws import faulty
from tests.component.aws.stored import put
from tests.component.services.emf_metrics import Counted, counted, of
from tests.images.photographs import jpeg_photo, png_noise
from tests.unit.synthetic_samples import samples

from .environment import MonitorEnvironment

ENOUGH = 300
USUAL = samples(1, ENOUGH)


def dark(chance: Any, fields: dict[str, object]) -> dict[str, object]:
    return fields | {"brightness": chance.betavariate(2, 12)}


def watch(stack: MonitorEnvironment, enough: int = ENOUGH) -> DriftCheck:
    media = stack.env.vault("media")
    baselines = BaselineReset(media, stack.samples, stack.audit)
    manifests = Manifests(media, stack.env.archive, stack.env.index, stack.env.names["media"], MASTERS)
    return DriftCheck(baselines, manifests, stack.bus, stack.observer, enough)


type Look = Callable[[], tuple[dict[str, Any], Counted]]


@pytest.fixture
def look(stack: MonitorEnvironment, capsys: pytest.CaptureFixture[str]) -> Look:
    """Run the check; return its result and its metrics."""

    def looking() -> tuple[dict[str, Any], Counted]:
        capsys.readouterr()
        watching = watch(stack)
        found = watching.run(stack.now_s)
        watching.observer.flush()
        return dict(found), counted(capsys.readouterr().out)

    return looking


@pytest.mark.slow
def test_the_first_baseline_waits_for_enough_samples(stack: MonitorEnvironment, look: Look) -> None:
    stack.sampled(USUAL[:-1])
    assert look()[0] == {"samples": ENOUGH - 1, "wanted": ENOUGH}
    assert stack.env.vault("media").head(BASELINE) is None
    stack.sampled(USUAL)
    assert look()[0] == {"samples": ENOUGH, "wanted": ENOUGH}
    [entry] = stack.written
    assert (entry["kind"], entry["subject"], entry["facts"]["n"]) == ("decision", "baseline", ENOUGH)
    assert look()[0]["samples"] == ENOUGH
    assert len(stack.written) == 1


@pytest.mark.slow
def test_old_samples_make_a_baseline_and_are_not_compared_with_it(stack: MonitorEnvironment, look: Look) -> None:
    stack.sampled(USUAL, at_s=stack.now_s - RECENT_S - 60)
    look()
    found, figures = look()
    assert (found["samples"], found["drift"], of(figures, "DriftPsi")) == (0, {}, {})


def test_the_age_of_the_check_grows_while_it_fails(
    stack: MonitorEnvironment, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is published before anything else, by the clock and the time that the last complete run stored."""
    media, check = stack.env.vault("media"), watch(stack)

    def age_s(hours: float) -> float:
        capsys.readouterr()
        with suppress(ValueError):
            check.run(stack.now_s + hours * 3600)
        return of(counted(capsys.readouterr().out), "DriftAge")[""]

    assert (age_s(0), age_s(0.5)) == (0, 1800)
    put(media, BASELINE, b"{}")
    assert [age_s(hours) for hours in (1, 5)] == [3600, 5 * 3600]
    media.delete(BASELINE)
    assert [age_s(hours) for hours in (6, 6.5)] == [6 * 3600, 1800], "a complete run has ended the fault"
    put(media, LAST_RUN, b"[]")
    assert [age_s(hours) for hours in (7, 8)] == [0, 3600], "without a valid time it counts from now"


@pytest.mark.slow
def test_unchanged_images_are_no_drift(stack: MonitorEnvironment, look: Look) -> None:
    stack.sampled(USUAL)
    look()
    stack.sampled(samples(2, 1000))
    found, figures = look()
    assert "manifest" not in found
    psi = of(figures, "DriftPsi")
    assert psi[""] == max(value for feature, value in psi.items() if feature)
    assert psi[""] <= MAX_PSI
    assert of(figures, "DriftKs").keys() == psi.keys() - {"", FORMAT}
    assert stack.env.published() == []


@pytest.mark.slow
def test_dark_images_are_drift_that_is_published_once_a_day(stack: MonitorEnvironment, look: Look) -> None:
    stack.sampled(USUAL)
    look()
    stack.sampled(samples(3, ENOUGH, dark))
    found, figures = look()
    day = datetime.fromtimestamp(stack.now_s, UTC).date().isoformat()
    assert found["manifest"] == f"watch/manifests/{day}/"
    assert of(figures, "DriftPsi")[""] == of(figures, "DriftPsi")[BRIGHTNESS] > MAX_PSI
    [(detail_type, detail)] = stack.env.published()
    assert (detail_type, complaints(detail_type, detail)) == ("DriftFound", [])
    assert detail["features"][BRIGHTNESS]["psi"] > MAX_PSI >= detail["features"][FORMAT]["psi"]
    look()
    assert stack.env.published() == []
    stack.now_s += RECENT_S
    stack.sampled(samples(4, ENOUGH, dark))
    look()
    [(_, other)] = stack.env.published()
    assert other["id"] != detail["id"]


@pytest.mark.slow
def test_a_run_that_dies_before_publishing_is_repeated(stack: MonitorEnvironment, look: Look) -> None:
    stack.sampled(USUAL)
    look()
    stack.sampled(samples(3, ENOUGH, dark))
    with faulty.answering(faulty.HANG_UP) as server, pytest.raises(Unavailable):
        nowhere = EventBus(create_client("events", server.environment, attempts=1), "default", "darkroom")
        replace(watch(stack), bus=nowhere).run(stack.now_s)
    look()
    assert [detail_type for detail_type, _ in stack.env.published()] == ["DriftFound"]


@pytest.mark.slow
def test_an_operator_makes_a_new_baseline_of_current_samples(stack: MonitorEnvironment, look: Look) -> None:
    stack.sampled(USUAL)
    look()
    stack.sampled(samples(3, ENOUGH, dark))
    stack.now_s += 1  # entries of one moment are in no order
    watch(stack).baselines.run(stack.now_s)
    assert look()[0]["drift"][BRIGHTNESS]["psi"] == 0
    assert [entry["facts"]["why"] for entry in stack.written] == ["request", "the first"]


@pytest.mark.slow
def test_too_few_samples_make_no_baseline_even_on_request(stack: MonitorEnvironment) -> None:
    stack.sampled(USUAL[: MIN_SAMPLES - 1])
    assert watch(stack).baselines.run(stack.now_s) == {"samples": MIN_SAMPLES - 1, "wanted": MIN_SAMPLES}
    assert watch(stack).baselines.read() is None


def test_what_is_no_baseline_is_not_taken_for_one(stack: MonitorEnvironment, look: Look) -> None:
    put(stack.env.vault("media"), BASELINE, b'{"schema": 0}')
    with pytest.raises(ValueError, match="schema"):
        look()


FOUND = {
    FACES: Finding(FACES, "centerface", "1", faces=(Face(Region(0.25, 0.5, 0.5, 0.25), 0.9),)),
    OBJECTS: Finding(
        *(OBJECTS, "yolo", "2"),
        objects=(DetectedObject("dog", Region(0.5, 0.0, 0.25, 0.5), 0.7),),
        classes=("car", "dog"),
    ),
    TEXT: Finding(TEXT, "ocr", "6", lines=(TextLine(((0, 0), (1, 0), (1, 1), (0, 1)), "no entry", 0.8),)),
    MODERATION: Finding(MODERATION, "nsfw", "1", labels=(Label("safe", 0.1), Label("unsafe", 0.9)), flagged=True),
    TAGS: Finding(TAGS, "own", "3", labels=(Label("cat", 0.7), Label("sofa", 0.6))),
}


def lines(stack: MonitorEnvironment, keys: list[str]) -> dict[str, dict[str, dict[str, Any]]]:
    """The manifests' lines about ``keys``, by side and source."""
    day = datetime.fromtimestamp(stack.now_s, UTC).date()
    manifests = watch(stack).manifests
    counts = manifests.write(day, [sample_of(key) for key in keys], stack.now_s)
    found = {}
    for name in ("train", "test"):
        text = stack.env.body("media", f"{manifests.folder(day)}{name}.manifest").decode()
        parsed = [json.loads(line) for line in text.splitlines()]
        assert counts[name] == len(parsed)
        found[name] = {line["source-ref"]: line for line in parsed}
    return found


def sample_of(key: str) -> Sample:
    return replace(USUAL[0], key=key)


def looked_at(stack: MonitorEnvironment, key: str, found: dict[str, Finding]) -> None:
    archive: FindingsStore = stack.env.archive
    etag = stack.env.record(key).master.bare_etag
    archive.write_record(key, FindingsRecord(Findings("1", etag, found), image_id="i"))


def test_a_line_has_every_label_as_ground_truth_writes_it(stack: MonitorEnvironment) -> None:
    stack.env.created("a.jpg", jpeg_photo(size=(400, 200)))
    looked_at(stack, "a.jpg", FOUND)
    both = lines(stack, ["a.jpg", "a.jpg", "unknown.jpg"])
    [line] = [*both["train"].values(), *both["test"].values()]
    created = datetime.fromtimestamp(stack.now_s, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    by_a_model = {"human-annotated": "no", "creation-date": created}
    assert line == {
        "source-ref": f"s3://{stack.env.names['media']}/masters/a.jpg",
        "faces": {
            "image_size": [{"width": 400, "height": 200, "depth": 3}],
            "annotations": [{"class_id": 0, "left": 100, "top": 100, "width": 200, "height": 50}],
        },
        "faces-metadata": {
            "objects": [{"confidence": 0.9}],
            "class-map": {"0": "face"},
            "type": "groundtruth/object-detection",
            "job-name": "darkroom/centerface-1",
            **by_a_model,
        },
        "objects": {
            "image_size": [{"width": 400, "height": 200, "depth": 3}],
            "annotations": [{"class_id": 1, "left": 200, "top": 0, "width": 100, "height": 100}],
        },
        "objects-metadata": {
            "objects": [{"confidence": 0.7}],
            "class-map": {"0": "car", "1": "dog"},
            "type": "groundtruth/object-detection",
            "job-name": "darkroom/yolo-2",
            **by_a_model,
        },
        "text": "no entry",
        "text-metadata": {
            "confidence": 0.8,
            "type": "groundtruth/custom",
            "job-name": "darkroom/ocr-6",
            **by_a_model,
        },
        "moderation": 1,
        "moderation-metadata": {
            "class-name": "unsafe",
            "confidence": 0.9,
            "type": "groundtruth/image-classification",
            "job-name": "darkroom/nsfw-1",
            **by_a_model,
        },
        "tags": [0, 1],
        "tags-metadata": {
            "class-map": {"0": "cat", "1": "sofa"},
            "confidence-map": {"0": 0.7, "1": 0.6},
            "type": "groundtruth/image-classification-multilabel",
            "job-name": "darkroom/own-3",
            **by_a_model,
        },
    }


@pytest.mark.slow
def test_what_a_model_could_not_read_has_no_label(stack: MonitorEnvironment) -> None:
    stack.env.created("a.jpg", jpeg_photo())
    looked_at(stack, "a.jpg", {FACES: Finding(FACES, "m", "1", error="unreadable")})
    assert lines(stack, ["a.jpg"]) == {"train": {}, "test": {}}


@pytest.mark.slow
def test_decisions_of_moderators_are_labels_and_held_images_keep_their_location(stack: MonitorEnvironment) -> None:
    env = stack.env
    env.blocks = True
    for key, body in (("let.jpg", jpeg_photo()), ("kept.jpg", png_noise(50, 40))):
        env.created(key, body)
        env.judge(key, flagged=True, body=body)
    env.released("let.jpg")
    env.confirmed("kept.jpg")
    for key in ("let.jpg", "kept.jpg"):
        record, entry = env.record(key), env.archive.read_record(key)
        etag = (record.master or record.held.master).bare_etag
        env.archive.write_record(key, FindingsRecord(Findings("1", etag, FOUND), version=entry.version))
    both = lines(stack, ["let.jpg", "kept.jpg"])
    by_source = {**both["train"], **both["test"]}
    bucket = env.names["media"]
    let, kept = by_source[f"s3://{bucket}/masters/let.jpg"], by_source[f"s3://{bucket}/held/kept.jpg"]
    assert [(one["moderation"], one["moderation-metadata"]["class-name"]) for one in (let, kept)] == [
        (0, "safe"),
        (1, "unsafe"),
    ]
    assert {one["moderation-metadata"]["human-annotated"] for one in (let, kept)} == {"yes"}


@pytest.mark.slow
def test_the_same_bytes_are_on_one_side_whatever_they_are_called(stack: MonitorEnvironment) -> None:
    for name in "abcd":
        stack.env.created(f"{name}.jpg", jpeg_photo())
        looked_at(stack, f"{name}.jpg", FOUND)
    both = lines(stack, [f"{name}.jpg" for name in "abcd"])
    assert sorted(map(len, both.values())) == [0, 4]


@pytest.mark.slow
def test_about_a_fifth_of_all_images_is_stably_held_out(stack: MonitorEnvironment) -> None:
    stack.env.created("a.jpg", jpeg_photo())
    record = stack.env.record("a.jpg")
    sides = [split_of(replace(record, sha256=f"{number:064x}")) for number in range(2000)]
    assert 340 < sides.count("test") < 470
    assert sides[:50] == [split_of(replace(record, sha256=f"{number:064x}", key="other")) for number in range(50)]
