"""The server's parts without HTTP: request parsing, decoding, and a batch that fails."""

from __future__ import annotations

import io
import json
import math
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from multidict import CIMultiDict as Headers
from PIL import Image

from darkroom.errors import ModelUnavailable, UnknownTask
from darkroom.findings import FACES, MODERATION, SIMILARITY, Finding
from darkroom_analysis.models import catalogue
from darkroom_analysis.models.model_set import ModelSet
from darkroom_analysis.models.pixels import Pixels
from endpoint import decode
from endpoint.batch import BatchAnalyser
from endpoint.decode import decode_image
from endpoint.request import (
    AnalysisRequest,
    Origin,
    parse_origin,
    requested_tasks,
    requested_timeout_s,
    requests_explanation,
)
from tests.images.detectors import models_folder
from tests.images.hidden import flagged_drawing
from tests.images.photographs import jpeg_photo

KNOWN = ("faces", "text", "moderation")
CATALOGUE = catalogue.load_catalogue(catalogue.SMALL_MODELS)


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        ("", KNOWN),
        ("tasks=", KNOWN),
        ("trace=1-abc", KNOWN),
        ("tasks=text", ("text",)),
        ("tasks=text,faces", ("text", "faces")),
        (" tasks = text , faces,text,", ("text", "faces")),
        ("trace=1; tasks=moderation", ("moderation",)),
    ],
)
def test_tasks_are_read_from_the_attributes(attributes: str, expected: tuple[str, ...]) -> None:
    assert requested_tasks(attributes, KNOWN) == expected


@pytest.mark.parametrize("attributes", ["tasks=similarity", "tasks=faces,Faces", "tasks=*"])
def test_unknown_tasks_are_refused(attributes: str) -> None:
    with pytest.raises(UnknownTask):
        requested_tasks(attributes, KNOWN)


@pytest.mark.parametrize(
    ("kind", "mode"),
    [
        *(("JPEG", mode) for mode in ("RGB", "L", "CMYK")),
        *(("PNG", mode) for mode in ("RGB", "L", "P", "RGBA", "LA", "I;16")),
        *(("WEBP", mode) for mode in ("RGB", "RGBA")),
    ],
)
def test_every_kind_of_pixel_becomes_rgb(kind: str, mode: str) -> None:
    """204 is a colour that a palette has, too."""
    out = io.BytesIO()
    image = Image.new("RGB", (7, 5), (204, 204, 204))
    if mode == "I;16":
        image = Image.fromarray(np.full((5, 7), 204 * 257, np.uint16))
    (image if mode == "I;16" else image.convert(mode)).save(out, kind)
    found = decode_image(out.getvalue())
    assert found is not None
    assert (found.shape, found.dtype) == ((5, 7, 3), np.uint8)
    assert abs(found.astype(int) - 204).max() <= 6


def test_what_is_transparent_shows_white() -> None:
    out = io.BytesIO()
    Image.new("RGBA", (3, 3), (0, 0, 0, 0)).save(out, "PNG")
    image = decode_image(out.getvalue())
    assert image is not None
    assert (image == 255).all()


def test_too_many_pixels_are_not_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decode, "MAX_PIXELS", 900 * 600 - 1)
    assert decode_image(jpeg_photo()) is None
    monkeypatch.setattr(decode, "MAX_PIXELS", 900 * 600)
    assert decode_image(jpeg_photo()) is not None


def test_the_caller_is_read_from_the_headers() -> None:
    headers = Headers(
        {"x-amzn-sagemaker-inference-id": "a" * 65, "x-amzn-sagemaker-custom-attributes": "tasks=; trace=1-2"}
    )
    assert parse_origin(headers) == Origin("a" * 64, "1-2")
    assert parse_origin(Headers({})) == Origin("", "")


