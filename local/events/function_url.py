"""Requests of a Function URL (payload format 2.0) as CloudFront sends them."""

from __future__ import annotations

from . import Event


def build_request(path: str, headers: dict[str, str], query: str = "") -> Event:
    """Build a GET of ``path``."""
    return {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": query,
        "headers": {
            "accept": "*/*",
            "host": "abcdefghij.lambda-url.eu-central-1.on.aws",
            "user-agent": "Amazon CloudFront",
            "via": "2.0 0123456789abcdef.cloudfront.net (CloudFront)",
            "x-amz-cf-id": "kV0Jw1mM2yQxg3l8pRzUe7oQ2nA5sT9dC4hB6fE8iG0jK1lM2nO3pQ==",
            "x-amzn-trace-id": "Root=1-67447a00-0123456789abcdef01234567",
            **headers,
        },
        "requestContext": {
            "accountId": "anonymous",
            "domainName": "abcdefghij.lambda-url.eu-central-1.on.aws",
            "http": {
                "method": "GET",
                "path": path,
                "protocol": "HTTP/1.1",
                "sourceIp": "203.0.113.7",
                "userAgent": "Amazon CloudFront",
            },
            "requestId": "8f1d6a0e-0c35-4a55-9a44-6a1d3b1c9f10",
            "routeKey": "$default",
            "stage": "$default",
            "time": "25/Nov/2026:12:00:00 +0000",
            "timeEpoch": 1795608000000,
        },
        "isBase64Encoded": False,
    }
