"""The request and the answers of the transform service, without their HTTP form (:mod:`darkroom.http.response`)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ...errors import DarkroomError

MAX_BODY_BYTES = 4_500_000
"""Largest raw body of an answer: Lambda's limit is 6 MB, of which base64 takes a third."""


@dataclass(frozen=True, slots=True)
class TransformRequest:
    """A request for a canonical ``path``, and the canonical request that the edge negotiated it from.

    ``url``: path and query as the viewer sent them.
    """

    path: str
    request_path: str = ""
    signature: str = ""
    expires: str = ""
    if_none_match: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True)
class Derivative:
    """A derivative's entity tag and the HTTP headers that it is stored with, by name."""

    etag: str
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Rendered:
    """A derivative rendered for this request."""

    derivative: Derivative
    body: bytes
    timings_ms: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Stored:
    """A derivative that is in the store. ``body`` is None if it is too large for a response."""

    derivative: Derivative
    body: bytes | None
    timings_ms: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Provisional:
    """An image that replaces one whose findings are pending. It is not stored and has no entity tag."""

    headers: Mapping[str, str]
    body: bytes
    timings_ms: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class NotModified:
    """The viewer's copy is current."""

    derivative: Derivative


@dataclass(frozen=True, slots=True)
class Failed:
    """A refusal or a fault."""

    error: DarkroomError


@dataclass(frozen=True, slots=True)
class FallbackImage:
    """The image shown in place of one with ``error``, which decides the status. It has no entity tag."""

    error: DarkroomError
    content_type: str
    body: bytes


type Answer = Rendered | Stored | Provisional | NotModified | Failed | FallbackImage