def test_time_is_measured_from_arrival() -> None:
    """A request received a minute ago has waited that long; the models' time is that of the whole batch."""
    finder = BatchAnalyser(CATALOGUE, ModelSet(CATALOGUE, models_folder(), [SIMILARITY]), ThreadPoolExecutor(2))
    now_s = time.monotonic()
    batch = [
        AnalysisRequest(jpeg_photo(), (SIMILARITY,), received_s=now_s - 60),
        AnalysisRequest(jpeg_photo(), (SIMILARITY,), received_s=now_s),
    ]
    early, late = (result.stages_ms for result in finder.analyse(batch))
    assert early["queue"] + early["decode"] - late["queue"] - late["decode"] == pytest.approx(60_000, abs=1)
    assert early["infer"] == late["infer"] > 0


@pytest.mark.parametrize(
    ("attributes", "expected_s"),
    [
        ("tasks=faces;timeout=20000", 20.0),
        (" timeout = 1 ", 0.001),
        ("timeout=0", 0.0),
        ("tasks=faces", math.inf),
        *((f"timeout={text}", math.inf) for text in ("", "-1", "1.5", "1e3", "٣", "9" * 10)),
    ],
)
def test_the_time_of_a_caller_is_read_from_the_attributes(attributes: str, expected_s: float) -> None:
    assert requested_timeout_s(attributes) == expected_s


class Clock:
    """The time, which passes while models run: ``image_s`` for each image."""

    def __init__(self) -> None:
        self.now_s, self.image_s, self.seen = 1000.0, 0.0, 0

    def __call__(self) -> float:
        return self.now_s


class TimedModels(ModelSet):
    """Models that take as long as the clock says."""

    clock: Clock

    def detect_batch(self, images: Sequence[Pixels], tasks: Sequence[Sequence[str]]) -> list[dict[str, Finding]]:
        self.clock.now_s += self.clock.image_s * len(images)
        self.clock.seen += len(images)
        return super().detect_batch(images, tasks)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def timed(clock: Clock) -> BatchAnalyser:
    models = TimedModels(CATALOGUE, models_folder(), [SIMILARITY])
    models.clock = clock
    return BatchAnalyser(CATALOGUE, models, ThreadPoolExecutor(2), clock)


def waiting(clock: Clock, *left_s: float) -> list[AnalysisRequest]:
    """Requests whose callers leave in so many seconds, all after 20 s in the queue or on their way."""
    return [
        AnalysisRequest(
            jpeg_photo(), (SIMILARITY,), Origin(f"{left}"), received_s=clock.now_s - 20, timeout_s=20 + left
        )
        for left in left_s
    ]


def test_requests_of_callers_that_have_left_are_not_analysed(
    clock: Clock, timed: BatchAnalyser, capsys: pytest.CaptureFixture[str]
) -> None:
    results = timed.analyse(waiting(clock, 5, -1, math.inf, 0))
    assert [one.status for one in results] == [200, 504, 200, 504]
    assert [one.code for one in results] == ["", "expired", "", "expired"]
    assert (clock.seen, [one.batch for one in results]) == (2, [2, 0, 2, 0])
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["inference_id"] for line in lines if line["message"] == "expired"] == ["-1", "0"]


def test_what_cannot_be_ready_in_time_is_not_begun(clock: Clock, timed: BatchAnalyser) -> None:
    """Else an overloaded server finishes each image just after its caller has left."""
    clock.image_s = 2.0
    assert [one.status for one in timed.analyse(waiting(clock, 30, 30))] == [200, 200]
    assert [one.status for one in timed.analyse(waiting(clock, 1, 3, 5, 7))] == [504, 504, 200, 200]
    assert clock.seen == 4


def test_a_server_that_was_slow_once_tries_again(clock: Clock, timed: BatchAnalyser) -> None:
    clock.image_s = 60.0
    timed.analyse(waiting(clock, math.inf))
    clock.image_s = 0.1
    statuses = [timed.analyse(waiting(clock, 10))[0].status for _ in range(20)]
    assert statuses[0] == 504
    assert statuses[-1] == 200
    assert statuses == sorted(statuses, reverse=True), "it recovers once"


class FailingModels(ModelSet):
    """Models that fail for every batch with a grey image, as for one that needs too much memory."""

    def detect_batch(self, images: Sequence[Pixels], tasks: Sequence[Sequence[str]]) -> list[dict[str, Finding]]:
        if any(np.ptp(image) == 0 for image in images):
            raise ModelUnavailable(detail="/opt/secret is out of memory")
        return super().detect_batch(images, tasks)


