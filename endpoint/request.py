"""What a request asks for, and how it is refused."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from darkroom.errors import DarkroomError, UnknownTask

ATTRIBUTES = "X-Amzn-SageMaker-Custom-Attributes"
"""The one header of its own that SageMaker passes on, in both directions."""

INFERENCE_ID = "X-Amzn-SageMaker-Inference-Id"
"""What the caller calls the request, for whoever looks for it in logs."""

MAX_NAME_CHARACTERS = 64
"""Of an inference id (botocore's shape ``InferenceId``) and of a trace's: what is longer is cut off."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Who asks: the ``inference_id`` and the ``trace`` (X-Ray's id) that the caller gave, "" if none."""

    inference_id: str = ""
    trace: str = ""

    @property
    def fields(self) -> dict[str, object]:
        """As log lines have it."""
        return {"inference_id": self.inference_id, "xray_trace_id": self.trace}


@dataclass(frozen=True, slots=True)
class AnalysisRequest:
    """A picture, as it came, and what is to be found in it.

    ``came_s`` is when the last byte had come, by the monotonic clock, which all processes of a machine have in common.
    """

    body: bytes
    tasks: tuple[str, ...]
    origin: Origin = Origin()
    received_s: float = field(default_factory=time.monotonic)


def requested_tasks(attributes: str, known: Collection[str]) -> tuple[str, ...]:
    """The tasks of ``tasks=faces,text`` among attributes that are separated by semicolons; all if none are named.

    Raises UnknownTask for one that is not in ``known``.
    """
    asked = _values(attributes).get("tasks", "").split(",")
    named = tuple(dict.fromkeys(task.strip() for task in asked if task.strip()))
    for task in named:
        if task not in known:
            raise UnknownTask(f"there is no model for {task!r}; there are models for {', '.join(known)}")
    return named or tuple(known)


def parse_origin(headers: Mapping[str, str]) -> Origin:
    """Who asks, by the headers of a request (a mapping that does not care for case)."""
    trace = _values(headers.get(ATTRIBUTES, "")).get("trace", "").strip()
    return Origin(headers.get(INFERENCE_ID, "")[:MAX_NAME_CHARACTERS], trace[:MAX_NAME_CHARACTERS])


def problem_document(error: DarkroomError) -> dict[str, Any]:
    """``error`` as problem details (RFC 9457)."""
    return {
        "type": f"urn:darkroom:problem:{error.code}",
        "title": error.title,
        "status": error.status,
        "detail": error.message,
        "code": error.code,
    }


def _values(attributes: str) -> dict[str, str]:
    pairs = (attribute.partition("=") for attribute in attributes.split(";"))
    return {name.strip(): value for name, _, value in pairs}
