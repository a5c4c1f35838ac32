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

from .access import ALL_STUDIES, Keys, authorise
from .instance import Instance
from .metadata import (
    Document,
    describe_instance,
    describe_series,
    summarise_instance,
    summarise_series,
    summarise_study,
)
from .render import limit_pages, read_page, render
from .requests import (
    EXPLICIT,
    MULTIPART,
    OCTETS,
    Resource,
    choose_frames,
    choose_json,
    is_uid,
    parse_appearance,
    parse_path,
    parse_query,
)
from .search import DEFAULT_LIMIT, INSTANCE, MAX_LIMIT, SERIES, STUDY, Search, parse_search
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

MAX_STUDIES = 2000
"""That are listed. A search for all of more is refused."""

type ListKeys = Callable[[str, int, str], Iterable[str]]
"""Lists the names of at most so many objects below a prefix; with a delimiter, what they have up to it."""


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
        resource, query = parse_path(str(event["rawPath"])), str(event.get("rawQueryString", ""))
        accept = str((event.get("headers") or {}).get("accept", ""))
        if resource.is_search:
            search = parse_search(query)
            granted = authorise(event, resource.study, search.access, self._keys, self._clock())
            media_type = choose_json(search.access.get("accept") or accept)
            return self._answer_search(resource, search, granted, media_type)
        values = parse_query(query)
        authorise(event, resource.study, values, self._keys, self._clock())
        match resource.kind:
            case "metadata":
                media_type = choose_json(values.get("accept") or accept)
                return _json([describe_instance(one) for one in self._list_instances(resource)], media_type)
            case "frames":
                return self._send_frames(resource, choose_frames(values.get("accept") or accept))
            case _:
                return self._send_rendered(resource, values, accept)

    def _answer_search(self, resource: Resource, search: Search, granted: str, media_type: str) -> HttpResponse:
        match resource.kind:
            case "studies":
                found, left = self._search_studies(search, granted)
            case "series":
                found, left = self._search_series(resource, search)
            case _:
                found, left = self._search_instances(resource, search)
        return _json(found, media_type, left)

    def _search_studies(self, search: Search, granted: str) -> tuple[list[Document], int]:
        """Return the studies that match, and how many further ones there are."""
        if granted != ALL_STUDIES:
            studies = [granted]
        else:
            studies = sorted(self._list_keys(STUDIES, MAX_STUDIES + 1, "/"))
            studies = [name.removeprefix(STUDIES).rstrip("/") for name in studies]
        if named := search.names(STUDY):
            studies = [one for one in (named if granted == ALL_STUDIES else studies) if one in named and is_uid(one)]
        elif len(studies) > MAX_STUDIES:
            raise OverLimits(f"More than {MAX_STUDIES} studies cannot be searched; name a StudyInstanceUID")
        search = search._replace(limit=min(search.limit or DEFAULT_LIMIT, MAX_LIMIT))
        whole = not search.only_filters(STUDY)
        chosen = studies if whole else search.page(studies)
        with ThreadPoolExecutor(READERS) as readers:
            found = [one for one in readers.map(lambda study: self._describe_study(study, search), chosen) if one]
        count = len(found) if whole else len(studies)
        return search.page(found) if whole else found, max(0, count - search.offset - search.limit)

    def _describe_study(self, study: str, search: Search) -> Document | None:
        """Return a study, None if it does not match or has no instance."""
        names = self._find_documents(f"{STUDIES}{study}/")
        series = [self._read(group[0]) for group in _group_by_series(names).values()]
        if not series:
            return None
        summary = summarise_study(series, len(names))
        return search.select(summary, summary) if search.matches(summary) else None

    def _search_series(self, resource: Resource, search: Search) -> tuple[list[Document], int]:
        groups = _group_by_series(self._list_documents(f"{STUDIES}{resource.study}/"))
        found: list[Document] = []
        for names in groups.values():
            first = self._read(names[0])
            summary = summarise_series(first, len(names))
            if search.matches(summary):
                found.append(search.select(summary, describe_series(first) | summary))
        return search.page(found), 0

    def _search_instances(self, resource: Resource, search: Search) -> tuple[list[Document], int]:
        prefix = instance_prefix(resource.study, resource.series) if resource.series else f"{STUDIES}{resource.study}/"
        names = self._list_documents(prefix)
        if series := search.names(SERIES):
            names = [name for name in names if name.split("/")[2] in series]
        if named := search.names(INSTANCE):
            names = [name for name in names if name.split("/")[3] in named]
        whole = not search.only_filters(STUDY, SERIES, INSTANCE)
        with ThreadPoolExecutor(READERS) as readers:
            instances = list(readers.map(self._read, names if whole else search.page(names)))
        full = [describe_instance(one) for one in instances]
        pairs = [(summarise_instance(one), all_of) for one, all_of in zip(instances, full, strict=True)]
        found = [search.select(summary, all_of) for summary, all_of in pairs if search.matches(all_of)]
        return search.page(found) if whole else found, 0

    def _list_instances(self, resource: Resource) -> list[Instance]:
        if resource.instance:
            return [self._find(resource)]
        prefix = instance_prefix(resource.study, resource.series) if resource.series else f"{STUDIES}{resource.study}/"
        names = self._list_documents(prefix)
        with ThreadPoolExecutor(READERS) as readers:
            return list(readers.map(self._read, names))

    def _list_documents(self, prefix: str) -> list[str]:
        names = self._find_documents(prefix)
        if not names:
            raise SourceMissing("There is no such study or series")
        return names

    def _find_documents(self, prefix: str) -> list[str]:
        """Return the names of documents below ``prefix``; raises OverLimits for too many."""
        listed = self._list_keys(prefix, 4 * MAX_LISTED, "")
        names = [name for name in listed if name.endswith("/instance.json")]
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

    def _open(self, resource: Resource) -> tuple[Instance, Source]:
        """Return the instance, and its master; raises the reason if there are no pixels."""
        instance = self._find(resource)
        if max(resource.frames, default=1) > instance.pages:
            raise SourceMissing(f"The image has {instance.pages} frames")
        check_ready(instance)
        blocks = self._opened.pop(instance.master, None) or self._open_master(instance.master)
        self._opened[instance.master] = blocks
        if len(self._opened) > MAX_OPEN:
            self._opened.popitem(last=False)
        return instance, Source.from_bytes(blocks) if isinstance(blocks, bytes) else Source.from_ranges(blocks)

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

    def _send_frames(self, resource: Resource, media_type: str) -> HttpResponse:
        instance, source = self._open(resource)
        pages = [read_page(instance, page, source) for page in limit_pages(instance, resource.frames)]
        if media_type == OCTETS and len(pages) == 1:
            return _binary(pages[0], f"{OCTETS}; transfer-syntax={EXPLICIT}")
        head = f"--{BOUNDARY}\r\nContent-Type: {OCTETS}; transfer-syntax={EXPLICIT}\r\n\r\n".encode()
        body = b"".join(head + page + b"\r\n" for page in pages) + f"--{BOUNDARY}--\r\n".encode()
        return _binary(body, f'{MULTIPART}; type="{OCTETS}"; boundary={BOUNDARY}')

    def _send_rendered(self, resource: Resource, values: Mapping[str, str], accept: str) -> HttpResponse:
        appearance = parse_appearance(values, accept)
        instance, source = self._open(resource)
        page = resource.frames[0] if resource.frames else 1
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


def _group_by_series(names: Iterable[str]) -> dict[str, list[str]]:
    """Return names of documents by their series."""
    groups: dict[str, list[str]] = {}
    for name in names:
        groups.setdefault(name.split("/")[2], []).append(name)
    return groups


def _json(document: list[Document], media_type: str, left: int = 0) -> HttpResponse:
    """Return a response; ``left`` is how many further results there are (PS3.18, 8.3.4.4)."""
    body = json.dumps(document, separators=(",", ":"))
    if len(body) > MAX_JSON_BYTES:
        raise OverLimits("The response is too large; request single instances")
    headers = {"content-type": media_type, "cache-control": "no-store"}
    if left:
        headers["warning"] = f'299 darkroom "There are {left} additional results that can be requested"'
    return {"statusCode": 200, "headers": headers, "body": body}


def _binary(body: bytes, content_type: str) -> HttpResponse:
    headers = {"content-type": content_type, "cache-control": CACHED, "x-content-type-options": "nosniff"}
    return {"statusCode": 200, "headers": headers, "body": b64encode(body).decode(), "isBase64Encoded": True}
