"""Build responses in dialects: limited in age, and a redirect where the image is too large for a Lambda response.

The redirect leads to a copy (:mod:`darkroom.services.serve.large_copies`), whose age is the deployment's
(``dialect_max_age_s``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from darkroom.aws.s3_fast import FastBucket
from darkroom.http.response import HttpResponse, forbid_caching, to_response
from darkroom.plan.model import Plan
from darkroom.services.caching import etag_matches
from darkroom.services.serve.answers import Answer, Derivative, NotModified, Rendered, Stored
from darkroom.services.serve.large_copies import DEFAULT_MAX_AGE_S, LargeCopies, limit_max_age
from darkroom.signing import KeySource

from .request import DialectRequest

type DocumentConverter = Callable[[Mapping[str, Any]], Mapping[str, Any]]
"""Converts the object of ``f=json`` to that of another service."""

JSON_TYPE = "application/json"


def convert_document(answer: Answer, document: DocumentConverter, if_none_match: str) -> Answer:
    """Convert ``answer`` if it is a description by ``f=json``.

    The ETag is that of the converted document, so that ``answer`` must not depend on ``If-None-Match``.
    """
    if not isinstance(answer, Rendered | Stored) or answer.body is None:
        return answer
    import json
    from hashlib import sha256

    body = json.dumps(document(json.loads(answer.body)), ensure_ascii=False, separators=(",", ":")).encode()
    kept = {name: value for name, value in answer.derivative.headers.items() if name.lower() != "content-length"}
    derivative = Derivative(f'"{sha256(body).hexdigest()[:32]}"', {**kept, "Content-Type": JSON_TYPE})
    if if_none_match and etag_matches(if_none_match, derivative.etag):
        return NotModified(derivative)
    return Rendered(derivative, body, answer.timings_ms)


@dataclass(frozen=True, slots=True)
class Delivery:
    """Responds with derivatives in ``media`` for at most ``max_age_s``. ``keys`` sign the names of copies."""

    media: FastBucket
    keys: KeySource[Sequence[str]] = field(repr=False)
    max_age_s: int = DEFAULT_MAX_AGE_S

    def build_response(
        self,
        answer: Answer,
        plan: Plan,
        request: DialectRequest,
        max_age_s: int | None = None,
        *,
        private: bool = False,
    ) -> HttpResponse:
        """Return the response for ``plan``. ``max_age_s`` is the age that the URL requests.

        ``private``: no cache may have it, since only this function verifies signatures of dialects. May raise
        Unavailable, and OverLimits for a private image that is too large for a response.
        """
        limit_s = self.max_age_s if max_age_s is None else min(max_age_s, self.max_age_s)
        address = "/"
        if isinstance(answer, Stored) and answer.body is None and request.method != "HEAD":
            address = LargeCopies(self.media, self.keys, self.max_age_s).locate(
                plan, answer.derivative.etag, private=private
            )
        response = to_response(_limit_age(answer, limit_s), method=request.method, viewer_url=address)
        if private:
            forbid_caching(response)
        return response


def _limit_age(answer: Answer, limit_s: int) -> Answer:
    if not isinstance(answer, Rendered | Stored | NotModified):
        return answer  # a stand-in is kept for less than any limit, and an error by its status
    headers = answer.derivative.headers
    kept = {**headers, "Cache-Control": limit_max_age(headers.get("Cache-Control", ""), limit_s)}
    return replace(answer, derivative=Derivative(answer.derivative.etag, kept))
