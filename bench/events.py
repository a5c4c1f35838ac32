"""Build the event of a request for a canonical path."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def build_event(path: str) -> Mapping[str, Any]:
    """Build the Function URL event (payload format 2.0) that CloudFront sends on a miss of ``path``."""
    return {
        "version": "2.0",
        "rawPath": path,
        "rawQueryString": "",
        "headers": {"accept": "image/avif,image/webp,*/*", "host": "transform.lambda-url.us-east-1.on.aws"},
        "requestContext": {"http": {"method": "GET", "path": path, "protocol": "HTTP/1.1"}},
        "isBase64Encoded": False,
    }
