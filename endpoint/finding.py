"""A batch of requests and what is found in their pictures, without a server around it."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field, replace
from typing import Any

from darkroom.errors import DarkroomError, ModelUnavailable
from darkroom.findings import Finding, finding_to_document
from darkroom.models.catalogue import Catalogue
from darkroom.models.pixels import Pixels
from darkroom.models.running import Models

from . import log
from .asking import Asked, problem
from .decoding import decoded

UNREADABLE = "unreadable"
"""The error of a finding whose picture could not be decoded."""


@dataclass(frozen=True, slots=True)
class Told:
    """The answer to one request: its status and document, and how many requests were answered together.

    ``stages_ms`` is where its time went, from its last byte on: ``queue`` (what it waited for others: for its turn, and
    for the other pictures of its batch), ``decode`` (its own picture) and ``infer`` (its batch in the models).
    """

    status: int
    document: dict[str, Any]
    batch: int
    stages_ms: Mapping[str, float] = field(default_factory=dict)

    @property
    def code(self) -> str:
        """The error's code, "" if there was none."""
        tasks = self.document.get("tasks", {}).values()
        return str(self.document.get("code") or next((one["error"] for one in tasks if "error" in one), ""))


class Finder:
    """Decodes a batch in threads and shows it to the models."""

    def __init__(self, catalogue: Catalogue, models: Models, threads: Executor) -> None:
        self._catalogue = catalogue
        self._models = models
        self._threads = threads

    def tell(self, batch: Sequence[Asked]) -> list[Told]:
        """An answer for each request, in their order. A picture that cannot be read is an answer too."""
        decodings = list(self._threads.map(_decode, (asked.body for asked in batch)))
        decoded_s = time.monotonic()
        answers = self._answers(batch, [picture for picture, _ in decodings])
        infer_s = time.monotonic() - decoded_s
        told = []
        for asked, answer, (_, decode_s) in zip(batch, answers, decodings, strict=True):
            queue_s = max(0.0, decoded_s - asked.came_s - decode_s)
            stages_s = {"queue": queue_s, "decode": decode_s, "infer": infer_s}
            told.append(replace(answer, stages_ms={name: round(spent * 1000, 1) for name, spent in stages_s.items()}))
            _log(asked, told[-1])
        return told

    def _answers(self, batch: Sequence[Asked], pictures: Sequence[Pixels | None]) -> list[Told]:
        """If the batch fails, each picture is tried alone, so that it is not lost by what was beside it."""
        readable = [index for index, picture in enumerate(pictures) if picture is not None]
        try:
            found = self._models.find_all(
                [picture for picture in pictures if picture is not None], [batch[index].tasks for index in readable]
            )
        except ModelUnavailable as error:
            if len(batch) == 1:
                return [_refused(batch[0], error)]
            return [self._answers([batch[index]], [pictures[index]])[0] for index in range(len(batch))]
        by_index = dict(zip(readable, found, strict=True))
        return [
            Told(200, _document(by_index.get(index) or self._unreadable(asked)), len(batch))
            for index, asked in enumerate(batch)
        ]

    def _unreadable(self, asked: Asked) -> dict[str, Finding]:
        models = {task: self._catalogue.of(task) for task in asked.tasks}
        return {task: Finding(task, model.name, model.version, error=UNREADABLE) for task, model in models.items()}


def _document(found: dict[str, Finding]) -> dict[str, Any]:
    return {"tasks": {task: finding_to_document(finding, vectors=True) for task, finding in found.items()}}


def _decode(body: bytes) -> tuple[Pixels | None, float]:
    """The picture, and how many seconds it took."""
    started_s = time.monotonic()
    picture = decoded(body)
    return picture, time.monotonic() - started_s


def _refused(asked: Asked, error: DarkroomError) -> Told:
    log.write("ERROR", error.message, {"code": error.code, "detail": error.detail, **asked.origin.fields})
    return Told(error.status, problem(error), 1)


def _log(asked: Asked, told: Told) -> None:
    fields = {
        "status": told.status,
        "code": told.code,
        "tasks": list(asked.tasks),
        "batch": told.batch,
        "bytes": len(asked.body),
        "ms": dict(told.stages_ms),
    }
    log.write("INFO", "answered", asked.origin.fields | fields)
