"""Which X-Ray trace the work belongs to: ``Root=1-…;Parent=…;Sampled=1``, in Lambda's variable and between hops."""

from __future__ import annotations

import os
from typing import NamedTuple

VARIABLE = "_X_AMZN_TRACE_ID"
"""Where Lambda puts the header of each invocation, and where the SDKs look for it."""


class TraceHeader(NamedTuple):
    """The trace ``root``, the segment ``parent`` in it that caused the work, and whether anything is recorded.

    No dataclass: making one takes a millisecond of every cold start.
    """

    root: str
    parent: str
    sampled: bool

    def __str__(self) -> str:
        """As the next hop reads it."""
        return f"Root={self.root};Parent={self.parent};Sampled={int(self.sampled)}"


def read_header(text: str) -> TraceHeader | None:
    """The header in ``text``; None if it names no trace. One without a decision is not sampled."""
    parts = dict(part.strip().partition("=")[::2] for part in text.split(";"))
    root = parts.get("Root", "")
    return TraceHeader(root, parts.get("Parent", ""), parts.get("Sampled") == "1") if root else None


def current_header() -> TraceHeader | None:
    """That of the work in hand."""
    return read_header(os.environ.get(VARIABLE, ""))


def trace_id() -> str:
    """The trace that the work in hand belongs to, "" if none."""
    header = current_header()
    return header.root if header else ""
