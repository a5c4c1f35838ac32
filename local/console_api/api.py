"""The console's questions and their answers, below ``/_local/watch/``: JSON, and pictures that nobody trusts."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import wraps
from http import HTTPStatus
from typing import Any

from aiohttp import web

from darkroom.aws.audit import AuditLog
from darkroom.aws.s3 import S3Bucket
from darkroom.aws.sqs import Queue
from darkroom.errors import DarkroomError
from darkroom.image_keys import HELD_MASTERS
from tools.review import DECISIONS, decide

from ..paths import CONTROL
from .alarm_history import AlarmHistory
from .alarms import Alarms
from .dashboards import Dashboards, describe_panels
from .failures import Failures
from .image_index import ImageIndex
from .logs import LogReader
from .traces import Traces
from .untrusted_content import AS_PICTURE, picture_type

JSON = "application/json"
PREFIX = f"{CONTROL}/watch"
SHOWN = 50
MOST = 500
MOST_MINUTES = 14 * 24 * 60

type Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True)
class Api:
    """Answers. ``reviews`` is ingest's queue, to which people's decisions go; ``audit`` is None without its bucket."""

    boards: Dashboards
    alarms: Alarms
    history: AlarmHistory
    traces: Traces
    failed: Failures
    lines: LogReader
    catalogue: ImageIndex
    quarantine: S3Bucket
    media: S3Bucket
    reviews: Queue
    audit: AuditLog | None

    def routes(self) -> list[web.RouteDef]:
        """All of them."""
        answers: Mapping[str, Handler] = {
            "dashboards": self.dashboards,
            "data": self.data,
            "alarms": self.standing,
            "alarms/history": self.changes,
            "alarms/pages": self.pages,
            "traces": self.found_traces,
            "traces/{trace_id}": self.trace,
            "failed": self.failures,
            "failed/picture": self.refused_picture,
            "index": self.pictures,
            "index/record": self.record,
            "logs": self.log_lines,
            "audit": self.audit_log,
            "review": self.waiting,
            "review/picture": self.held_picture,
        }
        gets = [web.get(f"{PREFIX}/{path}", _told(answer)) for path, answer in answers.items()]
        return [*gets, web.post(f"{PREFIX}/review", _told(self.review))]

    async def dashboards(self, _: web.Request) -> web.StreamResponse:
        """Which there are, and their panels."""
        return web.json_response({"dashboards": describe_panels()})

    async def data(self, request: web.Request) -> web.StreamResponse:
        """``?dashboard=<name>&minutes=<number>``: the figures of its panels."""
        name, minutes = request.query.get("dashboard", ""), _minutes(request)
        found = await asyncio.to_thread(self.boards.data, name, minutes * 60, time.time())
        return web.json_response(_known(found))

    async def standing(self, _: web.Request) -> web.StreamResponse:
        """Every alarm and how it stands."""
        return web.json_response(self.alarms.listed())

    async def changes(self, _: web.Request) -> web.StreamResponse:
        """Changes of alarms' states, oldest first."""
        return web.json_response(self.history.changes())

    async def pages(self, _: web.Request) -> web.StreamResponse:
        """Who would have been called, oldest first."""
        return web.json_response(self.history.pages())

    async def found_traces(self, request: web.Request) -> web.StreamResponse:
        """``?minutes=<number>&q=<text>``: traces, newest first."""
        since_s = time.time() - _minutes(request) * 60
        return web.json_response(self.traces.listed(since_s, request.query.get("q", "").strip()))

    async def trace(self, request: web.Request) -> web.StreamResponse:
        """One trace."""
        return web.json_response(_known(self.traces.tree(request.match_info["trace_id"])))

    async def failures(self, request: web.Request) -> web.StreamResponse:
        """``?limit=<number>``: what failed lately, newest first."""
        return web.json_response(await asyncio.to_thread(self.failed.newest, time.time(), _limit(request)))

    async def refused_picture(self, request: web.Request) -> web.StreamResponse:
        """``?key=<key in quarantine>``: the refused upload, if a browser can show it."""
        return await _picture(self.quarantine, request.query.get("key", ""))

    async def pictures(self, request: web.Request) -> web.StreamResponse:
        """``?prefix=&state=&after=&limit=``: pictures in the index."""
        prefix, state, after = (request.query.get(name, "") for name in ("prefix", "state", "after"))
        found = await asyncio.to_thread(self.catalogue.page, prefix, state, after, _limit(request))
        return web.json_response(found)

    async def record(self, request: web.Request) -> web.StreamResponse:
        """``?key=<key>``: all that is known of a picture."""
        return web.json_response(_known(await asyncio.to_thread(self.catalogue.record, request.query.get("key", ""))))

    async def log_lines(self, request: web.Request) -> web.StreamResponse:
        """``?minutes=<number>&code=<error code>``: what functions wrote, newest first."""
        since_s, code = time.time() - _minutes(request) * 60, request.query.get("code", "")
        return web.json_response(await asyncio.to_thread(lambda: self.lines.newest(since_s, code=code)))

    async def audit_log(self, request: web.Request) -> web.StreamResponse:
        """``?limit=<number>``: entries of the audit log, newest first."""
        entries = await asyncio.to_thread(self.audit.list_newest, _limit(request)) if self.audit else []
        return web.json_response(entries)

    async def waiting(self, _: web.Request) -> web.StreamResponse:
        """Pictures that wait for a person's decision."""
        return web.json_response(await asyncio.to_thread(self.catalogue.waiting))

    async def held_picture(self, request: web.Request) -> web.StreamResponse:
        """``?key=<key>``: a picture that waits, as it is held."""
        return await _picture(self.media, HELD_MASTERS.name(request.query.get("key", "")))

    async def review(self, request: web.Request) -> web.StreamResponse:
        """``{"key", "decision": "release|confirm", "by"}``: what a person says of a picture that waits."""
        if request.content_type != JSON:  # which a page of another origin may not send without asking
            return _problem(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, f"Expected {JSON}")
        try:
            told = await request.json()
            key, decision, by = str(told["key"]), str(told["decision"]), str(told["by"]).strip()
        except (ValueError, TypeError, KeyError):
            return _problem(HTTPStatus.BAD_REQUEST, 'Expected {"key": …, "decision": …, "by": …}')
        if decision not in DECISIONS or not by:
            words = " or ".join(DECISIONS)
            return _problem(HTTPStatus.BAD_REQUEST, f"A decision is {words}, and somebody makes it")
        await asyncio.to_thread(decide, self.catalogue.index, self.reviews, key, decision, by)
        return web.json_response({"key": key, "decision": decision, "by": by})


