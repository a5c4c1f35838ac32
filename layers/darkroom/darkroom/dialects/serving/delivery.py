"""Build responses in dialects: limited in age, and a redirect where the image is too large for a Lambda response.

A native URL of an image over 4.5 MB redirects to itself, because the CDN requests it from S3 first. URLs of dialects
always reach the function, so they redirect to a copy that the CDN reads from S3. The name of the copy is a message
authentication code of the variant: it cannot be guessed, and a variant has one copy for all spellings of the URL. The
age of a copy is therefore the deployment's (``dialect_max_age_s``). The redirect itself is not cached.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ...aws.s3_fast import FastBucket
from ...errors import Unavailable
from ...http.response import HttpResponse, to_response
from ...image_keys import DERIVATIVES, encode_key
from ...plan.canonical import SEPARATOR, derivative_name
from ...plan.model import Plan
from ...services.caching import etag_matches
from ...services.serve.answers import Answer, Derivative, NotModified, Rendered, Stored
from ...signing import KeySource, Purpose, sign_message
from ..registry import LARGE_PREFIX, LARGE_SUFFIX
from .request import DialectRequest

DEFAULT_MAX_AGE_S = 86_400
"""One day, as in browsers for native URLs."""

_AGE = re.compile(r"(?:^|[ ,])(max-age|s-maxage)=([0-9]{1,10})")


def limit_max_age(cache_control: str, limit_s: int) -> str:
    """Return ``cache_control`` with ages of at most ``limit_s``, and without stale responses."""
    if "no-store" in cache_control:
        return cache_control
    ages = {name: int(age) for name, age in _AGE.findall(cache_control)}
    browser_s = min(ages.get("max-age", limit_s), limit_s)
    shared_s = min(ages.get("s-maxage", browser_s), limit_s)
    return f"public, max-age={browser_s}, s-maxage={shared_s}"


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


COPY_OF = "copy-of"
"""User metadata of a copy: the ETag, without quotes, of its derivative."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """Responds with derivatives in ``media`` for at most ``max_age_s``. ``keys`` sign the names of copies."""

    media: FastBucket
    keys: KeySource[Sequence[str]] = field(repr=False)
    max_age_s: int = DEFAULT_MAX_AGE_S

    def build_response(
        self, answer: Answer, plan: Plan, request: DialectRequest, max_age_s: int | None = None
    ) -> HttpResponse:
        """Return the response for ``plan``. ``max_age_s`` is the age that the URL requests. May raise Unavailable."""
        limit_s = self.max_age_s if max_age_s is None else min(max_age_s, self.max_age_s)
        address = "/"
        if isinstance(answer, Stored) and answer.body is None and request.method != "HEAD":
            address = self._copy_large(plan, answer.derivative.etag)
        return to_response(_limit_age(answer, limit_s), method=request.method, viewer_url=address)

    def _copy_large(self, plan: Plan, etag: str) -> str:
        """Return the path of the copy of derivative ``etag``. It is next to it, so that one purge finds both.

        A new signing key changes the name: each rotation can add one copy per variant.
        """
        name = derivative_name(plan)
        token = sign_message(name, self.keys.get()[0], Purpose.LARGE_COPY)
        copy = f"{encode_key(plan.key)}{SEPARATOR}{token}{LARGE_SUFFIX}"
        there = self.media.open(DERIVATIVES + copy, 1)
        if there is None or there.attributes.get(COPY_OF) != etag.strip('"'):
            found = self.media.open(DERIVATIVES + name)
            if found is None or found.etag != etag:
                raise Unavailable(detail=f"{name} has gone while it was copied")
            kept = limit_max_age(found.attributes.get("Cache-Control", ""), self.max_age_s)
            attributes = {**found.attributes, "Cache-Control": kept, COPY_OF: etag.strip('"')}
            self.media.put(DERIVATIVES + copy, found.read(), attributes)
        return f"{LARGE_PREFIX}/{copy}"


def _limit_age(answer: Answer, limit_s: int) -> Answer:
    if not isinstance(answer, Rendered | Stored | NotModified):
        return answer  # a stand-in is kept for less than any limit, and an error by its status
    headers = answer.derivative.headers
    kept = {**headers, "Cache-Control": limit_max_age(headers.get("Cache-Control", ""), limit_s)}
    return replace(answer, derivative=Derivative(answer.derivative.etag, kept))
