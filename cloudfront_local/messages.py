"""What goes through the CDN: a viewer's request, an answer."""

from __future__ import annotations

from dataclasses import dataclass, field

from multidict import CIMultiDict


@dataclass(frozen=True, slots=True)
class Request:
    """A request. ``path`` and ``query`` are as sent, percent-encoding untouched; ``query`` is None without a ``?``."""

    method: str
    path: str
    query: str | None = None
    headers: CIMultiDict[str] = field(default_factory=CIMultiDict)
    client_ip: str = "127.0.0.1"
    id: str = ""


@dataclass(frozen=True, slots=True)
class Response:
    """An answer with its whole body. ``origin`` names where it came from, empty if the edge made it."""

    status: int
    headers: CIMultiDict[str] = field(default_factory=CIMultiDict)
    body: bytes = b""
    origin: str = ""
