"""Answers of the service that are no pictures: ``info.json`` and redirects. Lambda responses (payload format 2.0)."""

from __future__ import annotations

import json
from zlib import crc32

from ..answers import HttpResponse, matches

LINKED = 'application/ld+json;profile="{context}"'
PLAIN = "application/json"
"""What is answered to who names it in ``Accept``, and not JSON-LD: section 5.1."""


def document_response(
    document: dict[str, object], *, accept: str, method: str, if_none_match: str, headers: dict[str, str]
) -> HttpResponse:
    """``document`` as JSON-LD, or as plain JSON where ``accept``, the type that a viewer names, is that."""
    body = json.dumps(document, indent=1)
    content_type = PLAIN if accept == PLAIN else LINKED.format(context=document["@context"])
    etag = f'"{crc32(content_type.encode() + body.encode()):08x}-{len(body):x}"'
    headers = headers | {"content-type": content_type, "etag": etag}
    if matches(if_none_match, etag):
        return {"statusCode": 304, "headers": headers, "body": ""}
    return {"statusCode": 200, "headers": headers, "body": "" if method == "HEAD" else body}


def redirect(status: int, location: str, cache_control: str) -> HttpResponse:
    """To ``location``."""
    return {"statusCode": status, "headers": {"location": location, "cache-control": cache_control}, "body": ""}
