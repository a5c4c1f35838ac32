"""Serve the IIIF Image API: images, ``info.json`` and redirects."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import chain
from typing import cast
from zlib import crc32

from darkroom.aws.s3_fast import StoredObject
from darkroom.errors import MethodNotAllowed, NotListed, SourceMissing, Unsigned
from darkroom.http.response import HttpResponse
from darkroom.plan.canonical import add_rights
from darkroom.plan.geometry.placement import Size
from darkroom.plan.model import METADATA, Plan
from darkroom.plan.redaction import needs_findings
from darkroom.plan.variants import AccessMode
from darkroom.services.caching import etag_matches
from darkroom.services.serve.answers import Failed
from darkroom.services.serve.large_copies import limit_max_age
from darkroom.services.serve.transform import Transform

from ..iiif.image import ResolvedImage, resolve_image
from ..iiif.info_json import build_info, profile_uri
from ..iiif.spec import V2, SizeLimits, Version
from ..iiif.tiles import LISTED_DETAIL, is_listed
from ..iiif.url import (
    INFO_JSON,
    BaseRequest,
    ImageRequest,
    InfoRequest,
    parse,
)
from .delivery import Delivery
from .request import DialectRequest

LINKED = 'application/ld+json;profile="{context}"'
PLAIN = "application/json"
"""Media type of version 3 if ``Accept`` names it and not JSON-LD, of version 2 otherwise: section 5.1 of each."""

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
    """Return ``document`` as JSON-LD or JSON, by ``version`` and ``accept``, the media type that the viewer names."""
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
    """Return a redirect to ``location``."""
    return {"statusCode": status, "headers": {"location": location, "cache-control": cache_control}, "body": ""}


class ReplayableStream(Iterator[bytes]):
    """A stream that keeps what was read, so that it can be read again without a second request."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._taken: list[bytes] = []

    def __next__(self) -> bytes:
        chunk = next(self._chunks)
        self._taken.append(chunk)
        return chunk

    def close(self) -> None:
        """Close the underlying stream if it can be closed."""
        close = getattr(self._chunks, "close", None)
        if close is not None:
            close()

    def replay(self) -> Iterator[bytes]:
        """Return all chunks from the first."""
        return chain(self._taken, self._chunks)


def open_master(transform: Transform, key: str) -> tuple[StoredObject, Size]:
    """Open the master of ``key``; return it with its upright size in px.

    Raises SourceMissing, Unavailable, or errors of :func:`darkroom.imaging.formats.probe.probe`.
    """
    from darkroom.imaging.formats.probe import probe

    name = transform.source_names.name(key)
    master = transform.open_master(key)
    if master is None:
        raise SourceMissing
    stream = ReplayableStream(master.chunks)
    with transform.master_reader.source(transform.source, name, replace(master, chunks=stream)) as source:
        header = probe(source, transform.limits, animated=False, partial=True)
    return replace(master, chunks=stream.replay()), Size(header.upright_width, header.upright_height)


@dataclass(frozen=True, slots=True)
class IiifService:
    """Serves IIIF. Mode ``open`` serves everything within ``caps``, other modes what ``info.json`` lists.

    ``metadata``: what files have (:data:`darkroom.plan.model.METADATA`).
    """

    transform: Transform
    delivery: Delivery
    mode: AccessMode = AccessMode.GUARDED
    caps: SizeLimits = SizeLimits()
    metadata: str = METADATA[0]

    def respond(self, request: DialectRequest) -> HttpResponse:
        """Return the response to ``request``. Raises DarkroomError. The CDN adds CORS headers."""
        if request.method not in ("GET", "HEAD"):
            raise MethodNotAllowed
        parsed = parse(request.target)
        if self.transform.is_private(parsed.key):
            raise Unsigned("This image is private, and IIIF has no signatures")
        if parsed.identifier != parsed.canonical_identifier:
            prefix = parsed.version.prefix
            rest = request.path.removeprefix(prefix + parsed.identifier)
            return build_redirect(301, f"{prefix}{parsed.canonical_identifier}{rest}", self._cache_control(parsed.key))
        base_uri = f"{request.base_url}{parsed.version.prefix}{parsed.canonical_identifier}"
        match parsed:
            case BaseRequest():
                return build_redirect(303, f"{base_uri}/{INFO_JSON}", self._cache_control(parsed.key))
            case InfoRequest():
                return self._respond_with_info(parsed, request, base_uri)
            case ImageRequest():
                return self._respond_with_image(parsed, request, base_uri)

    @property
    def _is_open(self) -> bool:
        return self.mode is AccessMode.OPEN

    def _profile_link(self, version: Version) -> str:
        return f'<{profile_uri(version, everything=self._is_open)}>;rel="profile"'

    def _cache_control(self, key: str) -> str:
        return limit_max_age(self.transform.caching.cache_control(key), self.delivery.max_age_s)

    def _respond_with_info(self, parsed: InfoRequest, request: DialectRequest, base_uri: str) -> HttpResponse:
        self.transform.observer.add_metadata("key", parsed.key)
        with self.transform.observer.step("fetch"):
            _, upright = open_master(self.transform, parsed.key)
        return build_info_response(
            build_info(base_uri, upright, self.caps, parsed.version, everything=self._is_open),
            parsed.version,
            accept=request.accept,
            method=request.method,
            if_none_match=request.if_none_match,
            headers={"cache-control": self._cache_control(parsed.key), "link": self._profile_link(parsed.version)},
        )

    def _respond_with_image(self, parsed: ImageRequest, request: DialectRequest, base_uri: str) -> HttpResponse:
        with self.transform.observer.step("fetch"):
            master, upright = open_master(self.transform, parsed.key)
        image = resolve_image(parsed, upright, self.caps)
        if not self._is_open and not is_listed(parsed, image, self.caps):
            raise NotListed(LISTED_DETAIL)
        plan = self._build_plan(image, request)
        answer = self.transform.serve(plan, request.if_none_match, master)
        if isinstance(answer, Failed):
            raise answer.error
        response = self.delivery.build_response(answer, plan, request)
        canonical = f'<{base_uri}/{image.canonical_path(self.caps, parsed.version)}>;rel="canonical"'
        links = f"{canonical}, {self._profile_link(parsed.version)}"
        return response | {"headers": {**cast(dict[str, str], response["headers"]), "link": links}}

    def _build_plan(self, image: ResolvedImage, request: DialectRequest) -> Plan:
        """Build the plan of ``image`` with the redaction that the deployment requires."""
        plan = add_rights(self.transform.always.apply(image.build_plan()), self.metadata)
        return replace(plan, findings=request.findings) if needs_findings(plan) else plan
