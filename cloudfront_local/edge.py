"""One edge location: function, cache, origins and policies in CloudFront's order."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from multidict import CIMultiDict

from .byte_range import Unsatisfiable, parse_range
from .cache_key import Key, cache_key
from .conditional import not_modified, same_representation
from .edge_event import BadResult, event_json, read_group, read_response, read_result, response_json
from .edge_function import EdgeFunction, FunctionFailed
from .fetch import Fetch, fetch
from .forwarding import VIA
from .messages import Request, Response
from .model import Behaviour, Distribution
from .origins import Origins
from .patterns import behaviour_for, is_invalidated
from .response_headers import apply_policy
from .store import Entry, Store

MAX_URL_BYTES = 8192
SAFE_TO_SHARE = frozenset({"GET", "HEAD"})


class EdgeResult(NamedTuple):
    """A response and its ``X-Cache``; ``age_s`` is set if it came from the cache."""

    answer: Response
    cache: str
    age_s: float | None = None


@dataclass(slots=True)
class Edge:
    """A running distribution. ``functions`` are its edge functions by name; ``clock`` returns Unix time in seconds."""

    distribution: Distribution
    functions: dict[str, EdgeFunction]
    origins: Origins
    clock: Callable[[], float]
    store: Store = field(default_factory=Store)
    report: Callable[[str], None] = print
    collapsing: bool = True
    """Whether requests wait for a running fetch of the same key, as in each of CloudFront's caches."""

    _under_way: dict[Key, list[asyncio.Task[Fetch]]] = field(default_factory=dict)

    async def answer(self, request: Request) -> Response:
        """Return the response to a viewer's ``request``, whose ``id`` identifies it in responses and to origins."""
        behaviour = behaviour_for(request.path, self.distribution.behaviours)
        result = await self._process(request, behaviour)
        return await self._finish(request, behaviour, result)

    def invalidate(self, paths: list[str]) -> int:
        """Drop responses that the paths cover; return their number. Responses of running fetches are not stored."""
        for key in [key for key in self._under_way if any(is_invalidated(key[1], path) for path in paths)]:
            self._under_way.pop(key)
        return self.store.drop_paths(lambda cached: any(is_invalidated(cached, path) for path in paths))

    def clear(self) -> None:
        """Drop every response, as a restart does."""
        self._under_way.clear()
        self.store.clear()

    async def _process(self, request: Request, behaviour: Behaviour) -> EdgeResult:
        length = len(request.path) + len(request.query or "")
        if length > MAX_URL_BYTES:
            return EdgeResult(_error_response(414, "The URL is longer than 8192 bytes"), "Error from cloudfront")
        if request.method not in behaviour.methods:
            return EdgeResult(
                _error_response(403, "The distribution does not allow this method"), "Error from cloudfront"
            )
        if behaviour.request_function:
            outcome = await self._run_request_function(request, behaviour.request_function)
            if isinstance(outcome, EdgeResult):
                return outcome
            request = outcome
        if request.path == "/" and self.distribution.root_object:
            request = replace(request, path="/" + self.distribution.root_object)
        return await self._replace_body(request, await self._serve_cached(request, behaviour))

    async def _replace_body(self, request: Request, result: EdgeResult) -> EdgeResult:
        """Give an error of an origin the body of its custom error page, which is cached like any other response.

        The functions of the page's behaviour are not run. Without a page, the error stays as it is.
        """
        page = self.distribution.error_pages.get(result.answer.status)
        if page is None:
            return result
        asked = replace(request, method="GET", path=page.path, query=None, body=b"", group=None)
        found = (await self._serve_cached(asked, behaviour_for(page.path, self.distribution.behaviours))).answer
        if found.status != 200:
            return result
        return result._replace(answer=replace(found, status=page.status))

    async def _run_request_function(self, request: Request, name: str) -> Request | EdgeResult:
        try:
            event = event_json(request, self.distribution, "viewer-request")
            result = await self.functions[name].run(event, request.query)
            outcome = read_result(result.value, request)
            group = read_group(result.group, self.distribution)
        except (FunctionFailed, BadResult) as error:
            self.report(f"edge function {name} failed for {request.path}: {error}")
            return EdgeResult(
                _error_response(503, "The edge function failed"), "FunctionExecutionError from cloudfront"
            )
        if isinstance(outcome, Response):
            return EdgeResult(outcome, "FunctionGeneratedResponse from cloudfront")
        return replace(outcome, group=group)

    async def _serve_cached(self, request: Request, behaviour: Behaviour) -> EdgeResult:
        if request.method not in behaviour.cached_methods:
            found = await fetch(self, request, behaviour, None)
            return EdgeResult(found.answer, _x_cache("Miss", found.answer.status))
        key = cache_key(request, behaviour.cache)
        now_s = self.clock()
        entry = self.store.get(key) or self._whole_for_head(request, behaviour)
        if entry is not None:
            if entry.is_fresh(now_s):
                return self._from_cache(entry, "Hit")
            if entry.serves_while_revalidating(now_s):
                self._start(key, request, behaviour, entry)
                return self._from_cache(entry, "Hit")
        return await self._fetch_collapsed(key, request, behaviour, entry)

    def _whole_for_head(self, request: Request, behaviour: Behaviour) -> Entry | None:
        """Return the cached GET that also answers a HEAD, None if there is none."""
        if request.method != "HEAD":
            return None
        return self.store.get(cache_key(replace(request, method="GET"), behaviour.cache))

    def _from_cache(self, entry: Entry, word: str) -> EdgeResult:
        return EdgeResult(entry.answer, _x_cache(word, entry.answer.status), entry.age_s(self.clock()))

    async def _fetch_collapsed(
        self, key: Key, request: Request, behaviour: Behaviour, entry: Entry | None
    ) -> EdgeResult:
        """Fetch, or wait for a running fetch of the same key and share its response if it may be shared."""
        waiting = self.collapsing and key in self._under_way
        task = self._start(key, request, behaviour, entry)
        found = await asyncio.shield(task)
        if waiting and not found.shared:
            found = await fetch(self, request, behaviour, entry)
            waiting = False
        word = "Hit" if waiting else found.word
        age_s = None if word == "Miss" else max(0.0, self.clock() - found.stored_s)
        return EdgeResult(found.answer, _x_cache(word, found.answer.status), age_s)

    def _start(self, key: Key, request: Request, behaviour: Behaviour, entry: Entry | None) -> asyncio.Task[Fetch]:
        if self.collapsing and (tasks := self._under_way.get(key)):
            return tasks[-1]
        task = asyncio.create_task(fetch(self, request, behaviour, entry))
        self._under_way.setdefault(key, []).append(task)
        task.add_done_callback(lambda done: self._settle(key, request.path, entry, done))
        return task

    def _settle(self, key: Key, path: str, entry: Entry | None, task: asyncio.Task[Fetch]) -> None:
        """Store the result of a fetch in place of ``entry``, unless an invalidation or a restart occurred meanwhile."""
        tasks = self._under_way.get(key, [])
        if task not in tasks:
            return
        tasks.remove(task)
        if not tasks:
            del self._under_way[key]
        if task.cancelled() or task.exception() is not None:
            return
        found = task.result()
        if found.life.stored:
            self.store.put(key, Entry(path, found.answer, found.life, found.stored_s))
        elif not found.kept_stale and self.store.get(key) is entry:
            self.store.drop(key)

    async def _finish(self, request: Request, behaviour: Behaviour, result: EdgeResult) -> Response:
        answer = result.answer
        headers = CIMultiDict(answer.headers)
        if result.age_s is not None:
            headers["Age"] = str(int(result.age_s))
        status, body = answer.status, answer.body
        if status == 200 and request.method in SAFE_TO_SHARE:
            status, body = _part(request, headers, body)
        headers = apply_policy(behaviour.respond, request.method, request.headers, headers)
        answer = replace(answer, status=status, headers=headers, body=body)
        if behaviour.response_function and status < 400 and not result.cache.startswith("Function"):
            answer = await self._run_response_function(request, behaviour.response_function, answer)
        answer.headers["X-Cache"] = result.cache
        answer.headers["X-Amz-Cf-Id"] = request.id
        answer.headers["X-Amz-Cf-Pop"] = "LOCAL"
        answer.headers["Via"] = VIA
        return answer

    async def _run_response_function(self, request: Request, name: str, answer: Response) -> Response:
        """Return ``answer`` as changed by the viewer-response function."""
        try:
            event = event_json(request, self.distribution, "viewer-response") | {"response": response_json(answer)}
            return read_response(await self.functions[name].run(event, request.query), answer)
        except (FunctionFailed, BadResult) as error:
            self.report(f"edge function {name} failed for {request.path}: {error}")
            return _error_response(503, "The edge function failed")


def _part(request: Request, headers: CIMultiDict[str], body: bytes) -> tuple[int, bytes]:
    """Return status and body of a 304, 206 or 416 if the request has conditions or a range; ``headers`` are updated."""
    if not_modified(request.headers, headers):
        for name in ("Content-Type", "Content-Length"):
            headers.popall(name, None)
        return 304, b""
    headers["Accept-Ranges"] = "bytes"
    range_header = request.headers.get("range")
    if request.method != "GET" or range_header is None:
        return 200, body
    if (validator := request.headers.get("if-range")) and not same_representation(validator, headers):
        return 200, body
    try:
        part = parse_range(range_header, len(body))
    except Unsatisfiable:
        headers["Content-Range"] = f"bytes */{len(body)}"
        return 416, b""
    if part is None:
        return 200, body
    headers["Content-Range"] = f"bytes {part.first}-{part.last}/{len(body)}"
    return 206, body[part.first : part.last + 1]


def _x_cache(word: str, status: int) -> str:
    return f"{'Error' if status >= 400 else word} from cloudfront"


def _error_response(status: int, text: str) -> Response:
    return Response(status, CIMultiDict({"Content-Type": "text/plain; charset=utf-8"}), f"{text}\n".encode())
