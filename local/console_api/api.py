"""HTTP API of the console below ``/_local/watch/``: JSON, and untrusted images."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import wraps
from http import HTTPStatus
from typing import Any

from aiohttp import web

from darkroom.errors import DarkroomError
from darkroom_analysis.mlops.sample import SAMPLED
from darkroom_pipeline.aws.s3 import S3Bucket

from ..paths import CONTROL
from .alarm_history import AlarmHistory
from .alarms import Alarms
from .dashboards import Dashboards, describe_panels
from .failures import Failures
from .image_index import ImageIndex
from .logs import LEVELS, LogReader
from .traces import Traces
from .untrusted_content import IMAGE_HEADERS, detect_image_type

PREFIX = f"{CONTROL}/watch"
SHOWN = 50
MOST = 500
MOST_MINUTES = 14 * 24 * 60

type Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True)
class Api:
    """Handlers."""

    boards: Dashboards
    alarms: Alarms
    history: AlarmHistory
    traces: Traces
    failed: Failures
    lines: LogReader
    catalogue: ImageIndex
    quarantine: S3Bucket

    def routes(self) -> list[web.RouteDef]:
        """Return all routes."""
        handlers: Mapping[str, Handler] = {
            "dashboards": self.dashboards,
            "data": self.data,
            "alarms": self.alarm_states,
            "alarms/history": self.changes,
            "alarms/pages": self.pages,
            "traces": self.found_traces,
            "traces/{trace_id}": self.trace,
            "failed": self.failures,
            "failed/picture": self.refused_image,
            "index": self.images,
            "index/record": self.record,
            "logs": self.log_lines,
            "samples": self.samples,
        }
        return [web.get(f"{PREFIX}/{path}", _handle_errors(answer)) for path, answer in handlers.items()]

    async def dashboards(self, _: web.Request) -> web.StreamResponse:
        """Return all dashboards with their panels."""
        return web.json_response({"dashboards": describe_panels()})

    async def data(self, request: web.Request) -> web.StreamResponse:
        """``?dashboard=<name>&minutes=<number>``: return the series of its panels."""
        name, minutes = request.query.get("dashboard", ""), _minutes(request)
        found = await asyncio.to_thread(self.boards.data, name, minutes * 60, time.time())
        return web.json_response(_or_not_found(found))

    async def alarm_states(self, _: web.Request) -> web.StreamResponse:
        """Return every alarm with its state."""
        return web.json_response(self.alarms.describe())

    async def changes(self, _: web.Request) -> web.StreamResponse:
        """Return changes of alarm states, oldest first."""
        return web.json_response(self.history.changes())

    async def pages(self, _: web.Request) -> web.StreamResponse:
        """Return pages, oldest first."""
        return web.json_response(self.history.pages())

    async def found_traces(self, request: web.Request) -> web.StreamResponse:
        """``?minutes=<number>&q=<text>``: return traces, newest first."""
        since_s = time.time() - _minutes(request) * 60
        return web.json_response(self.traces.search(since_s, request.query.get("q", "").strip()))

    async def trace(self, request: web.Request) -> web.StreamResponse:
        """Return one trace."""
        return web.json_response(_or_not_found(self.traces.tree(request.match_info["trace_id"])))

    async def failures(self, request: web.Request) -> web.StreamResponse:
        """``?limit=<number>``: return recent failures, newest first."""
        return web.json_response(await asyncio.to_thread(self.failed.newest, time.time(), _limit(request)))

    async def refused_image(self, request: web.Request) -> web.StreamResponse:
        """``?key=<key in quarantine>``: return the rejected upload if a browser can display it."""
        return await _image_response(self.quarantine, request.query.get("key", ""))

    async def images(self, request: web.Request) -> web.StreamResponse:
        """``?prefix=&state=&after=&limit=``: return images of the index."""
        prefix, state, after = (request.query.get(name, "") for name in ("prefix", "state", "after"))
        found = await asyncio.to_thread(self.catalogue.page, prefix, state, after, _limit(request))
        return web.json_response(found)

    async def record(self, request: web.Request) -> web.StreamResponse:
        """``?key=<key>``: return the record of an image."""
        return web.json_response(
            _or_not_found(await asyncio.to_thread(self.catalogue.record, request.query.get("key", "")))
        )

    async def log_lines(self, request: web.Request) -> web.StreamResponse:
        """``?minutes=<number>&code=<error code>&level=<least level>&key=<part of a key>``: return log lines."""
        since_s = time.time() - _minutes(request) * 60
        code, level, key = (request.query.get(name, "") for name in ("code", "level", "key"))
        levels = LEVELS[LEVELS.index(level) :] if level in LEVELS else ()
        found = await asyncio.to_thread(lambda: self.lines.newest(since_s, code=code, levels=levels, key=key))
        return web.json_response(found)

    async def samples(self, request: web.Request) -> web.StreamResponse:
        """``?minutes=<number>``: return logged samples of analysed images, newest first."""
        since_s = time.time() - _minutes(request) * 60
        return web.json_response(await asyncio.to_thread(lambda: self.lines.newest(since_s, message=SAMPLED)))


def _handle_errors(answer: Handler) -> Handler:
    """Wrap ``answer`` so that its own errors are returned as JSON."""

    @wraps(answer)
    async def handle(request: web.Request) -> web.StreamResponse:
        try:
            return await answer(request)
        except DarkroomError as error:
            return _problem(error.status, error.message)
        except ValueError as error:
            return _problem(HTTPStatus.BAD_REQUEST, str(error))

    return handle


def _problem(status: int, detail: str) -> web.Response:
    return web.json_response({"detail": detail}, status=status)


def _or_not_found(found: Any) -> Any:
    if found is None:
        raise web.HTTPNotFound(text='{"detail": "Not found"}', content_type="application/json")
    return found


async def _image_response(bucket: S3Bucket, key: str) -> web.Response:
    body = await asyncio.to_thread(_read, bucket, key)
    kind = detect_image_type(body) if body else ""
    if not body or not kind:
        return web.Response(status=HTTPStatus.NOT_FOUND, headers=IMAGE_HEADERS)
    return web.Response(body=body, content_type=kind, headers=IMAGE_HEADERS)


def _read(bucket: S3Bucket, key: str) -> bytes | None:
    if (opened := bucket.open(key)) is None:
        return None
    with opened.body as body:
        return body.read()


def _limit(request: web.Request) -> int:
    """Return the query parameter ``limit``. Raises ValueError unless it is a number."""
    return max(1, min(MOST, int(request.query.get("limit", SHOWN))))


def _minutes(request: web.Request) -> float:
    """Return the query parameter ``minutes``. Raises ValueError unless it is a number."""
    return max(1.0, min(MOST_MINUTES, float(request.query.get("minutes", 60))))
