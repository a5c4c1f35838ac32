"""Serve one request for a texture: parse, authorise, find or render, respond."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from darkroom.errors import BadSignature, DarkroomError, MethodNotAllowed, NoInference, SourceMissing, Unsigned
from darkroom.http.response import HttpResponse, Responded, forbid_caching, guard, to_response
from darkroom.plan.forced_options import is_unmarked
from darkroom.plan.redaction import needs_findings
from darkroom.plan.variants import AccessMode
from darkroom.services.serve.answers import Answer, Derivative, Failed, NotModified, Rendered, Stored
from darkroom.services.serve.transform import Transform
from darkroom.signing import try_keys, verify

from .request import TextureRequest, parse_request

BASE = "/_/extensions"
"""What the CDN puts before the viewer's path: the route of the HTTP API."""


@dataclass(frozen=True, slots=True)
class TextureService:
    """Serves textures by ``transform``, which has a converter."""

    transform: Transform
    clock: Callable[[], float] = time.time

    def respond(self, event: Mapping[str, Any]) -> Responded:
        """Respond to an HTTP API event (payload format 2.0) below :data:`BASE`."""
        method = str(event["requestContext"]["http"]["method"])
        found = guard(lambda: self._answer(event, method))
        if isinstance(found, DarkroomError):
            return to_response(Failed(found), method=method, viewer_url=""), found
        answer, request = found
        return self._to_response(answer, request, method), answer.error if isinstance(answer, Failed) else None

    def _answer(self, event: Mapping[str, Any], method: str) -> tuple[Answer, TextureRequest]:
        if method not in ("GET", "HEAD"):
            raise MethodNotAllowed
        path = str(event["rawPath"])
        if not path.startswith(f"{BASE}/"):
            raise SourceMissing("Only the CDN's paths are served")
        viewer_path, query = path.removeprefix(BASE), str(event.get("rawQueryString", ""))
        with self.transform.observer.step("parse"):
            request = parse_request(viewer_path, query, self.transform.presets())
            self._authorise(request)
        plan = self.transform.always.apply(request.plan)
        if needs_findings(plan):
            raise NoInference("Textures do not read findings: there is none of this image, or with these options")
        headers = event.get("headers") or {}
        return self.transform.serve(plan, headers.get("if-none-match", "")), request

    def _authorise(self, request: TextureRequest) -> None:
        """Raise Unsigned, BadSignature or Expired. Only a preset needs no signature: an encode takes seconds."""
        self.transform.check_expiry(request.plan.key, request.expires_s)
        if not request.signature:
            if request.only_preset and self.transform.get_access_mode(request.plan.key) is not AccessMode.SIGNED:
                return
            raise Unsigned("A texture needs a signature, unless a preset is its only option")
        check = partial(verify, request.path, request.signature, request.expires_s, now_s=self.clock(), url=request.url)
        try_keys(self.transform.keys, check, BadSignature)

    def _to_response(self, answer: Answer, request: TextureRequest, method: str) -> HttpResponse:
        """Return the response, which caches keep until the URL expires at most, and never that to a private image."""
        if request.expires_s is not None and isinstance(answer, Rendered | Stored | NotModified):
            left_s = max(0, int(request.expires_s - self.clock()))
            headers = {**answer.derivative.headers, "Cache-Control": f"public, max-age={left_s}"}
            answer = replace(answer, derivative=Derivative(answer.derivative.etag, headers))
        response = to_response(answer, method=method, viewer_url="/")
        if self.transform.is_private(request.plan.key) or is_unmarked(request.plan):
            forbid_caching(response)
        return response
