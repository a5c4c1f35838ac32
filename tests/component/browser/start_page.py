"""The console's pages in front of responses of a test, for states that a running stack leaves quickly."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from PIL import Image, ImageFilter

from darkroom.settings import DEFAULTS
from darkroom_analysis.review.playground import describe_options
from local.control_pages import CONSOLE, find_console_file

from .serving import served

KEY = "people/group.jpg"
EXPIRES_S = 4_000_000_000


def make_derivative(source: bytes, query: str) -> bytes:
    """Return a stand-in for a derivative: smaller, and blurred if it is redacted."""
    image = Image.open(io.BytesIO(source)).convert("RGB")
    if "fit=cover" in query:
        image = image.crop((image.width // 4, 0, image.width // 4 + image.height, image.height))
    image.thumbnail((960, 960))
    if "redact" in query:
        image = image.filter(ImageFilter.GaussianBlur(20))
    out = io.BytesIO()
    image.save(out, "JPEG")
    return out.getvalue()


@dataclass
class Responses:
    """Responses for the page. ``findings`` are returned in turn, the last one repeatedly.

    ``explained``: why a URL has its result; ``near``: similar images, ``alike``: look-alikes, ``tagged``: images with
    any tag, in pages of two. ``private``: unsigned requests for images are refused.
    """

    image: bytes
    findings: list[dict[str, Any]]
    near: list[dict[str, Any]] = field(default_factory=list)
    alike: list[dict[str, Any]] = field(default_factory=list)
    tagged: list[dict[str, Any]] = field(default_factory=list)
    mode: str = "endpoint"
    redacts: bool = True
    explained: dict[str, Any] | None = None
    explains: bool = True
    private: bool = False
    asked: list[str] = field(default_factory=list)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        path, query = request.path, request.query_string
        self.asked.append(path)
        if path.startswith("/_local/console/"):
            return web.FileResponse(find_console_file(path.rsplit("/", 1)[1]) or CONSOLE)
        if path == "/":
            return web.FileResponse(CONSOLE / "index.html")
        if path == "/_local/explain" and not self.explains:
            return web.Response(status=500, text="500 Internal Server Error")
        if path.startswith("/_"):
            return web.json_response(self._respond(path, request))
        if self.private and "s=" not in query:
            return web.json_response({"code": "unsigned", "detail": "This URL needs a signature"}, status=403)
        if "redact" in query and not self.redacts:
            problem = {"code": "findings-pending", "detail": "This image has not been analysed yet"}
            return web.json_response(problem, status=503, content_type="application/problem+json")
        if "f=json" in query:
            return web.json_response({"format": "jpeg", "width": 100, "height": 100})
        return web.Response(body=make_derivative(self.image, query), content_type="image/jpeg")

    def _respond(self, path: str, request: web.Request) -> Any:
        if path == "/_local/findings":
            return self.findings.pop(0) if len(self.findings) > 1 else self.findings[0]
        if path.startswith("/_similar/"):
            basis = request.query.get("basis", "embedding")
            return {"key": KEY, "basis": basis, "results": self.alike if basis == "likeness" else self.near}
        if path.startswith("/_tagged/"):
            keys = [each["key"] for each in self.tagged]
            start = keys.index(request.query["after"]) + 1 if "after" in request.query else 0
            page = self.tagged[start : start + 2]
            return {"results": page, "next": page[-1]["key"] if start + 2 < len(keys) else None}
        return {
            "/_local/inference": {"mode": self.mode, "state": "ready"},
            "/_local/photographs": [KEY, *(each["key"] for each in self.near)],
            "/_local/options": describe_options(DEFAULTS.presets) | {"dialects": {"/dit": "dit"}},
            "/_local/explain": {"detail": "not explained"} | (self.explained or {}),
            "/_local/journal": [],
            "/_local/sign": self._sign(request.query.get("target", "")),
            "/_local/upload-token": {"api": "", "token": "a-token"},
        }[path]

    def _sign(self, target: str) -> dict[str, Any]:
        if not self.private:
            return {"target": target}
        link = f"{target}{'&' if '?' in target else '?'}exp={EXPIRES_S}&s=signature"
        return {"target": link, "expires_s": EXPIRES_S, "is_private": True}


@asynccontextmanager
async def serve_start_page(answers: Responses) -> AsyncIterator[str]:
    """Serve the page, and yield its address."""
    async with served(answers.answer) as address:
        yield f"{address}/"
