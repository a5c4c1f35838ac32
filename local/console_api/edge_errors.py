"""Errors that no function of ours has answered: throttled renders, silent origins, failed functions at the edge."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping

from .traces import Document

MAX_ERRORS = 500
REASONS: Mapping[int, tuple[str, str]] = {
    429: ("throttled", "Lambda refused the render: ReservedConcurrency is in use"),
    502: ("unreachable", "No origin could be reached"),
    503: ("edge-failed", "The function at the edge failed, or an origin was not available"),
    504: ("timed-out", "No origin responded in time"),
}
"""Code and reason by status. CloudFront and Lambda answer these requests with texts of their own."""


class EdgeErrors:
    """The newest errors of this kind."""

    def __init__(self) -> None:
        self._errors: deque[Document] = deque(maxlen=MAX_ERRORS)

    def note(self, path: str, status: int, code: str, at_s: float) -> None:
        """Add a response, unless a function of ours made it. ``code`` is its header ``X-Darkroom-Error``, or empty."""
        if status not in REASONS or (code and code != REASONS[status][0]):
            return
        word, reason = REASONS[status]
        self._errors.append(
            {
                "kind": "edge",
                "key": path.lstrip("/"),
                "code": word,
                "reason": f"{status}: {reason}",
                "at_s": at_s,
                "trace_id": "",
                "picture": None,
            }
        )

    def list_since(self, from_s: float) -> Iterator[Document]:
        """Yield the errors since ``from_s`` (Unix time)."""
        return (one for one in tuple(self._errors) if one["at_s"] >= from_s)
