"""Error responses of each AWS service, sent in place of the real ones."""

from __future__ import annotations

import json
from typing import NamedTuple

from .faults import Fault
from .parse_aws_request import AwsRequest


class ErrorResponse(NamedTuple):
    """Status, content type and body of an HTTP response."""

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


def build_response(aws_request: AwsRequest, fault: Fault) -> ErrorResponse:
    """Build the service's error response for throttling or for an internal failure."""
    throttled = fault is Fault.THROTTLE
    if aws_request.service == "s3":
        status, code = (503, "SlowDown") if throttled else (500, "InternalError")
        text = f'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{code}</Code><Message>Chaos</Message></Error>'
        return ErrorResponse(
            status, "application/xml", b"" if aws_request.operation.startswith("HEAD") else text.encode()
        )
    table = _THROTTLES if throttled else _FAILURES
    status, kind = table.get(aws_request.service, (503, "ServiceUnavailable"))
    return ErrorResponse(
        status, "application/x-amz-json-1.0", json.dumps({"__type": kind, "message": "Chaos"}).encode()
    )
