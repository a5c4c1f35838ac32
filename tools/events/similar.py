"""What the similar function gets: an HTTP API's requests (payload format 2.0).

A token that is valid lasts a day at most, so that none can be kept in a file: put one of ``python -m local token`` into
the header of ``expired.json`` to see pictures.
"""

from __future__ import annotations

from darkroom.plan.uploads import Grant, write_token

from . import LOCAL_KEY, Event

EXPIRED_S = 1_700_000_000


def events() -> dict[str, Event]:
    """Each event by its file name."""
    token = write_token(Grant("samples/", EXPIRED_S), LOCAL_KEY)
    return {
        "expired.json": event("samples/coffee.png", {"authorization": f"Bearer {token}"}),
        "no-token.json": event("samples/coffee.png", {}),
    }


def event(key: str, headers: dict[str, str]) -> Event:
    """A GET of what is like the picture ``key``."""
    path = f"/_similar/{key}"
    domain = "abcdefghij.execute-api.eu-central-1.amazonaws.com"
    return {
        "version": "2.0",
        "routeKey": "GET /_similar/{key+}",
        "rawPath": path,
        "rawQueryString": "count=5",
        "headers": {"accept": "*/*", "host": domain, "user-agent": "curl/8.14.1", **headers},
        "queryStringParameters": {"count": "5"},
        "pathParameters": {"key": key},
        "requestContext": {
            "accountId": "111122223333",
            "apiId": "abcdefghij",
            "domainName": domain,
            "http": {
                "method": "GET",
                "path": path,
                "protocol": "HTTP/1.1",
                "sourceIp": "203.0.113.7",
                "userAgent": "curl/8.14.1",
            },
            "requestId": "JKJaXmPLvHcESHA=",
            "routeKey": "GET /_similar/{key+}",
            "stage": "$default",
            "time": "25/Nov/2026:12:00:00 +0000",
            "timeEpoch": 1795608000000,
        },
        "isBase64Encoded": False,
    }
