"""Answers of the service that are no pictures: ``info.json`` and redirects. Lambda responses (payload format 2.0)."""

from __future__ import annotations

import json
from zlib import crc32

from ...plan.negotiation import weights
from ..answers import HttpResponse, matches

LINKED = 'application/ld+json;profile="{context}"'
PLAIN = "application/json"


def document_response(
    document: dict[str, object], *, accept: str, method: str, if_none_match: str, headers: dict[str, str]
) -> HttpResponse:
    """``document`` as JSON-LD, or as plain JSON for a viewer who prefers that; with ``headers``."""
    body = json.dumps(document, indent=1)
    content_type = media_type(accept, str(document["@context"]))
    etag = f'"{crc32(content_type.encode() + body.encode()):08x}-{len(body):x}"'
    headers = headers | {"content-type": content_type, "etag": etag, "vary": "Accept"}
    if matches(if_none_match, etag):
        return {"statusCode": 304, "headers": headers, "body": ""}
    return {"statusCode": 200, "headers": headers, "body": "" if method == "HEAD" else body}


def media_type(accept: str, context: str) -> str:
    """JSON-LD unless ``accept`` gives plain JSON more weight: section 5.1."""
    asked = dict(weights(accept))
    linked = asked.get("application/ld+json", 0.0)
    return PLAIN if asked.get(PLAIN, 0.0) > linked else LINKED.format(context=context)


def redirect(status: int, location: str, cache_control: str) -> HttpResponse:
    """To ``location``."""
    return {"statusCode": status, "headers": {"location": location, "cache-control": cache_control}, "body": ""}
