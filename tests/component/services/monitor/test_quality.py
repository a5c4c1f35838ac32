"""The golden set: each variant that takes calls is asked about it, and judged by its labels."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from darkroom.aws.model import Endpoint
from darkroom.aws.variants import Variants
from darkroom.errors import ModelUnavailable, Unavailable
from darkroom.findings import FACES, MODERATION, Face, Finding, Label, Region
from darkroom.services.monitor.quality import MANIFEST, QualityWatch
from tests.component.aws.endpoints import Models, running
from tests.component.aws.stored import put
from tests.component.services.emf import counted

from .stage import Stage

HALF = Region(0.25, 0.25, 0.5, 0.5)
PICTURES = {b"a face": ([HALF], False), b"unsafe": ([], True), b"neither": ([], False), b"also unsafe": ([], True)}


def good(task: str, jpeg: bytes) -> Finding:
    faces, unsafe = PICTURES[jpeg]
    if task == FACES:
        return Finding(FACES, "m", "1", faces=tuple(Face(region, 0.9) for region in faces))
    return Finding(MODERATION, "m", "1", labels=(Label("unsafe", 0.9),) if unsafe else (), flagged=unsafe)


def bad(task: str, jpeg: bytes) -> Finding:
    """Sees a face in everything, and flags what is fit to be seen and one other."""
    if task == FACES:
        return Finding(FACES, "m", "2", faces=(Face(HALF, 0.9),))
    return Finding(MODERATION, "m", "2", flagged=jpeg != b"also unsafe")


@pytest.fixture
def models(tmp_path: Path, stage: Stage) -> Iterator[Models]:
    with running(tmp_path, f"endpoint-{stage.number}", main=good, canary=bad) as models:
        models.variants(main=1.0, canary=0.11)
        yield models


@pytest.fixture
def watch(stage: Stage, models: Models) -> QualityWatch:
    endpoint = Endpoint(models.client("sagemaker-runtime"), models.endpoint)
    variants = Variants(models.client("sagemaker"), models.endpoint)
    return QualityWatch(
        stage.world.vault("media"), endpoint, variants, (FACES, MODERATION, "similarity"), stage.observer
    )


def provide(stage: Stage) -> None:
    """The golden set, as its manifest is written."""
    lines = []
    for number, (jpeg, (faces, unsafe)) in enumerate(PICTURES.items()):
        put(stage.world.vault("media"), f"golden/{number}.jpg", jpeg)
        lines.append(json.dumps({"picture": f"golden/{number}.jpg", "faces": faces, "unsafe": unsafe}))
    put(stage.world.vault("media"), MANIFEST, "\n".join(lines).encode())


@pytest.fixture
def look(stage: Stage, watch: QualityWatch, capsys: pytest.CaptureFixture[str]) -> Callable[[], dict[Any, float]]:
    """What is told: percents by variant, task and metric."""

    def looking() -> dict[Any, float]:
        watch.look(stage.now_s)
        watch.observer.flush()
        figures = counted(capsys.readouterr().out)
        return {
            (named["variant"], named["task"], metric): value
            for (metric, dimensions), value in figures.items()
            if "variant" in (named := dict(dimensions))
        }

    return looking


def test_each_variant_is_told_by_task(stage: Stage, look: Callable[[], dict[Any, float]]) -> None:
    provide(stage)
    told = look()
    assert {
        task: value for (variant, task, metric), value in told.items() if (variant, metric) == ("main", "Recall")
    } == {
        FACES: 100,
        MODERATION: 100,
    }
    assert {name: told["canary", MODERATION, name] for name in ("Precision", "Recall", "FalsePositiveRate")} == {
        "Precision": pytest.approx(100 / 3),
        "Recall": 50,
        "FalsePositiveRate": 100,
    }
    assert (told["canary", FACES, "Precision"], told["canary", FACES, "FalsePositiveRate"]) == (25, 100)
    assert told["main", MODERATION, "FalsePositiveRate"] == 0


def test_a_variant_without_calls_is_not_asked(
    stage: Stage, models: Models, look: Callable[[], dict[Any, float]]
) -> None:
    provide(stage)
    models.variants(main=1.0, canary=0.0)
    assert {variant for variant, _, _ in look()} == {"main"}
    assert models.containers["canary"].asked == 0


def test_without_a_golden_set_nobody_is_asked(
    watch: QualityWatch, models: Models, look: Callable[[], dict[Any, float]]
) -> None:
    assert look() == {}
    assert models.containers["main"].asked == 0


def test_an_endpoint_that_fails_says_nothing_of_its_quality(stage: Stage, watch: QualityWatch, models: Models) -> None:
    provide(stage)
    models.containers["main"].status = 500
    with pytest.raises(ModelUnavailable):
        watch.look(stage.now_s)


def test_a_set_with_a_hole_or_too_long_for_a_run_is_a_fault(stage: Stage, watch: QualityWatch) -> None:
    provide(stage)
    ticks = iter([0.0, 1.0, 601.0])
    late = QualityWatch(**{**_fields(watch), "monotonic": lambda: next(ticks)})
    with pytest.raises(Unavailable) as caught:
        late.look(stage.now_s)
    assert "too long" in caught.value.detail
    stage.world.vault("media").delete("golden/2.jpg")
    with pytest.raises(Unavailable) as caught:
        watch.look(stage.now_s)
    assert "golden/2.jpg" in caught.value.detail


def _fields(watch: QualityWatch) -> dict[str, Any]:
    return {name: getattr(watch, name) for name in watch.__dataclass_fields__}
