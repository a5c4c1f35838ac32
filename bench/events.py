"""The event of a request for any canonical path."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def build_event(path: str) -> Mapping[str, Any]:
    """What the Function URL (payload format 2.0) gets from CloudFront on a miss of the canonical ``path``."""
    return {
        "version": "2.0",
        "rawPath": path,
        "rawQueryString": "",
        "headers": {"accept": "image/avif,image/webp,*/*", "host": "transform.lambda-url.us-east-1.on.aws"},
        "requestContext": {"http": {"method": "GET", "path": path, "protocol": "HTTP/1.1"}},
        "isBase64Encoded": False,
    }
