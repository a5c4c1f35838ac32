"""Responses of MiniStack's Function URLs that are replaced by Lambda's."""

from __future__ import annotations

import json
from typing import Any

import pytest

from local.emulation.throttling import build_error


@pytest.mark.parametrize(
    "response",
    [
        None,
        {"statusCode": 200, "body": "TooManyRequestsException"},
        {"statusCode": 429},
        {"statusCode": 429, "body": "TooManyRequestsException"},
        {"statusCode": 429, "body": '["TooManyRequestsException"]'},
        {"statusCode": 429, "body": '{"code":"slow-down","detail":"after a TooManyRequestsException"}'},
        {"statusCode": 502, "body": '{"__type":"TooManyRequestsException"}'},
    ],
)
def test_a_functions_own_responses_do_not_change(response: Any) -> None:
    assert build_error(response) is None


@pytest.mark.parametrize(
    "reason", ["ReservedFunctionConcurrentInvocationLimitExceeded", "ConcurrentInvocationLimitExceeded"]
)
def test_the_response_names_the_limit_and_no_function(reason: str) -> None:
    error = {"__type": "TooManyRequestsException", "message": "f is full", "Reason": reason, "retryAfterSeconds": "1"}
    answer = build_error({"statusCode": 429, "headers": {"Retry-After": "1"}, "body": json.dumps(error)})
    assert answer
    assert answer["headers"].keys() == {"Content-Type", "x-amzn-ErrorType"}
    assert json.loads(answer["body"]) == {"Reason": reason, "Type": "User", "message": "Rate Exceeded."}