def test_an_image_that_models_fail_on_affects_no_other(capsys: pytest.CaptureFixture[str]) -> None:
    out = io.BytesIO()
    Image.new("RGB", (8, 8), "grey").save(out, "PNG")
    models = FailingModels(CATALOGUE, models_folder(), [SIMILARITY])
    finder = BatchAnalyser(CATALOGUE, models, ThreadPoolExecutor(2))
    bodies = (jpeg_photo(), out.getvalue(), b"", jpeg_photo())
    results = finder.analyse(
        [AnalysisRequest(body, (SIMILARITY,), Origin(f"id-{index}")) for index, body in enumerate(bodies)]
    )
    assert [one.status for one in results] == [200, 503, 200, 200]
    assert [one.batch for one in results] == [1, 1, 1, 1]
    assert "vector" in results[0].document["tasks"][SIMILARITY]
    assert results[1].document["code"] == "model-unavailable"
    assert "secret" not in str(results[1].document)
    assert results[2].document["tasks"][SIMILARITY]["error"] == "unreadable"
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    [failed] = [line for line in lines if line["level"] == "ERROR"]
    assert (failed["inference_id"], failed["detail"]) == ("id-1", "/opt/secret is out of memory")
    answered = {line["inference_id"]: line.get("code") for line in lines if line["message"] == "answered"}
    assert answered == {"id-0": None, "id-1": "model-unavailable", "id-2": "unreadable", "id-3": None}


def test_an_empty_list_of_readable_images_is_no_batch() -> None:
    finder = BatchAnalyser(CATALOGUE, ModelSet(CATALOGUE, models_folder(), [FACES, MODERATION]), ThreadPoolExecutor(2))
    [result] = finder.analyse([AnalysisRequest(b"nothing", (FACES, MODERATION))])
    assert {task: one["error"] for task, one in result.document["tasks"].items()} == {
        FACES: "unreadable",
        MODERATION: "unreadable",
    }


@pytest.mark.parametrize(
    ("attributes", "explains"),
    [
        ("", False),
        ("tasks=moderation;explain=1", True),
        ("explain=0", False),
        ("explain", False),
        (" explain = 1", True),
    ],
)
def test_an_explanation_is_requested_by_an_attribute(attributes: str, explains: bool) -> None:
    assert requests_explanation(attributes) is explains


def png(image: Image.Image) -> bytes:
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


@pytest.mark.slow
def test_what_is_flagged_is_explained_if_that_is_requested() -> None:
    bad, tasks = png(flagged_drawing()), (MODERATION,)
    finder = BatchAnalyser(CATALOGUE, ModelSet(CATALOGUE, models_folder(), tasks), ThreadPoolExecutor(2))
    requests = [
        AnalysisRequest(bad, tasks),
        AnalysisRequest(bad, tasks, explains=True),
        AnalysisRequest(jpeg_photo(), tasks, explains=True),
        AnalysisRequest(b"nothing", tasks, explains=True),
    ]
    found = [one.document["tasks"][MODERATION] for one in finder.analyse(requests)]
    assert ["explanation" in one for one in found] == [False, True, False, False]
    assert found[1]["explanation"]["cells"] == [9]
    assert found[1]["flagged"]


class InexplicableModels(ModelSet):
    """Models that run out of memory with a batch of cells."""

    def explain(self, image: Pixels, task: str) -> None:
        raise ModelUnavailable(detail="out of memory")


@pytest.mark.slow
def test_a_verdict_counts_without_its_explanation() -> None:
    finder = BatchAnalyser(
        CATALOGUE, InexplicableModels(CATALOGUE, models_folder(), [MODERATION]), ThreadPoolExecutor(2)
    )
    [result] = finder.analyse([AnalysisRequest(png(flagged_drawing()), (MODERATION,), explains=True)])
    assert (result.status, result.document["tasks"][MODERATION]["flagged"]) == (200, True)
    assert "explanation" not in result.document["tasks"][MODERATION]
