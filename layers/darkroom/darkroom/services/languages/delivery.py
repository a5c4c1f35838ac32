"""A picture in another language over HTTP: kept for a bounded time, and fetched elsewhere where it is too large.

A native URL of a picture over 4.5 MB is answered by a redirect to itself, as the CDN asks the store first. URLs of
other languages always come to the function, so their redirect leads to an object that the CDN reads from the store by
itself. Its name is a message authentication code, which nobody can guess who was not sent there: what is stored of a
picture is more than a stranger may see of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from ...aws.objects import Bucket
from ...errors import Unavailable
from ...key_encoding import encode_key
from ...plan.canonical import SEPARATOR, derivative_name
from ...plan.model import Plan
from ...plan.signing import sign
from ..answers import Answer, Derivative, HttpResponse, NotModified, Rendered, Stored, to_http
from ..transform import DERIVATIVES
from .ages import DEFAULT_MAX_AGE_S, bounded
from .request import LanguageRequest
from .table import LARGE_PREFIX, LARGE_SUFFIX


class SigningKeySource(Protocol):
    """Where the stack's own signing keys come from, the newest first."""

    def valid(self, *, distrust: bool = False) -> Sequence[str]: ...


@dataclass(frozen=True, slots=True)
class Delivery:
    """``media`` has the derivatives; ``keys`` name what is handed over. Nothing is kept for over ``max_age_s``."""

    media: Bucket
    keys: SigningKeySource = field(repr=False)
    max_age_s: int = DEFAULT_MAX_AGE_S

    def response(
        self, answer: Answer, plan: Plan, request: LanguageRequest, max_age_s: int | None = None
    ) -> HttpResponse:
        """``answer`` about ``plan`` over HTTP. ``max_age_s`` is what the URL asks for. May raise Unavailable."""
        limit_s = self.max_age_s if max_age_s is None else min(max_age_s, self.max_age_s)
        address = "/"
        if isinstance(answer, Stored) and answer.body is None and request.method != "HEAD":
            address = self._handed_over(plan, answer.derivative.etag, limit_s)
        return to_http(_kept_for(answer, limit_s), method=request.method, viewer_url=address)

    def _handed_over(self, plan: Plan, etag: str, limit_s: int) -> str:
        """The address of a copy of the stored derivative, which lies beside it: a purge of its picture finds both."""
        name = derivative_name(plan)
        token = sign(f"{name} {etag} {limit_s}", self.keys.valid()[0])
        copy = f"{encode_key(plan.key)}{SEPARATOR}{token}{LARGE_SUFFIX}"
        if self.media.etag(DERIVATIVES + copy) is None:
            found = self.media.open(DERIVATIVES + name)
            if found is None or found.etag != etag:
                raise Unavailable(detail=f"{name} has gone while it was handed over")
            kept = bounded(found.attributes.get("Cache-Control", ""), limit_s)
            self.media.put(DERIVATIVES + copy, found.read(), {**found.attributes, "Cache-Control": kept})
        return f"{LARGE_PREFIX}/{copy}"


def _kept_for(answer: Answer, limit_s: int) -> Answer:
    if not isinstance(answer, Rendered | Stored | NotModified):
        return answer  # a stand-in is kept for less than any limit, and an error by its status
    headers = answer.derivative.headers
    kept = {**headers, "Cache-Control": bounded(headers.get("Cache-Control", ""), limit_s)}
    return replace(answer, derivative=Derivative(answer.derivative.etag, kept))
