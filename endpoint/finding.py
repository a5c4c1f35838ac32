"""A batch of requests and what is found in their pictures, without a server around it."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any

from darkroom.errors import DarkroomError, ModelUnavailable
from darkroom.findings import Finding, finding_document
from darkroom.models.catalogue import Catalogue
from darkroom.models.pixels import Pixels
from darkroom.models.running import Models

from .asking import Asked, problem
from .decoding import decoded

UNREADABLE = "unreadable"
"""The error of a finding whose picture could not be decoded."""


@dataclass(frozen=True, slots=True)
class Told:
    """The answer to one request: its status and document, and how many requests were answered together."""

    status: int
    document: dict[str, Any]
    batch: int


class Finder:
    """Decodes a batch in threads and shows it to the models."""

    def __init__(self, catalogue: Catalogue, models: Models, threads: Executor) -> None:
        self._catalogue = catalogue
        self._models = models
        self._threads = threads

    def tell(self, batch: Sequence[Asked]) -> list[Told]:
        """An answer for each request, in their order. A picture that cannot be read is an answer too."""
        started_s = time.monotonic()
        pictures = list(self._threads.map(decoded, (asked.body for asked in batch)))
        decoded_s = time.monotonic()
        answers = self._answers(batch, pictures)
        _log(batch, pictures, decoded_s - started_s, time.monotonic() - decoded_s)
        return answers

    def _answers(self, batch: Sequence[Asked], pictures: Sequence[Pixels | None]) -> list[Told]:
        """If the batch fails, each picture is tried alone, so that it is not lost by what was beside it."""
        readable = [index for index, picture in enumerate(pictures) if picture is not None]
        try:
            found = self._models.find_all(
                [picture for picture in pictures if picture is not None], [batch[index].tasks for index in readable]
            )
        except ModelUnavailable as error:
            if len(batch) == 1:
                return [_refused(error)]
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
    return {"tasks": {task: finding_document(finding, vectors=True) for task, finding in found.items()}}


def _refused(error: DarkroomError) -> Told:
    _write({"level": "ERROR", "message": error.message, "code": error.code, "detail": error.detail})
    return Told(error.status, problem(error), 1)


def _log(batch: Sequence[Asked], pictures: Sequence[Pixels | None], decode_s: float, find_s: float) -> None:
    tasks = [task for asked in batch for task in asked.tasks]
    _write(
        {
            "level": "INFO",
            "message": "batch",
            "batch": len(batch),
            "unreadable": sum(picture is None for picture in pictures),
            "tasks": {task: tasks.count(task) for task in dict.fromkeys(tasks)},
            "decode_ms": round(decode_s * 1000, 1),
            "find_ms": round(find_s * 1000, 1),
        }
    )


def _write(line: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps({"service": "endpoint", **line}) + "\n")
    sys.stdout.flush()
