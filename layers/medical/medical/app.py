"""Respond to DICOMweb requests: search, metadata, frames and rendered images of instances without patient data."""

from __future__ import annotations

import json
import time
from base64 import b64encode
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from darkroom.aws.s3_fast import FastBucket
from darkroom.errors import (
    DarkroomError,
    FindingsPending,
    MethodNotAllowed,
    NoInference,
    OverLimits,
    SourceMissing,
    Unanalysable,
    Unavailable,
)
from darkroom.http.response import HttpResponse, Responded, guard, problem_response
from darkroom.imaging.block_cache import BlockCache
from darkroom.imaging.source import Source

from .access import Keys, authorise
from .instance import Instance
from .metadata import Document, describe_instance, summarise_instance, summarise_series
from .render import read_page, render
from .requests import Resource, parse_appearance, parse_path, parse_query
from .store import STUDIES, document_name, instance_prefix, overlay_name

MAX_LISTED = 2000
"""Instances of one response."""

MAX_JSON_BYTES = 5_500_000
BOUNDARY = "darkroom-frame"
READERS = 16
FIRST_BYTES = 4 * 1024 * 1024
WHOLE_BYTES = 48 * 1024 * 1024
"""Masters up to this size are read whole, since libtiff visits the directory of each page; larger ones by ranges."""

MAX_OPEN = 3
"""Masters that are kept for further frames. Their names have digests of their content, so they do not change."""

type ListKeys = Callable[[str, int], Iterable[str]]
"""Lists the names of at most so many objects below a prefix."""


