"""The stack's pages and control endpoints on the CDN's port: the start page at ``/``, the rest below ``/_local``."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from http import HTTPStatus
from itertools import islice
from pathlib import Path

from aiohttp import web

from cli import runbooks
from cli.deployment import find_masters, list_masters
from cloudfront_local.hosts import Hosts
from cloudfront_local.journal import Journal
from darkroom.errors import DarkroomError
from darkroom.overlays.plugin import OVERLAYS
from darkroom.plan.option_plugins import register_plugin
from darkroom.services.live_settings import LiveSettings
from darkroom.services.upload_requests import Grant, make_token
from darkroom_analysis.review.app import PAGES
from darkroom_analysis.review.playground import EXTENSIONS, MAX_KEYS, describe_options
from darkroom_dialects.registry import DIALECTS
from darkroom_pipeline.aws.s3 import S3Bucket

from . import viewer
from .aws import Cloud
from .errors import StartError
from .link_signing import sign_for_page
from .paths import CONTROL, ROOT
from .stack_info import StackInfo

register_plugin(OVERLAYS)

CONSOLE = ROOT / "local" / "console"
FRONTENDS = ROOT / "frontends"
"""Modules for websites, of which the console uses the upload element."""
PAGE_FILES = {
    "/": "index.html",
    **{f"{CONTROL}/{name}": f"{name}.html" for name in ("upload", "watch", "zoom")},
}
"""The start page, and the pages to upload, to monitor and to zoom."""

DIALECT_PREFIXES = {prefix: one.name for one in DIALECTS for prefix in (one.prefix, *one.further_prefixes)}
NO_CACHE = {"Cache-Control": "no-cache"}
MAX_LISTED = 5000
"""Objects of a source bucket that are read to find images: five requests."""
TOKEN_LASTS_S = 900

type Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class ControlPages:
    """Handlers for the console and for tests."""

    def __init__(self, cloud: Cloud, info: StackInfo, live: Hosts, journal: Journal, state: Path) -> None:
        self._cloud = cloud
        self._info = info
        self._live = live
        self._journal = journal
        self._state = state
        self._settings = LiveSettings(S3Bucket(cloud.s3, info.media_bucket).read, fresh_s=0)

    def routes(self) -> list[web.RouteDef]:
        """Return all routes."""
        return [
            *(web.get(path, self.page) for path in PAGE_FILES),
            web.get(f"{CONTROL}/zoom/openseadragon.js", self.zoom_script),
            web.get(f"{CONTROL}/runbooks/{{name}}", self.runbook),
            web.get(f"{CONTROL}/upload-token", self.upload_token),
            web.get(f"{CONTROL}/console/{{name}}", self.console_file),
            web.get(f"{CONTROL}/options", self.options),
            web.get(f"{CONTROL}/photographs", self.photographs),
            web.get(f"{CONTROL}/sign", self.sign),
            web.get(f"{CONTROL}/cdn", self.cdn),
            web.get(f"{CONTROL}/journal", self.origin_log),
            web.post(f"{CONTROL}/cdn/restart", self.restart),
            web.post(f"{CONTROL}/cdn/refresh", self.refresh),
            web.post(f"{CONTROL}/cdn/collapsing", self.collapsing),
        ]

    async def page(self, request: web.Request) -> web.StreamResponse:
        """Return the page of :data:`PAGE_FILES` at the request's path."""
        return web.FileResponse(CONSOLE / PAGE_FILES[request.path], headers=NO_CACHE)

    async def zoom_script(self, _: web.Request) -> web.StreamResponse:
        """Return the script of the zoom page, or 503 with the reason why it is not available."""
        try:
            return web.FileResponse(await viewer.ensure_script(), headers=NO_CACHE)
        except StartError as error:
            return web.Response(status=HTTPStatus.SERVICE_UNAVAILABLE, text=str(error))

    async def runbook(self, request: web.Request) -> web.StreamResponse:
        """Return a runbook with the commands of this stack as text, by its name without ``.md``."""
        try:
            page = await asyncio.to_thread(runbooks.read_runbook, request.match_info["name"])
        except LookupError as error:
            raise web.HTTPNotFound from error
        here = runbooks.name_local_stack(asdict(self._info), self._state)
        return web.Response(text=runbooks.write_for(here, page), headers=NO_CACHE)

    async def console_file(self, request: web.Request) -> web.StreamResponse:
        """Return a file of the console."""
        path = find_console_file(request.match_info["name"])
        if path is None:
            raise web.HTTPNotFound
        return web.FileResponse(path, headers=NO_CACHE)

    async def options(self, _: web.Request) -> web.StreamResponse:
        """Return the option table, the current presets, and dialects by the prefix of their URLs."""
        try:
            presets = (await asyncio.to_thread(self._settings.current)).presets
        except DarkroomError as error:
            return web.json_response({"code": error.code, "detail": error.detail}, status=error.status)
        return web.json_response(describe_options(presets) | {"dialects": DIALECT_PREFIXES})

    async def photographs(self, _: web.Request) -> web.StreamResponse:
        """Return keys of masters with an image extension, the newest first, at most 200."""
        return web.json_response(await asyncio.to_thread(self._list_photographs))

    def _list_photographs(self) -> list[str]:
        listed = list_masters(*find_masters(self._cloud.s3, self._info.outputs["MastersUri"], self._info.media_bucket))
        images = [one for one in islice(listed, MAX_LISTED) if one[0].rpartition(".")[2].lower() in EXTENSIONS]
        return [key for key, _ in sorted(images, key=lambda one: -one[1].modified_s)[:MAX_KEYS]]

    async def sign(self, request: web.Request) -> web.StreamResponse:
        """``?target=<path and query>[&expires-in=<seconds>]``: return the signed URL and its expiry, or an error.

        A link to a private image has an expiry in any case.
        """
        target, seconds = request.query.get("target", ""), request.query.get("expires-in", "")
        try:
            settings = await asyncio.to_thread(self._settings.current)
            lasts_s = int(seconds) if seconds.isdigit() else None
            signed = sign_for_page(target, settings, self._info.signing_key, time.time(), lasts_s)
        except DarkroomError as error:
            return web.json_response({"code": error.code, "detail": error.message}, status=error.status)
        except ValueError as error:
            return web.json_response({"detail": str(error)}, status=HTTPStatus.BAD_REQUEST)
        return web.json_response(signed | {"url": f"{self._info.cdn_url}{signed['target']}"})

    async def upload_token(self, request: web.Request) -> web.StreamResponse:
        """``?prefix=<prefix or key>``: return an upload token, its expiry and the address of the upload API."""
        expires_s = int(time.time()) + TOKEN_LASTS_S
        try:
            token = make_token(Grant(request.query.get("prefix", ""), expires_s), self._info.signing_key)
        except DarkroomError as error:
            return web.json_response({"code": error.code, "detail": error.message}, status=error.status)
        return web.json_response({"token": token, "expires_s": expires_s, "api": self._info.upload_url})

    async def cdn(self, _: web.Request) -> web.StreamResponse:
        """Return the size of the CDN's cache."""
        store = self._live.main.edge.store if self._live.main.edge else ()
        return web.json_response({"answers": len(store), "size_bytes": getattr(store, "size_bytes", 0)})

    async def origin_log(self, request: web.Request) -> web.StreamResponse:
        """``?after=<number>``: return requests to origins since then, oldest first."""
        after = request.query.get("after", "0")
        return web.json_response(list(self._journal.since(int(after) if after.isdigit() else 0)))

    async def restart(self, _: web.Request) -> web.StreamResponse:
        """Clear the cache and reload the configuration, as after a restart of the CDN."""
        self._live.clear()
        self._live.load()
        return web.Response(status=HTTPStatus.NO_CONTENT)

    async def refresh(self, _: web.Request) -> web.StreamResponse:
        """Apply invalidations and deployments now instead of within a second."""
        await self._live.refresh()
        return web.Response(status=HTTPStatus.NO_CONTENT)

    async def collapsing(self, request: web.Request) -> web.StreamResponse:
        """``?on=1`` or ``?on=0``: set request collapsing, which is on by default."""
        if (value := request.query.get("on", "")) in ("0", "1"):
            self._live.collapse(on=value == "1")
            return web.Response(status=HTTPStatus.NO_CONTENT)
        raise web.HTTPBadRequest


def find_console_file(name: str) -> Path | None:
    """Return the file ``name`` of the console or of the folders that it shares, None if there is none."""
    folders = (CONSOLE, PAGES, FRONTENDS)
    return next((path for folder in folders if (path := folder / name).parent == folder and path.is_file()), None)
