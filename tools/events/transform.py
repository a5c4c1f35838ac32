"""Events of the transform function: Function URL events as CloudFront sends them."""

from __future__ import annotations

from darkroom.dialects.serving.signing_keys import parse_keys
from darkroom.plan.native_url import parse_url
from darkroom.signing import sign
from local.dialect_keys import DOCUMENT, sign_in_dialect

from . import LOCAL_KEY, Event


def events() -> dict[str, Event]:
    """Return each event by file name."""
    photo, keys = "/samples/coffee.png", parse_keys(DOCUMENT)
    return {
        "miss.json": event(f"{photo}?w=960", "auto-webp"),
        "hit.json": event(f"{photo}?w=320", "auto-webp"),
        "signed.json": event(f"{photo}?w=801&h=600&fit=cover&g=attention", "auto-avif", key=LOCAL_KEY),
        "forged.json": event(f"{photo}?w=801&h=600&fit=cover&g=attention", "auto-avif", key="another key"),
        "bad-option.json": event(f"{photo}?w=320", "auto-webp", path=f"{photo}/_/w-0.auto-webp"),
        "not-modified.json": event(f"{photo}?w=320", "auto-webp", headers={"if-none-match": "*"}),
        "redacted.json": event(
            f"{photo}?w=800&redact=faces",
            "auto-webp",
            key=LOCAL_KEY,
            path=f"{photo}/_/fv-1_redact-faces_w-800.auto-webp",
        ),
        "no-source.json": event("/no/such/photo.jpg?w=320", "auto-webp"),
        "thumbor.json": in_dialect(
            "thumbor", sign_in_dialect("thumbor", "/801x600/smart/samples/coffee.png", keys), "auto-webp"
        ),
        "iiif.json": in_dialect("iiif", "/iiif/3/samples%2Fcoffee.png/info.json", "application/ld+json"),
    }


def event(url: str, negotiated: str, *, key: str = "", path: str = "", headers: dict[str, str] | None = None) -> Event:
    """Return a GET of ``url``, with ``f=auto`` negotiated to the class ``negotiated`` at the edge."""
    request = parse_url(url).path
    path = path or request.removesuffix("auto") + negotiated
    signature = {"x-darkroom-signature": sign(request, key)} if key else {}
    return _sent(path, {"x-darkroom-request": request, "x-darkroom-url": url, **signature, **(headers or {})})


def in_dialect(dialect: str, url: str, format_class: str) -> Event:
    """Return a GET of ``url`` in ``dialect`` by a viewer of ``format_class``."""
    dialect_headers = {"x-darkroom-language": dialect, "x-darkroom-url": url, "x-darkroom-class": format_class}
    scheme = {"x-darkroom-host": "localhost:8088", "cloudfront-forwarded-proto": "http"}
    return _sent(url.partition("?")[0], dialect_headers | scheme)


def _sent(path: str, headers: dict[str, str]) -> Event:
    return {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": "",
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
