"""The golden set: each variant with traffic is evaluated against its labels."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import pytest

from darkroom.findings import FACES, MODERATION, TAGS, TEXT, Face, Finding, Label, Region
from darkroom_analysis.mlops.endpoint_variants import EndpointVariants
from darkroom_analysis.mlops.golden_set import Confusion, parse_history
from darkroom_analysis.mlops.quality_check import HISTORY, MANIFEST, MAX_FAILURES_IN_A_ROW, QualityCheck
from darkroom_pipeline.aws.s3 import S3Bucket
from darkroom_pipeline.aws.sagemaker import Endpoint
from tests.component.aws.endpoints import Models, running
from tests.component.aws.stored import put
from tests.component.services.emf_metrics import counted, of

from .environment import MonitorEnvironment

HOUR_S = 3600
HALF = Region(0.25, 0.25, 0.5, 0.5)
IMAGES = {b"a face": ([HALF], False), b"unsafe": ([], True), b"neither": ([], False), b"also unsafe": ([], True)}


def tags(*names: str) -> Finding:
    return Finding(TAGS, "m", "1", labels=tuple(Label(name, 0.9) for name in names))


def good(task: str, jpeg: bytes) -> Finding:
    if task == TAGS:
        return tags("cat", "sofa") if jpeg == b"a face" else tags()
    faces, unsafe = IMAGES[jpeg]
    if task == FACES:
        return Finding(FACES, "m", "1", faces=tuple(Face(region, 0.9) for region in faces))
    return Finding(MODERATION, "m", "1", labels=(Label("unsafe", 0.9),) if unsafe else (), flagged=unsafe)


def bad(task: str, jpeg: bytes) -> Finding:
    """Finds a face and a dog in every image, and flags every image but one unsafe one."""
    if task == TAGS:
        return tags("dog")
    if task == FACES:
        return Finding(FACES, "m", "2", faces=(Face(HALF, 0.9),))
    return Finding(MODERATION, "m", "2", flagged=jpeg != b"also unsafe")


@pytest.fixture
def models(tmp_path: Path, stack: MonitorEnvironment) -> Iterator[Models]:
    with running(tmp_path, f"endpoint-{stack.number}", main=good, canary=bad) as models:
        models.variants(main=1.0, canary=0.11)
        yield models


@pytest.fixture
def watch(stack: MonitorEnvironment, models: Models) -> QualityCheck:
    endpoint = Endpoint(models.client("sagemaker-runtime"), models.endpoint)
    variants = EndpointVariants(models.client("sagemaker"), models.endpoint)
    return QualityCheck(stack.env.vault("media"), endpoint, variants, (FACES, MODERATION, "similarity"), stack.observer)


def provide(stack: MonitorEnvironment) -> None:
    """The golden set, as its manifest is written."""
    lines = []
    for number, (jpeg, (faces, unsafe)) in enumerate(IMAGES.items()):
        put(stack.env.vault("media"), f"golden/{number}.jpg", jpeg)
        labels = {"faces": faces, "unsafe": unsafe, "tags": ["cat", "animal", "sofa?"] if number == 0 else []}
        lines.append(json.dumps({"picture": f"golden/{number}.jpg", **labels}))
    put(stack.env.vault("media"), MANIFEST, "\n".join(lines).encode())


@pytest.fixture
def look(
    stack: MonitorEnvironment, watch: QualityCheck, capsys: pytest.CaptureFixture[str]
) -> Callable[[], dict[Any, float]]:
    """Return percentages by variant, task and metric."""

    def looking() -> dict[Any, float]:
        return {key: value for key, value in published(watch, stack.now_s, capsys).items() if key[0]}

    return looking


def published(watch: QualityCheck, now_s: float, capsys: pytest.CaptureFixture[str]) -> dict[Any, float]:
    """Values by variant, task and metric; of the metrics without these dimensions the first two are empty."""
    watch.run(now_s)
    watch.observer.flush()
    figures = counted(capsys.readouterr().out)
    return {
        (named.get("variant", ""), named.get("task", ""), metric): value
        for (metric, dimensions), value in figures.items()
        if (named := dict(dimensions)) is not None
    }


def test_each_variant_is_published_by_task(stack: MonitorEnvironment, look: Callable[[], dict[Any, float]]) -> None:
    provide(stack)
    values = look()
    assert {
        task: value for (variant, task, metric), value in values.items() if (variant, metric) == ("main", "Recall")
    } == {
        FACES: 100,
        MODERATION: 100,
    }
    assert {name: values["canary", MODERATION, name] for name in ("Precision", "Recall", "FalsePositiveRate")} == {
        "Precision": pytest.approx(100 / 3),
        "Recall": 50,
        "FalsePositiveRate": 100,
    }
    assert (values["canary", FACES, "Precision"], values["canary", FACES, "FalsePositiveRate"]) == (25, 100)
    assert values["main", MODERATION, "FalsePositiveRate"] == 0


def test_tags_have_precision_and_recall(
    stack: MonitorEnvironment, watch: QualityCheck, capsys: pytest.CaptureFixture[str]
) -> None:
    """Their recall is not among the worst of all, which has an alarm: thresholds of tags cost recall."""
    provide(stack)
    values = published(replace(watch, tasks=(TAGS,)), stack.now_s, capsys)
    assert (values["main", TAGS, "Precision"], values["main", TAGS, "Recall"]) == (100, 50)
    assert (values["canary", TAGS, "Precision"], values["canary", TAGS, "Recall"]) == (0, 0)
    assert values["canary", TAGS, "FalsePositiveRate"] == 100
    assert (values["", "", "Precision"], values["", "", "FalsePositiveRate"]) == (0, 100)
    assert ("", "", "Recall") not in values
    history = parse_history((stack.env.vault("media").read(HISTORY) or b"").decode())
    assert history["canary"].scores[TAGS] == Confusion(0, 4, 2, negatives=3, false_alarms=3)
    assert history["main"].classes == {TAGS: {"animal": Confusion(0, 0, 1), "cat": Confusion(1)}}


def test_tasks_without_labels_are_said_to_be_not_measured(stack: MonitorEnvironment, watch: QualityCheck) -> None:
    assert watch.run(stack.now_s)["not_measured"] == [FACES, MODERATION], "there is no golden set"
    provide(stack)
    with_text = replace(watch, tasks=(FACES, MODERATION, TEXT, TAGS, "similarity"))
    assert with_text.run(stack.now_s)["not_measured"] == [TEXT]


def test_a_variant_without_calls_is_not_asked(
    stack: MonitorEnvironment, models: Models, look: Callable[[], dict[Any, float]]
) -> None:
    provide(stack)
    models.variants(main=1.0, canary=0.0)
    assert {variant for variant, _, _ in look()} == {"main"}
    assert models.containers["canary"].calls == 0


def test_an_only_variant_is_not_named(stack: MonitorEnvironment, models: Models, watch: QualityCheck) -> None:
    """A target is for endpoints of two or more variants: one that is serverless has no others."""
    asked: list[str] = []

    @dataclass
    class Listening:
        endpoint: Endpoint

        def invoke(self, *arguments: Any, variant: str) -> Any:
            asked.append(variant)
            return self.endpoint.invoke(*arguments, variant=variant)

    provide(stack)
    replace(watch, endpoint=cast("Endpoint", Listening(watch.endpoint))).run(stack.now_s)
    assert set(asked) == {"main", "canary"}
    asked.clear()
    models.runtime.endpoints.put(models.endpoint, [models.runtime.endpoints.variants(models.endpoint)[0]])
    replace(watch, endpoint=cast("Endpoint", Listening(watch.endpoint))).run(stack.now_s)
    assert asked == [""] * len(IMAGES)


def test_without_a_golden_set_no_model_is_called(
    watch: QualityCheck, models: Models, look: Callable[[], dict[Any, float]]
) -> None:
    assert look() == {}
    assert models.containers["main"].calls == 0


def test_the_worst_of_all_is_published_for_alarms(
    stack: MonitorEnvironment, watch: QualityCheck, capsys: pytest.CaptureFixture[str]
) -> None:
    provide(stack)
    values = published(watch, stack.now_s, capsys)
    assert {metric: values["", "", metric] for metric in ("Precision", "Recall", "FalsePositiveRate")} == {
        "Precision": 25,
        "Recall": 50,
        "FalsePositiveRate": 100,
    }


@pytest.mark.slow
def test_a_variant_that_fails_has_no_metrics_and_the_others_have(
    stack: MonitorEnvironment, models: Models, watch: QualityCheck, capsys: pytest.CaptureFixture[str]
) -> None:
    provide(stack)
    models.containers["canary"].status = 500
    values = published(watch, stack.now_s, capsys)
    assert {variant for variant, _, _ in values} == {"", "main"}
    assert values["", "", "Precision"] == 100, "of what was judged"
    models.containers["main"].status = 500
    assert published(watch, stack.now_s, capsys).keys() == {("", "", "QualityAge")}, "nothing is not 100 %"


def test_an_image_without_a_response_is_requested_again(
    stack: MonitorEnvironment, models: Models, look: Callable[[], dict[Any, float]]
) -> None:
    provide(stack)
    models.variants(main=1.0, canary=0.0)
    models.containers["main"].fails = 1
    assert look()["main", FACES, "Recall"] == 100
    assert models.containers["main"].calls == len(IMAGES) + 1


@pytest.mark.slow
def test_an_image_that_is_missing_does_not_end_the_check_of_a_large_set(
    stack: MonitorEnvironment, look: Callable[[], dict[Any, float]], models: Models
) -> None:
    provide(stack)
    models.variants(main=1.0, canary=0.0)
    line = json.dumps({"picture": "golden/0.jpg", "faces": [HALF], "unsafe": False})
    hole = json.dumps({"picture": "golden/none.jpg", "faces": []})
    put(stack.env.vault("media"), MANIFEST, "\n".join([hole, *[line] * 19]).encode())
    assert look()["main", FACES, "Recall"] == 100
    put(stack.env.vault("media"), MANIFEST, "\n".join([hole, *[line] * 18]).encode())
    assert look() == {}


@pytest.mark.slow
def test_an_unresponsive_variant_leaves_time_to_others(
    stack: MonitorEnvironment, models: Models, watch: QualityCheck, capsys: pytest.CaptureFixture[str]
) -> None:
    provide(stack)
    line = json.dumps({"picture": "golden/0.jpg", "faces": [HALF], "unsafe": False})
    put(stack.env.vault("media"), MANIFEST, "\n".join([line] * 30).encode())
    models.containers["canary"].status = 500
    assert "main" in {variant for variant, _, _ in published(watch, stack.now_s, capsys)}
    assert models.containers["canary"].calls == MAX_FAILURES_IN_A_ROW


def test_each_variant_has_its_share_of_the_time(
    stack: MonitorEnvironment, watch: QualityCheck, capsys: pytest.CaptureFixture[str]
) -> None:
    """The canary is called first, and its images take as long as the run may."""
    provide(stack)
    ticks = iter([0.0, 0.0, *[301.0] * 7, *[302.0] * 100])
    late = replace(watch, monotonic=lambda: next(ticks))
    assert {variant for variant, _, _ in published(late, stack.now_s, capsys)} == {"", "main"}


def test_a_failed_check_is_due_within_the_hour_and_a_good_one_a_day_later(
    stack: MonitorEnvironment, models: Models, watch: QualityCheck, capsys: pytest.CaptureFixture[str]
) -> None:
    provide(stack)
    due = replace(watch, only_due=True)
    models.containers["canary"].status = 500
    assert {variant for variant, _, _ in published(due, stack.now_s, capsys)} == {"", "main"}
    models.containers["canary"].status = 200
    hour = published(due, stack.now_s + HOUR_S, capsys)
    assert {variant for variant, _, _ in hour} == {"", "canary"}
    assert hour["", "", "QualityAge"] == HOUR_S
    quiet = published(due, stack.now_s + 2 * HOUR_S, capsys)
    assert quiet == {("", "", "QualityAge"): 2 * HOUR_S}, "that of main"
    day = published(due, stack.now_s + 24 * HOUR_S, capsys)
    assert {variant for variant, _, _ in day} == {"", "main"}


def test_the_age_grows_while_checks_fail_and_while_runs_die(
    stack: MonitorEnvironment, models: Models, watch: QualityCheck, capsys: pytest.CaptureFixture[str]
) -> None:
    provide(stack)
    models.variants(main=1.0, canary=0.0)
    models.containers["main"].status = 500
    assert published(watch, stack.now_s, capsys) == {}, "never seen before"
    for hours in (1, 27):
        values = published(watch, stack.now_s + hours * HOUR_S, capsys)
        assert values == {("", "", "QualityAge"): hours * HOUR_S}
    dying = replace(watch, monotonic=lambda: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        dying.run(stack.now_s + 28 * HOUR_S)
    assert "QualityAge" in capsys.readouterr().out


@pytest.mark.parametrize("manifest", [None, b"{not a manifest"])
def test_the_age_grows_without_a_valid_golden_set(
    stack: MonitorEnvironment, watch: QualityCheck, capsys: pytest.CaptureFixture[str], manifest: bytes | None
) -> None:
    """A golden set that was deleted or damaged stops every evaluation: the age must show it."""
    provide(stack)
    published(watch, stack.now_s, capsys)
    media = stack.env.vault("media")
    if manifest is None:
        media.delete(MANIFEST)
    else:
        put(media, MANIFEST, manifest)
    with nullcontext() if manifest is None else pytest.raises(ValueError, match="line 1"):
        watch.run(stack.now_s + 28 * HOUR_S)
    watch.observer.flush()
    assert of(counted(capsys.readouterr().out), "QualityAge") == {"": 28 * HOUR_S}


def test_an_unreadable_history_makes_all_variants_due(
    stack: MonitorEnvironment, watch: QualityCheck, capsys: pytest.CaptureFixture[str]
) -> None:
    provide(stack)
    put(stack.env.vault("media"), HISTORY, b'{"main": 3}')
    values = published(replace(watch, only_due=True), stack.now_s, capsys)
    assert {"main", "canary"} <= {variant for variant, _, _ in values}


def test_checks_that_overlap_keep_the_evaluations_of_each_other(
    stack: MonitorEnvironment, models: Models, watch: QualityCheck, capsys: pytest.CaptureFixture[str]
) -> None:
    """A second check runs after the first one has read the history; the first one cannot reach the canary."""
    provide(stack)
    put(stack.env.vault("media"), HISTORY, b"{}")
    overlapping = iter([lambda: watch.run(stack.now_s + 60)])

    def run_the_other() -> float:
        for run in overlapping:
            run()
            models.containers["canary"].status = 500
        return 0.0

    replace(watch, monotonic=run_the_other).run(stack.now_s)
    history = parse_history((stack.env.vault("media").read(HISTORY) or b"").decode())
    assert {name: one.judged_s - stack.now_s for name, one in history.items()} == {"main": 60, "canary": 60}
    assert {name: one.seen_s - stack.now_s for name, one in history.items()} == {"main": 0, "canary": 0}
    models.variants(main=1.0, canary=0.0)
    watch.run(stack.now_s + 120)
    assert parse_history((stack.env.vault("media").read(HISTORY) or b"").decode()).keys() == {"main"}


def test_a_check_stores_again_what_another_one_prevented(stack: MonitorEnvironment, watch: QualityCheck) -> None:
    """Another check stores its history between this one's reading and writing."""
    provide(stack)
    media, written = watch.media, iter([b'{"shadow": {"seen_s": 1, "judged_s": 2}}'])

    class ContendedBucket(S3Bucket):
        def put(self, key: str, body: bytes, **options: Any) -> str:
            for other in written:
                put(media, HISTORY, other)
            return super().put(key, body, **options)

    contended = ContendedBucket.__new__(ContendedBucket)
    contended.__dict__.update(media.__dict__)
    replace(watch, media=contended).run(stack.now_s)
    history = parse_history((media.read(HISTORY) or b"").decode())
    assert history.keys() == {"main", "canary", "shadow"}
