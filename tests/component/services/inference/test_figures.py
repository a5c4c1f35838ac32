"""Metrics of analysed images for SLOs and dashboards."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from darkroom.findings import Finding
from darkroom.image_keys import MASTERS
from darkroom.slo import SLOW_MS
from darkroom_analysis.inference.merge import model_versions
from darkroom_pipeline.services.analysis_requests import AnalysisRequest, RequestKind
from tests.component.aws import sagemaker
from tests.component.services.emf_metrics import Counted, counted, of
from tests.images.photographs import jpeg_photo

from .harness import InferEnvironment

KEY = "trips/rome.jpg"

type FlushMetrics = Callable[[], Counted]


@pytest.fixture
def flush_metrics(env: InferEnvironment, capsys: pytest.CaptureFixture[str]) -> FlushMetrics:
    """Return the metrics since the last call."""

    def flush() -> Counted:
        env.observer.flush()
        return counted(capsys.readouterr().out)

    return flush


@pytest.mark.slow
def test_analysed_images_are_counted_by_origin(env: InferEnvironment, flush_metrics: FlushMetrics) -> None:
    env.runtime.drawn = "canary"
    env.ready(KEY, jpeg_photo())
    assert of(flush_metrics(), "ImagesAnalysed") == {"canary": 1}
    env.runtime.behave = sagemaker.dead
    env.ready("other.jpg", jpeg_photo())
    assert of(flush_metrics(), "ImagesAnalysed") == {"in-process": 1}


@pytest.mark.slow
@pytest.mark.parametrize(("over_ms", "slow"), [(-5_000, {}), (5_000, {"": 1})])
def test_an_analysis_is_slow_by_its_objective(
    env: InferEnvironment, flush_metrics: FlushMetrics, over_ms: int, slow: dict[str, float]
) -> None:
    sequencer = env.master(KEY, jpeg_photo())
    master = env.clients["s3"].head_object(Bucket=env.names["media"], Key=MASTERS.name(KEY))
    env.now_s = master["LastModified"].timestamp() + (SLOW_MS["infer"] + over_ms) / 1000
    env.infer.handle(AnalysisRequest(RequestKind.READY, KEY, sequencer))
    figures = flush_metrics()
    assert (of(figures, "Timed"), of(figures, "Slow")) == ({"": 1}, slow)


@pytest.mark.slow
def test_a_repeated_analysis_has_no_latency_objective(env: InferEnvironment, flush_metrics: FlushMetrics) -> None:
    env.ready(KEY, jpeg_photo())
    flush_metrics()
    env.infer.handle(AnalysisRequest(RequestKind.ANALYSE, KEY, again=True))
    figures = flush_metrics()
    assert of(figures, "ImagesAnalysed") == {"main": 1}
    assert (of(figures, "Timed"), of(figures, "UploadToAnalysed")) == ({}, {})


def test_models_are_named_once_and_in_order() -> None:
    found = {task: Finding(task, model, "2") for task, model in {"text": "b", "faces": "a", "tags": "b"}.items()}
    assert model_versions(found) == "a/2 b/2"
