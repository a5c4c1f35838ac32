"""Validation of requests in MiniStack by the models of AWS's services, which it accepts more than.

AWS validates a request before the service handles it (API references, "Common Errors": ``ValidationError`` and
``ValidationException``, "The input fails to satisfy the constraints specified by an AWS service"). Results of MiniStack
are held against the models too, and differences are recorded.
"""

from __future__ import annotations

import json
import sys
import threading
import traceback
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from botocore.model import OperationModel
from botocore.parsers import ResponseParserError

from . import policies
from .api_models import SERVICES, ApiRequest, read_request, read_response, write_error
from .constraints import Violation, find_violations

RECORD = "DARKROOM_API_REQUESTS"
"""Environment variable of MiniStack: the file to which requests are appended as JSON lines. Without it none are."""

CODES: Mapping[str, str] = {
    "cloudformation": "ValidationError",
    "cloudfront": "InvalidArgument",
    "cloudwatch": "ValidationError",
    "iam": "ValidationError",
    "logs": "InvalidParameterException",
    "s3": "InvalidArgument",
    "sns": "InvalidParameter",
    "sqs": "InvalidParameterValue",
    "sts": "ValidationError",
}
"""Error codes of services that do not answer with ``ValidationException`` (their API references)."""

_LONGEST_TEXT = 2_000

type Caller = Callable[[Mapping[str, str], Mapping[str, Any]], str]
"""From headers and query of a request to the role of its sender, "" for the root user."""


class RequestRecord:
    """Appends requests to a file, one of each role, operation, set of members and set of violations."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._seen: set[tuple[Any, ...]] = set()
        self._lock = threading.Lock()

    def note(self, role: str, request: ApiRequest, refused: list[Violation], response: list[Violation]) -> None:
        """Append a request of ``role`` with the violations in it and in its response, unless one like it is there."""
        if self._path is None:
            return
        operation = f"{request.operation.service_model.service_name}.{request.operation.name}"
        rules = tuple((one.path, one.rule) for one in (*refused, *response))
        kind = (role, operation, tuple(sorted(set(list_members(request.parameters)))), rules)
        with self._lock:
            if kind in self._seen:
                return
            self._seen.add(kind)
            line = {
                "role": role,
                "operation": operation,
                "parameters": _printable(request.parameters),
                "refused": [str(one) for one in refused],
                "response": [str(one) for one in response],
            }
            with self._path.open("a") as file:
                file.write(json.dumps(line, sort_keys=True, default=str) + "\n")


def list_members(value: Any, path: str = "") -> Iterator[str]:
    """Yield the paths of all members of parameters, without indices of lists."""
    if isinstance(value, Mapping):
        for name, item in value.items():
            yield from list_members(item, f"{path}.{name}")
    elif isinstance(value, list):
        for item in value:
            yield from list_members(item, f"{path}[]")
    else:
        yield path


def _printable(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(name): _printable(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_printable(item) for item in value]
    if isinstance(value, bytes):
        return f"<{len(value)} bytes>"
    return f"<{len(value)} characters>" if isinstance(value, str) and len(value) > _LONGEST_TEXT else value


def refuse(operation: OperationModel, violations: list[Violation]) -> tuple[int, dict[str, str], bytes]:
    """Return the response by which the service of ``operation`` refuses a request with ``violations``."""
    count = len(violations)
    message = f"{count} validation error{'s' if count > 1 else ''} detected: {'; '.join(map(str, violations))}"
    return write_error(operation, CODES.get(operation.service_model.service_name, "ValidationException"), message)


def validate_requests(app: Any, caller: Caller, record: str) -> None:
    """Patch the handlers of MiniStack's application. ``record`` is a file, "" for none."""
    requests = RequestRecord(Path(record) if record else None)
    for name, service in SERVICES.items():
        app.SERVICE_HANDLERS[name] = _validating(app.SERVICE_HANDLERS[name], service, caller, requests)


def _validating(own: Any, service: str, caller: Caller, requests: RequestRecord) -> Any:
    async def handle(method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, Any]) -> Any:
        request = _read(service, method, path, headers, body, query)
        if request is None:
            return await own(method, path, headers, body, query)
        refused = list(find_violations(request.operation.input_shape, request.parameters))
        if refused:
            requests.note(caller(headers, query), request, refused, [])
            return refuse(request.operation, refused)
        if malformed := _find_malformed_policy(request):
            return write_error(request.operation, policies.ERROR, malformed)
        status, answered, content = await own(method, path, headers, body, query)
        violations = list(find_in_response(request.operation, status, answered, content))
        requests.note(caller(headers, query), request, [], violations)
        return status, answered, content

    return handle


def _find_malformed_policy(request: ApiRequest) -> str:
    if request.operation.service_model.service_name != "iam":
        return ""
    of_role = request.operation.name == "UpdateAssumeRolePolicy"
    document = request.parameters.get(policies.PERMISSIONS)
    trust = document if of_role else request.parameters.get(policies.TRUST)
    return policies.find_malformed(trust, [] if of_role else [document])


def _read(service: str, *request: Any) -> ApiRequest | None:
    try:
        return read_request(service, *request)
    except Exception:  # MiniStack answers: AWS refuses it too
        traceback.print_exc(file=sys.stderr)
        return None


def find_in_response(
    operation: OperationModel, status: int, headers: Mapping[str, str], body: Any
) -> Iterator[Violation]:
    """Yield what the model does not allow in a successful response; streamed content is not read."""
    shape = operation.output_shape
    if not 200 <= status < 300 or shape is None or operation.has_event_stream_output:
        return
    streamed = shape.serialization.get("payload") if operation.has_streaming_output else None
    content = body.encode() if isinstance(body, str) else body
    try:
        result = read_response(operation, status, headers, b"" if streamed else content)
    except ResponseParserError as error:
        yield Violation("", "Response must be readable", str(error))
        return
    yield from find_violations(shape, {name: value for name, value in result.items() if name != streamed})
