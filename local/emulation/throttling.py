"""What a Function URL answers when Lambda has no room for one more invocation."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

CODE = "TooManyRequestsException"
"""Error of Lambda's Invoke (API reference): status 429, and a ``Reason`` that names the limit."""


def refuse_as_lambda_does(service: Any) -> None:
    """Have throttled callers of Function URLs told what Lambda tells, which names no function and no time to wait.

    MiniStack 1.5.33 tells them what it tells SDKs: the function's name and a wait of a second in the body.
    """
    own = service._function_url_proxy_response

    def answered(response: Mapping[str, Any] | None, cors_headers: Mapping[str, str]) -> Any:
        return own(build_error(response) or response, cors_headers)

    service._function_url_proxy_response = answered


def build_error(response: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """The answer to whom MiniStack throttles by ``response``, None if that is a function's own or none."""
    if not response or response.get("statusCode") != 429 or CODE not in str(response.get("body")):
        return None
    try:
        told = json.loads(response["body"])
    except ValueError:
        return None
    if not isinstance(told, dict) or told.get("__type") != CODE:
        return None
    words = {"Reason": told.get("Reason"), "Type": "User", "message": "Rate Exceeded."}
    headers = {"Content-Type": "application/json", "x-amzn-ErrorType": CODE}
    return {"statusCode": 429, "headers": headers, "body": json.dumps(words, separators=(",", ":"))}
