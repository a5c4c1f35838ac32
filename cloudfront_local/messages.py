"""Requests and responses of the CDN."""

from __future__ import annotations

from dataclasses import dataclass, field

from multidict import CIMultiDict

from .model import OriginGroup


@dataclass(frozen=True, slots=True)
class Request:
    """A request. ``path`` and ``query`` are as sent, percent-encoding untouched; ``query`` is None without a ``?``."""

    method: str
    path: str
    query: str | None = None
    headers: CIMultiDict[str] = field(default_factory=CIMultiDict)
    client_ip: str = "127.0.0.1"
    id: str = ""
    body: bytes = b""
    group: OriginGroup | None = None
    """The origins that the function at the edge chose, None for those of the behaviour."""


@dataclass(frozen=True, slots=True)
class Response:
    """A response with its whole body. ``origin`` is the id of its origin, empty if the edge generated it."""

    status: int
    headers: CIMultiDict[str] = field(default_factory=CIMultiDict)
    body: bytes = b""
    origin: str = ""
