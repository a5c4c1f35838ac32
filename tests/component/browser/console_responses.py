"""The monitoring page in front of responses of a test, for data that a running stack takes days to collect."""

from __future__ import annotations

import io
import itertools
import json
import math
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from PIL import Image

from cli.runbooks import PAGES
from local.control_pages import CONSOLE, find_console_file
from tests.images.photographs import jpeg_photo

from .serving import served

API = "/_local/watch/"
REVIEW = "/_local/review/api/"
HOSTILE = "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>"
LONG_KEY = f"trips/{'a-very-long-folder-name/' * 8}{'photograph' * 12}.jpg"
KINDS = ("number", "line", "bars", "table", "traces", "failed", "logs", "samples")
EVERY_S = 60


def panel(name: str, kind: str, *, unit: str = "Count", target: float | None = None) -> dict[str, Any]:
    return {"id": name, "title": f"Panel {name}", "kind": kind, "unit": unit, "target": target, "about": "What it is."}


def series(label: str, *values: float | None) -> dict[str, Any]:
    """Return a series with a point each minute, as metrics have, the last one in the current minute."""
    last_s = time.time() // EVERY_S * EVERY_S
    points = [[last_s - EVERY_S * back, value] for back, value in zip(itertools.count(), values[::-1])]
    return {"label": label, "points": points[::-1]}


def wave(label: str, middle: float, swing: float, count: int = 60) -> dict[str, Any]:
    return series(label, *(middle + swing * math.sin(at / 6) + swing * ((at * 37) % 11) / 22 for at in range(count)))


def shown(*all_series: dict[str, Any], value: float | None = None) -> dict[str, Any]:
    return {"series": list(all_series), "value": value}


def alarm(name: str, state: str = "OK", **more: Any) -> dict[str, Any]:
    return {
        "name": name,
        "title": f"Alarm {name}",
        "noticed": "images are late.",
        "state": state,
        "since_s": time.time() - 1200,
        "value": 0.3,
        "threshold": 0.2,
        "reason": "",
        "runbooks": ["docs/guides/runbooks/model-down.md"],
        "group": "",
        "pages": False,
        "composite": False,
        "suppressed": False,
    } | more


def change(name: str, before: str, after: str, minutes_ago: float) -> dict[str, Any]:
    at_s = time.time() - 60 * minutes_ago
    return {"at_s": at_s, "name": name, "from": before, "to": after, "reason": "because of 3 points", "value": 0.3}


def segment(name: str, start_ms: float, duration_ms: float, *children: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "id": f"{name}-{start_ms}",
        "name": name,
        "kind": "stage",
        "start_ms": start_ms,
        "duration_ms": duration_ms,
        "status": "ok",
        "annotations": {},
        "metadata": {},
        "children": list(children),
    } | more


def trace(number: int, duration_ms: float = 120.0, status: str = "ok", /, **annotations: Any) -> dict[str, Any]:
    return {
        "trace_id": f"1-6925c0de-{number:024x}",
        "started_s": time.time() - 30 * number,
        "duration_ms": duration_ms,
        "names": ["darkroom-transform"],
        "status": status,
        "annotations": annotations,
    }


def failed(kind: str = "refused", **more: Any) -> dict[str, Any]:
    return {
        "kind": kind,
        "key": "uploads/broken.jpg",
        "code": "damaged",
        "reason": "The image is damaged: it ends too early",
        "at_s": time.time() - 90,
        "trace_id": "1-6925c0de-000000000000000000000001",
        "picture": None,
    } | more


def line(message: str = "refused", code: str = "damaged", level: str = "WARNING", **fields: Any) -> dict[str, Any]:
    return {
        "at_s": time.time() - 60,
        "function": "ingest",
        "level": level,
        "message": message,
        "code": code,
        "trace_id": "1-6925c0de-000000000000000000000001",
        "fields": fields,
    }


