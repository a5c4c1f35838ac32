"""Events of the transform function: Function URL events as CloudFront sends them."""

from __future__ import annotations

from darkroom.plan.native_url import parse_url
from darkroom.signing import sign
from darkroom_dialects.serving.signing_keys import parse_keys
from local.dialect_keys import DOCUMENT, sign_in_dialect

from . import LOCAL_KEY, Event
from .function_url import build_request


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
    return build_request(path, {"x-darkroom-request": request, "x-darkroom-url": url, **signature, **(headers or {})})


def in_dialect(dialect: str, url: str, format_class: str) -> Event:
    """Return a GET of ``url`` in ``dialect`` by a viewer of ``format_class``."""
    dialect_headers = {"x-darkroom-language": dialect, "x-darkroom-url": url, "x-darkroom-class": format_class}
    scheme = {"x-darkroom-host": "localhost:8088", "cloudfront-forwarded-proto": "http"}
    return build_request(url.partition("?")[0], dialect_headers | scheme)
