"""HTTP requests and responses of AWS's services as parameters and results, by botocore's models.

moto, an emulator of AWS that is independent of MiniStack, finds the operation of a request and reads its parameters.
botocore reads responses.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, unquote, urlencode

import botocore.session
from botocore.model import OperationModel, OperationNotFoundError
from botocore.parsers import create_parser

SERVICES: Mapping[str, str] = {
    "apigateway": "apigatewayv2",
    "cloudformation": "cloudformation",
    "cloudfront": "cloudfront",
    "cloudfront-keyvaluestore": "cloudfront-keyvaluestore",
    "cognito-idp": "cognito-idp",
    "dynamodb": "dynamodb",
    "events": "events",
    "iam": "iam",
    "kms": "kms",
    "lambda": "lambda",
    "logs": "logs",
    "monitoring": "cloudwatch",
    "s3": "s3",
    "secretsmanager": "secretsmanager",
    "sns": "sns",
    "sqs": "sqs",
    "states": "stepfunctions",
    "sts": "sts",
}
"""botocore's name of a service by MiniStack's; of services that Darkroom calls."""

_HOST = "http://localhost"
_STORE = re.compile("(/key-value-stores/)(arn[^/]+/[^/]+)")


@dataclass(frozen=True)
class ApiRequest:
    """A request of an operation, and its parameters without content that is streamed."""

    operation: OperationModel
    parameters: dict[str, Any]


@functools.cache
def find_operation(service: str, operation: str) -> OperationModel:
    """Return botocore's model of an operation. Raises botocore's OperationNotFoundError."""
    return _session().get_service_model(service).operation_model(operation)


@functools.cache
def _session() -> botocore.session.Session:
    return botocore.session.get_session()


def read_request(
    service: str, method: str, path: str, headers: Mapping[str, str], body: bytes, query: Mapping[str, Any]
) -> ApiRequest | None:
    """Return the operation and the parameters of a request to ``service``, None if no operation has such a request.

    Content that is streamed, as that of an object, is not among the parameters. Raises moto's RequestParserError and
    ValueError for a body that cannot be read.
    """
    from moto.core.parse import PROTOCOL_PARSERS
    from moto.core.request import Request, determine_request_protocol
    from moto.core.routing import get_service_router
    from moto.core.utils import get_service_model
    from werkzeug.exceptions import NotFound

    url = f"{_HOST}{_encode(path)}?{urlencode(query, doseq=True)}"
    model = get_service_model(service)
    is_rest = str(model.protocol).startswith("rest")
    request = Request.from_primitives(method, url, headers, b"" if is_rest else body)
    try:
        found, labels = get_service_router(service).match(request)
        operation = find_operation(service, found.name)
    except (NotFound, OperationNotFoundError):  # moto has the upload form of S3 as an operation
        return None
    if is_rest and not found.has_streaming_input:
        request = Request.from_primitives(method, url, headers, body)
    parser = PROTOCOL_PARSERS[determine_request_protocol(model, request.content_type)](found)
    parameters = parser.parse(
        {
            "method": method,
            "values": request.values,
            "headers": request.headers,
            "body": request.data,
            "url_path": request.path,
            "url_params": labels,
        }
    )
    return ApiRequest(operation, dict(parameters))


def _encode(path: str) -> str:
    """Encode a path that MiniStack decoded; an ARN is one segment of it (CloudFront KeyValueStore API)."""
    encoded = quote(path, safe="/~")
    return _STORE.sub(lambda found: found[1] + quote(unquote(found[2]), safe=""), encoded)


def read_response(operation: OperationModel, status: int, headers: Mapping[str, str], body: bytes) -> dict[str, Any]:
    """Return the result of ``operation`` that a response contains, without content that is streamed.

    Raises botocore's ResponseParserError.
    """
    from botocore.awsrequest import HeadersDict

    parser = create_parser(operation.service_model.resolved_protocol)
    response = {"status_code": status, "headers": HeadersDict(headers), "body": body}
    assert operation.output_shape is not None
    parsed: dict[str, Any] = parser.parse(response, operation.output_shape)
    return {name: value for name, value in parsed.items() if name != "ResponseMetadata"}


def write_error(operation: OperationModel, code: str, message: str) -> tuple[int, dict[str, str], bytes]:
    """Return the response by which the service refuses a request: status, headers and body."""
    from moto.core.exceptions import ServiceException
    from moto.core.serialize import get_serializer_class
    from moto.core.utils import get_service_model

    model = get_service_model(operation.service_model.service_name)
    serializer = get_serializer_class(model.service_name, str(operation.service_model.resolved_protocol))

    class Refused(ServiceException):  # type: ignore[misc]
        """An error of no service: of one in a module of moto, moto looks for that module's service."""

    error = Refused(code, message)
    answer = serializer(operation_model=model.operation_model(operation.name)).serialize(error)
    content = answer["body"]
    body = content.encode() if isinstance(content, str) else content
    return int(answer["status_code"]), dict(answer["headers"]), body
