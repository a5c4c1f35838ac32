"""Analyse a batch of requests, without the server."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

from darkroom.errors import DarkroomError, ModelUnavailable
from darkroom.findings import MODERATION, Finding, finding_to_document
from darkroom_analysis.models.catalogue import ModelCatalogue
from darkroom_analysis.models.model_set import ModelSet
from darkroom_analysis.models.pixels import Pixels

from . import log
from .decode import decode_image
from .request import EXPIRED, AnalysisRequest, problem_document

UNREADABLE = "unreadable"
"""The error of a finding whose image could not be decoded."""

SMOOTHING = 0.2
"""Weight of the newest batch in the average time of an image."""


@dataclass(frozen=True, slots=True)
class BatchResponse:
    """The response to one request: its status and document, and the size of its ``batch``.

    ``stages_ms`` are durations from its last byte on: ``queue`` (waiting for its turn, and for the other images of its
    batch), ``decode`` (its own image) and ``infer`` (its batch in the models).
    """

    status: int
    document: dict[str, Any]
    batch: int
    stages_ms: Mapping[str, float] = field(default_factory=dict)

    @property
    def code(self) -> str:
        """The code of the error, "" without one."""
        tasks = self.document.get("tasks", {}).values()
        return str(self.document.get("code") or next((one["error"] for one in tasks if "error" in one), ""))


class BatchAnalyser:
    """Decodes a batch in threads and runs the models on it.

    A request whose caller has left is dropped, and so is one whose caller will have left by the time that recent images
    took: when more arrives than can be analysed, each request that is analysed is answered in time.
    """

    def __init__(
        self,
        catalogue: ModelCatalogue,
        models: ModelSet,
        threads: Executor,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._catalogue = catalogue
        self._models = models
        self._threads = threads
        self._monotonic = monotonic
        self._image_s = 0.0

    def analyse(self, batch: Sequence[AnalysisRequest]) -> list[BatchResponse]:
        """Return a response for each request, in order; an unreadable image gets one too, and an expired request."""
        started_s = self._monotonic()
        kept = self._keep_answerable(batch, started_s)
        answers = iter(self._analyse([batch[index] for index in kept]))
        took_s = (self._monotonic() - started_s) / len(kept) if kept else 0.0  # 0: after a slow batch, try again soon
        self._image_s += (took_s - self._image_s) * (SMOOTHING if self._image_s else 1.0)
        return [next(answers) if index in kept else _expired(one) for index, one in enumerate(batch)]

    def _keep_answerable(self, batch: Sequence[AnalysisRequest], now_s: float) -> list[int]:
        """Return the places of the requests that can be answered in time, in order.

        All of a batch are answered at its end. Those that leave first are left out until the others' batch is short
        enough for the rest.
        """
        kept = sorted(range(len(batch)), key=lambda index: batch[index].ends_s)
        while kept and now_s + self._image_s * len(kept) >= batch[kept[0]].ends_s:
            kept.pop(0)
        return sorted(kept)

    def _analyse(self, batch: Sequence[AnalysisRequest]) -> list[BatchResponse]:
        if not batch:
            return []
        decodings = list(self._threads.map(_decode, (asked.body for asked in batch)))
        decoded_s = time.monotonic()
        answers = self._run_models(batch, [image for image, _ in decodings])
        infer_s = time.monotonic() - decoded_s
        responses = []
        for asked, answer, (_, decode_s) in zip(batch, answers, decodings, strict=True):
            queue_s = max(0.0, decoded_s - asked.received_s - decode_s)
            stages_s = {"queue": queue_s, "decode": decode_s, "infer": infer_s}
            responses.append(
                replace(answer, stages_ms={name: round(spent * 1000, 1) for name, spent in stages_s.items()})
            )
            _log(asked, responses[-1])
        return responses

    def _run_models(self, batch: Sequence[AnalysisRequest], images: Sequence[Pixels | None]) -> list[BatchResponse]:
        """Run the models; if the batch fails, each image is tried alone."""
        readable = [index for index, image in enumerate(images) if image is not None]
        try:
            found = self._models.detect_batch(
                [image for image in images if image is not None], [batch[index].tasks for index in readable]
            )
        except ModelUnavailable as error:
            if len(batch) == 1:
                return [_refused(batch[0], error)]
            return [self._run_models([batch[index]], [images[index]])[0] for index in range(len(batch))]
        by_index = dict(zip(readable, found, strict=True))
        for index, one in by_index.items():
            if batch[index].explains:
                self._explain(images[index], one)
        return [
            BatchResponse(200, _document(by_index.get(index) or self._unreadable(asked)), len(batch))
            for index, asked in enumerate(batch)
        ]

    def _explain(self, image: Pixels | None, found: dict[str, Finding]) -> None:
        """Add the explanation to a finding of moderation that is flagged; without one if the model fails at that."""
        finding = found.get(MODERATION)
        if image is None or finding is None or not finding.flagged:
            return
        with suppress(ModelUnavailable):
            found[MODERATION] = replace(finding, explanation=self._models.explain(image, MODERATION))

    def _unreadable(self, asked: AnalysisRequest) -> dict[str, Finding]:
        models = {task: self._catalogue.get(task) for task in asked.tasks}
        return {task: Finding(task, model.name, model.version, error=UNREADABLE) for task, model in models.items()}


def _document(found: dict[str, Finding]) -> dict[str, Any]:
    return {"tasks": {task: finding_to_document(finding, vectors=True) for task, finding in found.items()}}


def _decode(body: bytes) -> tuple[Pixels | None, float]:
    """Return the image, and the seconds of decoding."""
    started_s = time.monotonic()
    image = decode_image(body)
    return image, time.monotonic() - started_s


def _expired(asked: AnalysisRequest) -> BatchResponse:
    """Return the response to a request that was not analysed; its caller has left, or is about to."""
    document = problem_document(ModelUnavailable()) | {"status": 504, "title": "Expired", "code": EXPIRED}
    document |= {"type": f"urn:darkroom:problem:{EXPIRED}"}
    log.write("WARNING", "expired", {"status": 504, "code": EXPIRED, **asked.origin.fields})
    return BatchResponse(504, document, 0)


def _refused(asked: AnalysisRequest, error: DarkroomError) -> BatchResponse:
    log.write("ERROR", error.message, {"code": error.code, "detail": error.detail, **asked.origin.fields})
    return BatchResponse(error.status, problem_document(error), 1)


def _log(asked: AnalysisRequest, responses: BatchResponse) -> None:
    fields = {
        "status": responses.status,
        "code": responses.code,
        "tasks": list(asked.tasks),
        "batch": responses.batch,
        "bytes": len(asked.body),
        "ms": dict(responses.stages_ms),
    }
    log.write("INFO", "answered", asked.origin.fields | fields)
