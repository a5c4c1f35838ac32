"""Run the small models in process: faces and an embedding of a photograph."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from darkroom.findings import FACES, FALLBACK, MODERATION, SIMILARITY, TEXT
from darkroom_analysis.inference.analysis import AnalysisOutcome
from darkroom_analysis.models.in_process import InProcessDetector
from tests.component.aws import sagemaker
from tests.images.detectors import models_folder
from tests.images.photographs import jpeg_photo

from .harness import ALL, SMALL, InferEnvironment


@pytest.mark.slow
def test_a_photograph_is_analysed_while_the_endpoint_is_down(env: InferEnvironment) -> None:
    env.finder, env.runtime.behave = InProcessDetector(models_folder(), ALL), sagemaker.dead
    assert env.ready("astronaut.jpg", jpeg_photo((512, 512))) is AnalysisOutcome.FALLBACK
    findings = env.findings("astronaut.jpg")
    assert {task: finding.origin for task, finding in findings.found.items()} == dict.fromkeys(SMALL, FALLBACK)
    assert findings.pending == (TEXT,)
    [face] = findings.found[FACES].faces
    assert face.region.left < 0.45 < face.region.left + face.region.width
    assert face.region.top < 0.2 < face.region.top + face.region.height
    assert not findings.found[MODERATION].flagged
    stored = env.vectors.get("astronaut.jpg")
    assert stored is not None
    assert math.sumprod(stored.vector, stored.vector) == pytest.approx(1, abs=0.02)


@pytest.mark.slow
def test_no_more_results_are_requested_than_wanted() -> None:
    finder = InProcessDetector(models_folder(), (FACES, TEXT))
    assert finder.tasks == (FACES,)
    assert set(finder.detect(jpeg_photo((512, 512)), ALL)) == {FACES}


def test_what_they_can_do_is_known_before_they_are_loaded() -> None:
    assert InProcessDetector(Path("nowhere"), (TEXT, SIMILARITY, FACES)).tasks == (SIMILARITY, FACES)
