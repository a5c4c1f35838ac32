"""Fetch responses from origins: failover within a group, revalidation, and stale responses on origin failures."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

from multidict import CIMultiDict

from .forwarding import origin_headers, origin_query
from .freshness import NOT_STORED, Lifetime, lifetime
from .messages import Request, Response
from .model import DEFAULT_ERROR_TTL_S, Behaviour, Distribution, Origin
from .origins import Origins, OriginUnreachable
from .store import Entry

MAY_FAIL_OVER = frozenset({"GET", "HEAD", "OPTIONS"})


@dataclass(frozen=True, slots=True)
class Fetch:
    """The result of a fetch. ``word`` is for ``X-Cache``; ``kept_stale``: a stale response replaced an error."""

    answer: Response
    life: Lifetime
    stored_s: float
    word: str = "Miss"
    kept_stale: bool = False

    @property
    def shared(self) -> bool:
        """Return whether requests that waited for the fetch may share it."""
        return self.life.shared or self.kept_stale


class FetchContext(Protocol):
    """What a fetch needs of its edge."""

    @property
    def distribution(self) -> Distribution: ...
    @property
    def origins(self) -> Origins: ...
    @property
    def clock(self) -> Callable[[], float]: ...


async def fetch(edge: FetchContext, request: Request, behaviour: Behaviour, entry: Entry | None) -> Fetch:
    """Send ``request`` to the behaviour's origins, or revalidate ``entry``, the stale cache entry."""
    answer = await _try_origins(edge, request, behaviour, entry)
    now_s = edge.clock()
    errors = edge.distribution.error_ttl_s
    if entry is not None and answer.status == 304:
        headers = CIMultiDict(entry.answer.headers)
        headers.update((name, value) for name, value in answer.headers.items() if name.lower() != "content-type")
        confirmed = replace(entry.answer, headers=headers)
        life = lifetime(confirmed.status, headers, behaviour.cache, now_s, errors)
        return Fetch(confirmed, life, now_s, "RefreshHit")
    if entry is not None and answer.status >= 500 and entry.survives_failure(now_s):
        wait_s = float(errors.get(answer.status, DEFAULT_ERROR_TTL_S))
        life = replace(entry.life, ttl_s=entry.age_s(now_s) + wait_s) if wait_s else NOT_STORED
        return Fetch(entry.answer, life, entry.stored_s, "Hit", kept_stale=True)
    return Fetch(answer, lifetime(answer.status, answer.headers, behaviour.cache, now_s, errors), now_s)


async def _try_origins(edge: FetchContext, request: Request, behaviour: Behaviour, entry: Entry | None) -> Response:
    members, statuses = edge.distribution.members(request.group or behaviour.target)
    if request.method not in MAY_FAIL_OVER:
        members = members[:1]
    answer = _unreachable(timed_out=False)
    for position, origin in enumerate(members):
        try:
            answer = await _request_origin(edge, request, behaviour, origin, entry)
        except OriginUnreachable as error:
            answer = _unreachable(timed_out=error.timed_out)
            continue
        if answer.status not in statuses or position == len(members) - 1:
            break
    return answer


async def _request_origin(
    edge: FetchContext, request: Request, behaviour: Behaviour, origin: Origin, entry: Entry | None
) -> Response:
    headers = origin_headers(request, behaviour, origin)
    if entry is not None and entry.answer.status < 400:
        for name, validator in (("If-None-Match", "etag"), ("If-Modified-Since", "last-modified")):
            if value := entry.answer.headers.get(validator):
                headers[name] = value
    query = origin_query(request, behaviour)
    target = f"{request.path}?{query}" if query else request.path
    return await edge.origins.send(origin, request.method, target, headers, request.id, request.body)


def _unreachable(*, timed_out: bool) -> Response:
    status, text = (
        (504, "The origin did not answer in time\n") if timed_out else (502, "The origin cannot be reached\n")
    )
    return Response(status, CIMultiDict({"Content-Type": "text/plain; charset=utf-8"}), text.encode())
