"""The lists in docs/guides/image-analysis.md match the code."""

from __future__ import annotations

import pytest

from darkroom.findings import CLIENT, FACES, Face, Finding, Findings, Region
from darkroom_analysis.inference.analysis import AnalysisOutcome
from darkroom_analysis.inference.breaker import CircuitSettings
from darkroom_pipeline.services.analysis_requests import AnalysisRequest, RequestKind
from local.paths import ROOT
from tests.component.aws import sagemaker
from tests.component.services.test_ingest_page import listed, named, rows
from tests.images.photographs import jpeg_photo

from .harness import ALL, InferEnvironment

PAGE = (ROOT / "docs" / "guides" / "image-analysis.md").read_text(encoding="utf-8")


def test_the_steps_are_those_of_the_page(env: InferEnvironment) -> None:
    env.runtime.behave = sagemaker.dead
    env.ready("a.jpg", jpeg_photo())
    steps = rows(PAGE, "Processing steps")
    assert list(env.observer.timings_ms) == steps
    env.observer.begin()
    env.removed("a.jpg")
    assert list(env.observer.timings_ms) == ["remove"]


def test_the_metrics_are_those_of_the_page(env: InferEnvironment, capsys: pytest.CaptureFixture[str]) -> None:
    sequencer = env.master("a.jpg", jpeg_photo())
    theirs = Finding(FACES, "client", "1", CLIENT, faces=(Face(Region(0, 0, 0.1, 0.1), 1.0),))
    env.known("a.jpg", Findings("1", env.etag("a.jpg"), {FACES: theirs}, ALL[1:]))
    env.infer.handle(AnalysisRequest(RequestKind.READY, "a.jpg", sequencer))
    env.runtime.behave = sagemaker.dead
    env.ready("b.jpg", jpeg_photo((90, 60)))
    env.observer.flush()
    found = {
        name: dimensions for name, dimensions in named(capsys.readouterr().out).items() if not name.endswith("Time")
    }
    assert found == {
        "Handled": {"outcome"},
        "UploadToAnalysed": set(),
        "Fallback": set(),
        "ClientDisagreement": {"task"},
        "ImagesAnalysed": {"variant"},
        "Timed": set(),
    }
    assert found.keys() <= listed(PAGE)


def test_the_numbers_are_those_of_the_page() -> None:
    assert all(f"`{outcome}`" in PAGE for outcome in AnalysisOutcome)
    assert (CircuitSettings().max_failures, CircuitSettings().open_s, CircuitSettings().max_open_s) == (5, 30, 300)
