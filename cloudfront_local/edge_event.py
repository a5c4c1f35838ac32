"""Events and results of CloudFront Functions.

Shapes and restrictions: CloudFront developer guide, "CloudFront Functions event structure".
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from http import HTTPStatus
from typing import Any, NamedTuple

from multidict import CIMultiDict

from .cache_key import cookie_pairs, query_pairs
from .messages import Request, Response
from .model import Distribution, OriginGroup

type Json = dict[str, Any]

MAX_BODY_BYTES = 40 * 1024


class Outcome(NamedTuple):
    """What a function returned, and the argument of its last call of ``createRequestOriginGroup``, None without one."""

    value: object
    group: object = None


class BadResult(ValueError):
    """The function's result is neither a request nor a response, or the origins that it chose are invalid."""


def _grouped(pairs: Iterable[tuple[str, str]]) -> Json:
    values: dict[str, list[str]] = {}
    for name, value in pairs:
        values.setdefault(name, []).append(value)
    return {
        name: {"value": found[0]} | ({"multiValue": [{"value": value} for value in found]} if len(found) > 1 else {})
        for name, found in values.items()
    }


def request_json(request: Request) -> Json:
    """Return the ``request`` object. Queries and cookies stay percent-encoded, as in CloudFront."""
    headers = ((name.lower(), value) for name, value in request.headers.items())
    return {
        "method": request.method,
        "uri": request.path,
        "querystring": _grouped(query_pairs(request.query)),
        "headers": _grouped((name, value) for name, value in headers if name != "cookie"),
        "cookies": _grouped(cookie_pairs(request.headers.get("cookie", ""))),
    }


def event_json(request: Request, distribution: Distribution, kind: str) -> Json:
    """Return the whole event. ``kind`` is ``viewer-request`` or ``viewer-response``."""
    return {
        "version": "1.0",
        "context": {
            "distributionDomainName": distribution.domain,
            "distributionId": distribution.id,
            "eventType": kind,
            "requestId": request.id,
        },
        "viewer": {"ip": request.client_ip},
        "request": request_json(request),
    }


def _spread(values: Json) -> list[tuple[str, str]]:
    """Return names and values of a ``{name: {value, multiValue}}`` object."""
    pairs: list[tuple[str, str]] = []
    for name, entry in values.items():
        if not isinstance(entry, dict):
            raise BadResult(f"{name} is not an object with a value")
        several = entry.get("multiValue") or [entry]
        pairs.extend((name, str(each.get("value", ""))) for each in several)
    return pairs


def read_result(result: object, request: Request) -> Request | Response:
    """Return the changed request, or the response that the function generated; raises BadResult."""
    if not isinstance(result, dict):
        raise BadResult("the function returned no object")
    if "statusCode" in result:
        return _answer(result)
    if not isinstance(result.get("uri"), str) or not result["uri"].startswith("/"):
        raise BadResult("the request has no uri that begins with a slash")
    headers: CIMultiDict[str] = CIMultiDict(_spread(result.get("headers", {})))
    if cookies := _spread(result.get("cookies", {})):
        headers["cookie"] = "; ".join(f"{name}={value}" for name, value in cookies)
    query = "&".join(f"{name}={value}" if value else name for name, value in _spread(result.get("querystring", {})))
    return replace(request, path=result["uri"], query=query or None, headers=headers)


FAILOVER_STATUSES = frozenset({400, 403, 404, 416, 429, 500, 502, 503, 504})
"""Statuses that can trigger failover: "StatusCodes" of an origin group, Amazon CloudFront API reference."""


def read_group(given: object, distribution: Distribution) -> OriginGroup | None:
    """Return the argument of ``createRequestOriginGroup`` as a group, None without one; raises BadResult.

    Source of its shape and rules: "Helper methods for origin modification", CloudFront developer guide.
    """
    if given is None:
        return None
    try:
        ids = tuple(one["originId"] for one in given["originIds"])  # type: ignore[index]
        statuses = frozenset(given["failoverCriteria"]["statusCodes"])  # type: ignore[index]
    except (KeyError, TypeError) as error:
        raise BadResult("a group of origins needs originIds and failoverCriteria.statusCodes") from error
    if len(ids) != 2 or not distribution.origins.keys() >= set(ids):
        raise BadResult(f"{list(ids)} are not two origins of the distribution")
    if not statuses or not statuses <= FAILOVER_STATUSES:
        raise BadResult(f"{sorted(statuses)} are not statuses that can trigger failover")
    return OriginGroup("", ids, statuses)


def _answer(result: Json) -> Response:
    body = result.get("body", b"")
    if isinstance(body, dict):
        if body.get("encoding", "text") != "text":
            raise BadResult("only text bodies are understood")
        body = body.get("data", "")
    data = body if isinstance(body, bytes) else str(body).encode()
    if len(data) > MAX_BODY_BYTES:
        raise BadResult(f"the body has more than {MAX_BODY_BYTES} bytes")
    return Response(_status(result), CIMultiDict(_spread(result.get("headers", {}))), data)


def _status(result: Json) -> int:
    status = result.get("statusCode")
    if not isinstance(status, int) or not 200 <= status <= 599:
        raise BadResult("statusCode is not a number from 200 to 599")
    return status


def response_json(answer: Response) -> Json:
    """Return the ``response`` object of a viewer-response function, which has no body."""
    headers = ((name.lower(), value) for name, value in answer.headers.items())
    return {
        "statusCode": answer.status,
        "statusDescription": HTTPStatus(answer.status).phrase,
        "headers": _grouped((name, value) for name, value in headers if name != "set-cookie"),
        "cookies": {},
    }


def read_response(outcome: Outcome, answer: Response) -> Response:
    """Return ``answer`` with the status and headers of a viewer-response function's result; raises BadResult."""
    result = outcome.value
    if outcome.group is not None:
        raise BadResult("only viewer-request functions choose origins")
    if not isinstance(result, dict):
        raise BadResult("the function returned no object")
    headers: CIMultiDict[str] = CIMultiDict(_spread(result.get("headers", {})))
    headers.extend((name, value) for name, value in answer.headers.items() if name.lower() == "set-cookie")
    return replace(answer, status=_status(result), headers=headers)
