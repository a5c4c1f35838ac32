"""Ingest and infer together: an upload waits for its verdict, which is then applied."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from typing import Any

import pytest
from PIL import Image, ImageDraw

from darkroom.findings import ENDPOINT, GRID, MODERATION
from darkroom.image_keys import HELD_MASTERS, MASTERS
from darkroom_analysis.inference.analysis import AnalysisOutcome
from darkroom_analysis.models.in_process import InProcessDetector
from darkroom_pipeline.aws.record import HELD, READY
from darkroom_pipeline.services.analysis_requests import parse_request
from darkroom_pipeline.services.ingest.events import read_event
from tests.announcements import complaints
from tests.component.aws import sagemaker
from tests.component.aws.sagemaker import Runtime
from tests.component.services import ingest_environment
from tests.images.detectors import models_folder
from tests.images.hidden import flagged_drawing, in_frame
from tests.images.photographs import jpeg_photo, photograph

from .harness import ALL, InferEnvironment

KEY = "people/a.jpg"


class Pipeline:
    """Both, in one place."""

    def __init__(self, aws: Callable[[str], Any], runtime: Runtime) -> None:
        self.taken = ingest_environment.IngestEnvironment.build(aws)
        self.taken.blocks = True
        self.looked = InferEnvironment.build(aws, runtime)
        shared = {name: self.taken.names[name] for name in ("media", "index", "bus", "changes", "published")}
        self.looked.names = {**self.looked.names, **shared}
        self.looked.block = True

    def look(self) -> list[AnalysisOutcome]:
        """Run the infer function on the events that ingest published."""
        requests = [parse_request(json.dumps(event)) for event in self.taken.messages("published")]
        return [self.looked.infer.handle(request) for request in requests if request is not None]

    def hear(self) -> list[str]:
        """Run ingest on the messages of infer."""
        changes = [read_event(json.dumps(message)) for message in self.taken.messages("changes")]
        return [self.taken.handle(change) for change in changes if change is not None]

    @property
    def state(self) -> str:
        return self.taken.record(KEY).state

    @property
    def lies(self) -> list[str]:
        """Where the masters of the key are."""
        return [name for name in self.looked.keys("") if name in (HELD_MASTERS.name(KEY), MASTERS.name(KEY))]


@pytest.fixture
def pipeline(aws: Callable[[str], Any], runtime: Runtime) -> Pipeline:
    return Pipeline(aws, runtime)


def grey_photo() -> bytes:
    file = io.BytesIO()
    photograph().convert("L").save(file, "JPEG", quality=90)
    return file.getvalue()


@pytest.mark.parametrize("body", [jpeg_photo(), grey_photo()], ids=["colour", "grey"])
def test_an_unflagged_image_is_served_after_analysis(pipeline: Pipeline, body: bytes) -> None:
    pipeline.taken.created(KEY, body)
    assert (pipeline.state, pipeline.lies) == (HELD, [HELD_MASTERS.name(KEY)])
    assert pipeline.look() == [AnalysisOutcome.ANALYSED]
    pipeline.hear()
    assert (pipeline.state, pipeline.lies) == (READY, [MASTERS.name(KEY)])
    assert pipeline.looked.findings(KEY).source_etag == pipeline.looked.etag(KEY)
    assert set(pipeline.look()) == {AnalysisOutcome.DROPPED}, "its release is published, and nothing is left to analyse"
    assert len(pipeline.looked.runtime.calls) == 1


def test_what_is_not_stays_where_it_is(pipeline: Pipeline) -> None:
    pipeline.looked.runtime.behave = sagemaker.flagging
    pipeline.taken.created(KEY, jpeg_photo())
    pipeline.look()
    pipeline.hear()
    assert (pipeline.state, pipeline.lies) == (HELD, [HELD_MASTERS.name(KEY)])
    assert pipeline.taken.record(KEY).held.flagged is True
    assert pipeline.look() == []
    assert pipeline.hear() == []


@pytest.mark.slow
def test_small_models_let_it_pass_and_the_endpoint_takes_it_back(pipeline: Pipeline) -> None:
    pipeline.looked.runtime.behave = sagemaker.dead
    pipeline.taken.created(KEY, jpeg_photo())
    assert pipeline.look() == [AnalysisOutcome.FALLBACK]
    pipeline.hear()
    assert (pipeline.state, pipeline.lies) == (READY, [MASTERS.name(KEY)])
    pipeline.looked.runtime.behave, pipeline.looked.now_s = sagemaker.flagging, pipeline.looked.now_s + 1000
    request = parse_request(pipeline.looked.sent[0])
    assert request is not None
    assert pipeline.looked.infer.handle(request) is AnalysisOutcome.ANALYSED
    pipeline.hear()
    assert (pipeline.state, pipeline.lies) == (HELD, [HELD_MASTERS.name(KEY)])
    pipeline.look()
    assert pipeline.hear() == []
    assert {finding.origin for finding in pipeline.looked.findings(KEY).found.values()} == {ENDPOINT}


@pytest.mark.slow
def test_an_unreadable_image_waits_for_a_moderator(pipeline: Pipeline) -> None:
    pipeline.looked.runtime.behave = sagemaker.unreadable
    pipeline.taken.created(KEY, jpeg_photo())
    pipeline.look()
    pipeline.hear()
    assert (pipeline.state, pipeline.lies) == (HELD, [HELD_MASTERS.name(KEY)])
    assert [record.key for record in pipeline.looked.index.list_flagged()] == [KEY]
    pipeline.taken.released(KEY)
    assert (pipeline.state, pipeline.lies) == (READY, [MASTERS.name(KEY)])


@pytest.mark.slow
def test_what_is_deleted_while_it_waits_leaves_nothing(pipeline: Pipeline) -> None:
    pipeline.taken.created(KEY, jpeg_photo())
    pipeline.look()
    pipeline.taken.deleted(KEY)
    assert pipeline.look()[-1] is AnalysisOutcome.REMOVED
    pipeline.hear()
    assert (pipeline.looked.keys("findings/"), pipeline.lies) == ([], [])
    assert pipeline.looked.vectors.get(KEY) is None


def png(image: Image.Image) -> bytes:
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


def held_event(pipeline: Pipeline) -> dict[str, Any]:
    """Return the detail of the one event that an image is held, of those since the last call."""
    [detail] = [detail for detail_type, detail in pipeline.taken.published() if detail_type == "ImageHeld"]
    assert detail["flagged"]
    assert complaints("ImageHeld", detail) == []
    return detail


def hold(pipeline: Pipeline, body: bytes) -> dict[str, Any]:
    """Have the real small models flag an upload; return the detail of the event that it is held."""
    pipeline.looked.mode, pipeline.looked.finder = "lambda", InProcessDetector(models_folder(), ALL)
    pipeline.taken.created(KEY, body)
    pipeline.look()
    pipeline.hear()
    assert pipeline.taken.record(KEY).held.flagged
    return held_event(pipeline)


@pytest.mark.slow
def test_a_flagged_image_is_held_with_its_explanation(pipeline: Pipeline) -> None:
    image = flagged_drawing()
    explanation = hold(pipeline, png(image))["explanation"]
    assert explanation["view"] == 0
    assert len(json.dumps(explanation)) <= 600
    found = pipeline.looked.findings(KEY) if pipeline.looked.keys("findings/") else pipeline.looked.noted(KEY).findings
    assert found is not None
    stored = found.found[MODERATION].explanation
    assert stored is not None
    assert list(stored.scores) == explanation["scores"]
    draw = ImageDraw.Draw(image)
    for row, column in (divmod(cell, GRID) for cell in explanation["cells"]):
        side = image.width / GRID
        draw.rectangle((column * side, row * side, (column + 1) * side, (row + 1) * side), fill="grey")
    pipeline.taken.created(KEY, png(image))
    pipeline.look()
    pipeline.hear()
    assert pipeline.state == READY, "with these cells covered, it passes"


@pytest.mark.slow
def test_the_explanation_names_the_frame(pipeline: Pipeline) -> None:
    body = in_frame(flagged_drawing(), "GIF", 2, 4, duration=80)
    detail = hold(pipeline, body)
    assert detail["explanation"]["view"] > 0
    assert 9 in detail["explanation"]["cells"]


@pytest.mark.slow
def test_the_endpoint_explains_what_it_flags(pipeline: Pipeline) -> None:
    pipeline.looked.runtime.behave = sagemaker.explaining
    pipeline.taken.created(KEY, jpeg_photo())
    pipeline.look()
    pipeline.hear()
    assert [call.explains for call in pipeline.looked.runtime.calls] == [False, True]
    assert pipeline.looked.runtime.calls[1].tasks == (MODERATION,)
    assert pipeline.looked.runtime.calls[1].target == "", "there is no other variant than the one that flagged it"
    assert held_event(pipeline)["explanation"]["cells"] == [1]


def test_an_endpoint_without_explanations_is_none_the_worse(pipeline: Pipeline) -> None:
    pipeline.looked.runtime.behave = sagemaker.flagging
    pipeline.taken.created(KEY, jpeg_photo())
    pipeline.look()
    pipeline.hear()
    assert pipeline.taken.record(KEY).held.flagged
    assert "explanation" not in held_event(pipeline)


@pytest.mark.slow
def test_an_explanation_goes_with_the_findings(pipeline: Pipeline) -> None:
    hold(pipeline, png(flagged_drawing()))
    pipeline.taken.deleted(KEY)
    pipeline.look()
    assert pipeline.looked.noted(KEY).findings is None
    assert pipeline.looked.keys("findings/") == []
    scanned = pipeline.looked.clients["dynamodb"].scan(TableName=pipeline.looked.names["index"])["Items"]
    assert [one["pk"]["S"] for one in scanned if "explanation" in one] == []
