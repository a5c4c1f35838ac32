"""Parse requests of the endpoint, and describe errors."""

from __future__ import annotations

import math
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from darkroom.errors import DarkroomError, UnknownTask
from darkroom.findings import UPSCALE

ATTRIBUTES = "X-Amzn-SageMaker-Custom-Attributes"
"""The custom header that SageMaker passes on in both directions."""

INFERENCE_ID = "X-Amzn-SageMaker-Inference-Id"
"""The caller's id of the request, for logs."""

MAX_NAME_CHARACTERS = 64
"""Maximum length of an inference id (botocore's shape ``InferenceId``) and of a trace id; the rest is cut off."""


MAX_TIMEOUT_DIGITS = 9

EXPIRED = "expired"
"""The code of a request whose caller has left, or will have left before its answer."""


@dataclass(frozen=True, slots=True)
class Origin:
    """The caller's ``inference_id`` and ``trace`` (X-Ray id), "" without one."""

    inference_id: str = ""
    trace: str = ""

    @property
    def fields(self) -> dict[str, object]:
        """The fields of log lines."""
        return {"inference_id": self.inference_id, "xray_trace_id": self.trace}


@dataclass(frozen=True, slots=True)
class AnalysisRequest:
    """An encoded image and its tasks. ``explains``: what moderation flags is explained.

    ``received_s`` is when the last byte arrived, by the monotonic clock, which all processes of a machine share;
    ``timeout_s`` is how long after that its caller waits.
    """

    body: bytes
    tasks: tuple[str, ...]
    origin: Origin = Origin()
    explains: bool = False
    timeout_s: float = math.inf
    received_s: float = field(default_factory=time.monotonic)

    @property
    def ends_s(self) -> float:
        """When its caller leaves, by the monotonic clock."""
        return self.received_s + self.timeout_s


def requested_tasks(attributes: str, known: Collection[str]) -> tuple[str, ...]:
    """Parse ``tasks=faces,text`` among attributes separated by semicolons; all findings of ``known`` if none are named.

    Raises UnknownTask for others.
    """
    asked = _values(attributes).get("tasks", "").split(",")
    named = tuple(dict.fromkeys(task.strip() for task in asked if task.strip()))
    for task in named:
        if task not in known:
            raise UnknownTask(f"there is no model for {task!r}; there are models for {', '.join(known)}")
    return named or tuple(task for task in known if task != UPSCALE)


def requests_explanation(attributes: str) -> bool:
    """Whether ``explain=1`` is among attributes."""
    return _values(attributes).get("explain", "").strip() == "1"


def requested_timeout_s(attributes: str) -> float:
    """Parse ``timeout=20000``, in milliseconds, among attributes; infinite without a valid one."""
    text = _values(attributes).get("timeout", "").strip()
    return int(text) / 1000 if text.isascii() and text.isdigit() and len(text) <= MAX_TIMEOUT_DIGITS else math.inf


def parse_origin(headers: Mapping[str, str]) -> Origin:
    """Parse the headers of a request (a case-insensitive mapping)."""
    trace = _values(headers.get(ATTRIBUTES, "")).get("trace", "").strip()
    return Origin(headers.get(INFERENCE_ID, "")[:MAX_NAME_CHARACTERS], trace[:MAX_NAME_CHARACTERS])


def problem_document(error: DarkroomError) -> dict[str, Any]:
    """Return ``error`` as problem details (RFC 9457)."""
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
