"""What a request asks for, and how it is refused."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from darkroom.errors import DarkroomError, UnknownTask

ATTRIBUTES = "X-Amzn-SageMaker-Custom-Attributes"
"""The one header of its own that SageMaker passes on, in both directions."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A picture, as it came, and what is to be found in it."""

    body: bytes
    tasks: tuple[str, ...]


def wanted(attributes: str, known: Collection[str]) -> tuple[str, ...]:
    """The tasks of ``tasks=faces,text`` among attributes that are separated by semicolons; all if none are named.

    Raises UnknownTask for one that is not in ``known``.
    """
    pairs = (attribute.partition("=") for attribute in attributes.split(";"))
    values = {name.strip(): value for name, _, value in pairs}
    named = tuple(dict.fromkeys(task.strip() for task in values.get("tasks", "").split(",") if task.strip()))
    for task in named:
        if task not in known:
            raise UnknownTask(f"there is no model for {task!r}; there are models for {', '.join(known)}")
    return named or tuple(known)


def problem(error: DarkroomError) -> dict[str, Any]:
    """``error`` as problem details (RFC 9457)."""
    return {
        "type": f"urn:darkroom:problem:{error.code}",
        "title": error.title,
        "status": error.status,
        "detail": error.message,
        "code": error.code,
    }
