"""Answers of the service that are no pictures: ``info.json`` and redirects. Lambda responses (payload format 2.0)."""

from __future__ import annotations

import json
from zlib import crc32

from ....http.response import HttpResponse
from ....services.caching import etag_matches
from ...iiif.version import V2, Version

LINKED = 'application/ld+json;profile="{context}"'
PLAIN = "application/json"
"""The type of version 3 where ``Accept`` names it and not JSON-LD, of version 2 otherwise: section 5.1 of each."""

_LINKED_V2 = "application/ld+json"


def build_info_response(
    document: dict[str, object],
    version: Version,
    *,
    accept: str,
    method: str,
    if_none_match: str,
    headers: dict[str, str],
) -> HttpResponse:
    """``document`` as JSON-LD or plain JSON, by the ``version`` and ``accept``, the type that a viewer names."""
    body = json.dumps(document, indent=1)
    content_type = _content_type(version, accept)
    if content_type == PLAIN and version == V2:
        link = f'<{version.context}>;rel="http://www.w3.org/ns/json-ld#context";type="application/ld+json"'
        headers = headers | {"link": f"{headers['link']}, {link}"}
    etag = f'"{crc32(content_type.encode() + body.encode()):08x}-{len(body):x}"'
    headers = headers | {"content-type": content_type, "etag": etag}
    if etag_matches(if_none_match, etag):
        return {"statusCode": 304, "headers": headers, "body": ""}
    return {"statusCode": 200, "headers": headers, "body": "" if method == "HEAD" else body}


def _content_type(version: Version, accept: str) -> str:
    if version == V2:
        return _LINKED_V2 if accept == _LINKED_V2 else PLAIN
    return PLAIN if accept == PLAIN else LINKED.format(context=version.context)


def build_redirect(status: int, location: str, cache_control: str) -> HttpResponse:
    """To ``location``."""
    return {"statusCode": status, "headers": {"location": location, "cache-control": cache_control}, "body": ""}
