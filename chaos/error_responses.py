"""How each service says no: the answers that stand in for its own."""

from __future__ import annotations

import json
from typing import NamedTuple

from .faults import Fault
from .parse_aws_request import AwsRequest


class ErrorResponse(NamedTuple):
    """An HTTP answer."""

    status: int
    content_type: str
    body: bytes


_THROTTLES = {
    "dynamodb": (400, "com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException"),
    "sqs": (403, "com.amazonaws.sqs#RequestThrottled"),
    "events": (400, "ThrottlingException"),
}
_FAILURES = {
    "dynamodb": (500, "com.amazonaws.dynamodb.v20120810#InternalServerError"),
    "sqs": (500, "com.amazonaws.sqs#InternalError"),
    "events": (500, "InternalException"),
}


def build_response(asked: AwsRequest, fault: Fault) -> ErrorResponse:
    """What ``asked.service`` answers when it throttles, or when it fails."""
    throttled = fault is Fault.THROTTLE
    if asked.service == "s3":
        status, code = (503, "SlowDown") if throttled else (500, "InternalError")
        text = f'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{code}</Code><Message>Chaos</Message></Error>'
        return ErrorResponse(status, "application/xml", b"" if asked.operation.startswith("HEAD") else text.encode())
    table = _THROTTLES if throttled else _FAILURES
    status, kind = table.get(asked.service, (503, "ServiceUnavailable"))
    return ErrorResponse(
        status, "application/x-amz-json-1.0", json.dumps({"__type": kind, "message": "Chaos"}).encode()
    )
