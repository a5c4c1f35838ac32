"""Requests of an HTTP API (payload format 2.0), for the upload, similar and review functions."""

from __future__ import annotations

from . import Event

_DOMAIN = "abcdefghij.execute-api.eu-central-1.amazonaws.com"


def build_request(method: str, route: str, path: str, headers: dict[str, str], **more: object) -> Event:
    """Build a request for ``path``, which matches the API's ``route``. ``more`` are further fields of the event.

    ``route`` is a path, or has a method of its own, such as ``ANY /path``.
    """
    route_key = route if " " in route else f"{method} {route}"
    return {
        "version": "2.0",
        "routeKey": route_key,
        "rawPath": path,
        "rawQueryString": "",
        "headers": {"accept": "*/*", "host": _DOMAIN, "user-agent": "curl/8.14.1", **headers},
        **more,
        "requestContext": {
            "accountId": "111122223333",
            "apiId": "abcdefghij",
            "domainName": _DOMAIN,
            "http": {
                "method": method,
                "path": path,
                "protocol": "HTTP/1.1",
                "sourceIp": "203.0.113.7",
                "userAgent": "curl/8.14.1",
            },
            "requestId": "JKJaXmPLvHcESHA=",
            "routeKey": route_key,
            "stage": "$default",
            "time": "25/Nov/2026:12:00:00 +0000",
            "timeEpoch": 1795608000000,
        },
        "isBase64Encoded": False,
    }