def _told(answer: Handler) -> Handler:
    """``answer`` with our own errors in words."""

    @wraps(answer)
    async def told(request: web.Request) -> web.StreamResponse:
        try:
            return await answer(request)
        except DarkroomError as error:
            return _problem(error.status, error.message)
        except ValueError as error:
            return _problem(HTTPStatus.BAD_REQUEST, str(error))

    return told


def _problem(status: int, detail: str) -> web.Response:
    return web.json_response({"detail": detail}, status=status)


def _known(found: Any) -> Any:
    if found is None:
        raise web.HTTPNotFound(text='{"detail": "It is not known here"}', content_type="application/json")
    return found


async def _picture(vault: S3Bucket, key: str) -> web.Response:
    body = await asyncio.to_thread(_read, vault, key)
    kind = picture_type(body) if body else ""
    if not body or not kind:
        return web.Response(status=HTTPStatus.NOT_FOUND, headers=AS_PICTURE)
    return web.Response(body=body, content_type=kind, headers=AS_PICTURE)


def _read(vault: S3Bucket, key: str) -> bytes | None:
    if (opened := vault.open(key)) is None:
        return None
    with opened.body as body:
        return body.read()


def _limit(request: web.Request) -> int:
    """ValueError unless it is a number."""
    return max(1, min(MOST, int(request.query.get("limit", SHOWN))))


def _minutes(request: web.Request) -> float:
    """ValueError unless it is a number."""
    return max(1.0, min(MOST_MINUTES, float(request.query.get("minutes", 60))))
