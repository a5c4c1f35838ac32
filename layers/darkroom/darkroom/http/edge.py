"""A request for a canonical path, as the edge function hands it on in headers, and its answer over HTTP."""

from __future__ import annotations

import traceback
from collections.abc import Mapping

from ..errors import DarkroomError, MethodNotAllowed
from ..services.serve.answers import Answer, Failed, HttpResponse, to_response
from ..services.serve.transform import Transform, TransformRequest


def respond(
    transform: Transform, path: str, method: str, headers: Mapping[str, str]
) -> tuple[HttpResponse, DarkroomError | None]:
    """The answer for ``path`` with these ``headers`` (names in lower case), and the error that it is, if any."""
    answer = _answer(transform, path, method, headers)
    response = to_response(answer, method=method, viewer_url=headers.get("x-darkroom-url", ""))
    return response, answer.error if isinstance(answer, Failed) else None


def _answer(transform: Transform, path: str, method: str, headers: Mapping[str, str]) -> Answer:
    if method not in ("GET", "HEAD"):
        return Failed(MethodNotAllowed())
    request = TransformRequest(
        path=path,
        request_path=headers.get("x-darkroom-request", ""),
        signature=headers.get("x-darkroom-signature", ""),
        expires=headers.get("x-darkroom-expires", ""),
        if_none_match=headers.get("if-none-match", ""),
    )
    try:
        return transform.answer(request)
    except Exception:  # a defect must answer as a problem too, not as Lambda's own error page
        return Failed(DarkroomError(detail=traceback.format_exc()))