def sample(key: str, **tasks: tuple[float | None, bool]) -> dict[str, Any]:
    """Return the log line about a sampled image; each task with its confidence, and whether it found nothing."""
    outputs = {task: {"confidence": confidence, "empty": empty} for task, (confidence, empty) in tasks.items()}
    inputs = {"key": key, "format": "jpeg", "pixels": 12_000_000, "brightness": 0.4}
    return line("image sampled", "", "INFO", **inputs, tasks=outputs, by="endpoint", variant="main")


def row(key: str, state: str = "ready") -> dict[str, Any]:
    return {
        "key": key,
        "state": state,
        "format": "jpeg",
        "width": 900,
        "height": 600,
        "size_bytes": 123_456,
        "at_s": time.time() - 300,
        "thumbhash": "",
    }


def three_dashboards(*panels: dict[str, Any]) -> dict[str, Any]:
    names = ("executive", "on-call", "debug")
    return {"dashboards": [{"name": name, "title": name, "panels": list(panels)} for name in names]}


def image() -> bytes:
    out = io.BytesIO()
    Image.open(io.BytesIO(jpeg_photo())).resize((300, 200)).save(out, "JPEG")
    return out.getvalue()


type Answer = Any | Callable[[web.Request], Any]


@dataclass
class Responses:
    """Responses by path below ``/_local/watch/``: a value, or a function of the request.

    ``requested`` are the requests below it, ``posted`` the bodies of decisions. All fail while ``broken`` is set.
    """

    answers: dict[str, Answer] = field(default_factory=dict)
    requested: list[str] = field(default_factory=list)
    posted: list[dict[str, Any]] = field(default_factory=list)
    broken: bool = False

    async def answer(self, request: web.Request) -> web.StreamResponse:
        path = request.path
        if path == "/_local/watch":
            return web.FileResponse(CONSOLE / "watch.html")
        if path.startswith("/_local/console/"):
            return web.FileResponse(find_console_file(path.rsplit("/", 1)[1]) or CONSOLE)
        if path.startswith("/_local/runbooks/"):
            return web.Response(text=(PAGES / f"{path.rsplit('/', 1)[1]}.md").read_text())
        if path.startswith(REVIEW):
            return self._respond_review(request, path.removeprefix(REVIEW))
        if path.startswith(API):
            self.requested.append(request.path_qs.removeprefix(API))
            if request.method == "POST":
                self.posted.append(json.loads(await request.text()))
            return self._respond(request)
        return web.Response(body=image(), content_type="image/jpeg")

    def _respond_review(self, request: web.Request, name: str) -> web.StreamResponse:
        """Answer for the shared pages of the review app; ``review`` and ``audit`` are among the answers."""
        if name == "review/image":
            return web.Response(body=image(), content_type="image/jpeg")
        further = {
            "session": {"name": "", "roles": ["reviewer"], "expires_s": 0, "named_by": "page"},
            "review/reason": {"key": request.query.get("key"), "labels": None, "model": None, "explanation": None},
        }
        found = (further | self.answers).get(name, [])
        return web.Response(status=502, text="bad gateway") if self.broken else web.json_response(found)

    def _respond(self, request: web.Request) -> web.StreamResponse:
        if self.broken:
            return web.Response(status=502, text="bad gateway")
        name = request.path.removeprefix(API)
        if name.startswith("traces/"):
            name = "traces/*"
        response = self.answers.get(f"POST {name}" if request.method == "POST" else name, _NOTHING.get(name, []))
        response = response(request) if callable(response) else response
        return response if isinstance(response, web.StreamResponse) else web.json_response(response)


_NOTHING: dict[str, Any] = {
    "dashboards": three_dashboards(*(panel(kind, kind) for kind in KINDS)),
    "data": lambda _: {"now_s": time.time(), "panels": {}},
    "index": {"rows": [], "next": ""},
}


@asynccontextmanager
async def serve_console(stage: Responses) -> AsyncIterator[str]:
    """Serve the page, and yield its address."""
    async with served(stage.answer) as address:
        yield f"{address}/_local/watch"