class Medical:
    """Serves the bucket of masters. ``keys`` verify tokens and signatures."""

    def __init__(
        self, bucket: FastBucket, list_keys: ListKeys, keys: Keys, clock: Callable[[], float] = time.time
    ) -> None:
        self._bucket, self._list_keys, self._keys, self._clock = bucket, list_keys, keys, clock
        self._opened: OrderedDict[str, bytes | BlockCache] = OrderedDict()

    def respond(self, event: Mapping[str, Any]) -> Responded:
        """Respond to an HTTP API event (payload format 2.0)."""
        method = str(event["requestContext"]["http"]["method"])
        found = guard(lambda: self._answer(event, method))
        if isinstance(found, DarkroomError):
            return problem_response(found, method=method), found
        return found | ({"body": ""} if method == "HEAD" else {}), None

    def _answer(self, event: Mapping[str, Any], method: str) -> HttpResponse:
        if method not in ("GET", "HEAD"):
            raise MethodNotAllowed
        resource = parse_path(str(event["rawPath"]))
        values = parse_query(str(event.get("rawQueryString", "")))
        authorise(event, resource.study, values, self._keys, self._clock())
        match resource.kind:
            case "series":
                return _json(self._list_series(resource))
            case "instances":
                return _json([summarise_instance(one) for one in self._list_instances(resource)])
            case "metadata":
                return _json([describe_instance(one) for one in self._list_instances(resource)])
            case "frame":
                return self._send_frame(resource)
            case _:
                return self._send_rendered(resource, values, str((event.get("headers") or {}).get("accept", "")))

    def _list_series(self, resource: Resource) -> list[Document]:
        counts: dict[str, list[str]] = {}
        for name in self._list_documents(f"{STUDIES}{resource.study}/"):
            counts.setdefault(name.split("/")[2], []).append(name)
        return [summarise_series(self._read(names[0]), len(names)) for names in counts.values()]

    def _list_instances(self, resource: Resource) -> list[Instance]:
        if resource.instance:
            return [self._find(resource)]
        names = self._list_documents(instance_prefix(resource.study, resource.series))
        with ThreadPoolExecutor(READERS) as readers:
            return list(readers.map(self._read, names))

    def _list_documents(self, prefix: str) -> list[str]:
        listed = self._list_keys(prefix, 4 * MAX_LISTED)
        names = [name for name in listed if name.endswith("/instance.json")]
        if not names:
            raise SourceMissing("There is no such study or series")
        if len(names) > MAX_LISTED:
            raise OverLimits(f"More than {MAX_LISTED} instances cannot be listed")
        return names

    def _find(self, resource: Resource) -> Instance:
        return self._read(document_name(resource.study, resource.series, resource.instance))

    def _read(self, name: str) -> Instance:
        body = self._bucket.read(name)
        if body is None:
            raise SourceMissing("There is no such instance")
        try:
            return Instance.from_json(body)
        except (ValueError, KeyError, TypeError) as error:
            raise Unavailable(detail=f"{name}: {error!r}") from error

    def _open(self, resource: Resource) -> tuple[Instance, Source, int]:
        """Return the instance, its master, and the page; raises the reason if there are no pixels."""
        instance = self._find(resource)
        page = resource.frame or 1
        if page > instance.pages:
            raise SourceMissing(f"The image has {instance.pages} frames")
        check_ready(instance)
        blocks = self._opened.pop(instance.master, None) or self._open_master(instance.master)
        self._opened[instance.master] = blocks
        if len(self._opened) > MAX_OPEN:
            self._opened.popitem(last=False)
        return instance, Source.from_bytes(blocks) if isinstance(blocks, bytes) else Source.from_ranges(blocks), page

    def _open_master(self, name: str) -> bytes | BlockCache:
        """Read a master, or open it for reading by ranges; raises Unavailable."""
        opened = self._bucket.open(name, FIRST_BYTES)
        if opened is None:
            raise Unavailable(detail=f"{name} is missing")
        if opened.size_bytes <= WHOLE_BYTES:
            return opened.read()
        etag, size = opened.etag, opened.size_bytes
        opened.close()
        return BlockCache(lambda start, end: self._bucket.read_range(name, start, end, etag), size)

    def _send_frame(self, resource: Resource) -> HttpResponse:
        instance, source, page = self._open(resource)
        head = f"--{BOUNDARY}\r\nContent-Type: application/octet-stream; transfer-syntax=1.2.840.10008.1.2.1\r\n\r\n"
        body = head.encode() + read_page(instance, page, source) + f"\r\n--{BOUNDARY}--\r\n".encode()
        return _binary(body, f'multipart/related; type="application/octet-stream"; boundary={BOUNDARY}')

    def _send_rendered(self, resource: Resource, values: Mapping[str, str], accept: str) -> HttpResponse:
        appearance = parse_appearance(values, accept)
        instance, source, page = self._open(resource)
        shown = [
            number
            for number, pages in enumerate(instance.overlays)
            if appearance.overlays and (not pages or page in pages)
        ]
        masks = [self._bucket.read(overlay_name(instance.master, number)) for number in shown]
        body = render(instance, page, appearance, source, [mask for mask in masks if mask])
        return _binary(body, appearance.media_type)


def check_ready(instance: Instance) -> None:
    """Raise why an instance has no pixels: they are stored after text was searched for and removed."""
    match instance.state:
        case "pending":
            raise FindingsPending("The image is not served before text was searched for and removed")
        case "no-inference":
            raise NoInference("The image may have text, and this deployment has no model that would find it")
        case "unanalysable":
            raise Unanalysable("The text detector cannot read the image, so it is not served")


CACHED = "private, max-age=300"


def _json(document: list[Document]) -> HttpResponse:
    body = json.dumps(document, separators=(",", ":"))
    if len(body) > MAX_JSON_BYTES:
        raise OverLimits("The response is too large; request single instances")
    headers = {"content-type": "application/dicom+json", "cache-control": "no-store"}
    return {"statusCode": 200, "headers": headers, "body": body}


def _binary(body: bytes, content_type: str) -> HttpResponse:
    headers = {"content-type": content_type, "cache-control": CACHED, "x-content-type-options": "nosniff"}
    return {"statusCode": 200, "headers": headers, "body": b64encode(body).decode(), "isBase64Encoded": True}
