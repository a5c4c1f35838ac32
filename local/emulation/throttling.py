"""Responses of Function URLs to throttled requests."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

CODE = "TooManyRequestsException"
"""Error of Lambda's Invoke (API reference): status 429, and a ``Reason`` that names the limit."""


def refuse_as_lambda_does(service: Any) -> None:
    """Return Lambda's response to throttled Function URL requests, without function name and retry time.

    MiniStack 1.5.33 returns its response to SDKs: the function's name and a retry time of one second in the body.
    """
    own = service._function_url_proxy_response

    def respond(response: Mapping[str, Any] | None, cors_headers: Mapping[str, str]) -> Any:
        return own(build_error(response) or response, cors_headers)

    service._function_url_proxy_response = respond


def build_error(response: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Return the response for a request that MiniStack throttled by ``response``, None for all other responses."""
    if not response or response.get("statusCode") != 429 or CODE not in str(response.get("body")):
        return None
    try:
        error = json.loads(response["body"])
    except ValueError:
        return None
    if not isinstance(error, dict) or error.get("__type") != CODE:
        return None
    body = {"Reason": error.get("Reason"), "Type": "User", "message": "Rate Exceeded."}
    headers = {"Content-Type": "application/json", "x-amzn-ErrorType": CODE}
    return {"statusCode": 429, "headers": headers, "body": json.dumps(body, separators=(",", ":"))}
