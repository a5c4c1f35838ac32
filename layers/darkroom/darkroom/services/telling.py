"""What is told of each answer over HTTP: figures, annotations of its trace, and one line in the log."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..errors import DarkroomError
from .figures import answered

if TYPE_CHECKING:
    from ..aws.observer import Observer


def tell(observer: Observer, status: int, error: DarkroomError | None, **fields: object) -> None:
    """Tell of an answer of HTTP ``status``, which is ``error`` if there is one, with ``fields`` for the log alone."""
    answered(observer, error)
    observer.annotate("status", status)
    if error is None:
        observer.log("INFO", "answered", status=status, **fields)
        return
    observer.fail(error)
    level = "ERROR" if error.fault else "INFO"
    words = {"code": error.code, "reason": error.message, "detail": error.detail}
    observer.log(level, "answered", status=status, **words, **fields)
