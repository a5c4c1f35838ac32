"""Refusals and faults as HTTP answers: problem details (RFC 9457) with our ``code``."""

from __future__ import annotations

import json

from ..errors import DarkroomError
from ..services.serve.answers import HttpResponse

RETRY_AFTER_S = 5


def problem_response(error: DarkroomError, *, cache_control: str = "no-store", method: str = "GET") -> HttpResponse:
    """The answer for ``error`` as a Lambda response (payload format 2.0). It names the option or field at fault."""
    document: dict[str, object] = {
        "type": f"urn:darkroom:problem:{error.code}",
        "title": error.title,
        "status": error.status,
        "detail": error.message,
        "code": error.code,
    }
    for part in ("option", "field"):
        if name := getattr(error, part, ""):
            document[part] = name
    headers = {"content-type": "application/problem+json", "cache-control": cache_control}
    if error.retryable:
        headers["retry-after"] = str(getattr(error, "retry_after_s", 0) or RETRY_AFTER_S)
    if error.status == 401:  # says how to authenticate: RFC 9110, 11.6.1
        headers["www-authenticate"] = "Bearer"
    return {"statusCode": error.status, "headers": headers, "body": "" if method == "HEAD" else json.dumps(document)}
