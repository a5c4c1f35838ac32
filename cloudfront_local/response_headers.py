"""Response headers policies, applied last before a response leaves."""

from __future__ import annotations

from collections.abc import Mapping

from multidict import CIMultiDict

from .model import Cors, ResponseHeadersPolicy
from .patterns import matches

_CORS_HEADERS = (
    "access-control-allow-origin",
    "access-control-allow-credentials",
    "access-control-allow-headers",
    "access-control-allow-methods",
    "access-control-expose-headers",
    "access-control-max-age",
)


def apply_policy(
    policy: ResponseHeadersPolicy, method: str, request: Mapping[str, str], headers: Mapping[str, str]
) -> CIMultiDict[str]:
    """Return the headers for the viewer: some removed, some set, CORS if the request has an ``Origin``."""
    result = CIMultiDict((name, value) for name, value in headers.items() if name.lower() not in policy.removed)
    for header in policy.headers:
        if header.override or header.name not in result:
            result[header.name] = header.value
    if policy.cors and "origin" in request:
        _apply_cors(policy.cors, method, request, result)
    return result


def _allowed_origin(cors: Cors, origin: str) -> str:
    if "*" in cors.origins:
        return origin if cors.credentials else "*"
    return origin if any(matches(allowed, origin) for allowed in cors.origins) else ""


def _apply_cors(cors: Cors, method: str, request: Mapping[str, str], result: CIMultiDict[str]) -> None:
    if not cors.override and any(name in result for name in _CORS_HEADERS):
        return
    for name in _CORS_HEADERS:
        result.popall(name, None)
    allowed = _allowed_origin(cors, request["origin"])
    if not allowed:
        return
    result["Access-Control-Allow-Origin"] = allowed
    result["Vary"] = "Origin"  # replaces the policy's value; a viewer-response function may restore it
    if cors.credentials:
        result["Access-Control-Allow-Credentials"] = "true"
    if cors.expose_headers:
        result["Access-Control-Expose-Headers"] = ", ".join(cors.expose_headers)
    if method == "OPTIONS" and "access-control-request-method" in request:
        result["Access-Control-Allow-Methods"] = ", ".join(cors.methods)
        result["Access-Control-Allow-Headers"] = ", ".join(cors.allow_headers)
        if cors.max_age_s is not None:
            result["Access-Control-Max-Age"] = str(cors.max_age_s)
