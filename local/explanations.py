"""Why a URL has its result, and what it costs on AWS, for the console."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any

from aiohttp import web

from cli.deployment import Deployment, read_local
from cli.explain.dialects import UnexplainedDialect
from cli.explain.document import explain, target_of
from cli.explain.source import Source
from darkroom.errors import DarkroomError
from darkroom.services.serve.store_policy import load_unit_prices
from darkroom_dialects.iiif.url import parse

from .paths import CONTROL

MISSES = 1_000_000
RENDER_GETS = 2
"""Objects that a miss reads: the derivative, which is not there, and the master."""


class Explanations:
    """Handler for explanations of URLs. ``state`` is the folder of the stack."""

    def __init__(self, state: Path) -> None:
        self._state = state

    def routes(self) -> list[web.RouteDef]:
        """Return all routes."""
        return [web.get(f"{CONTROL}/explain", self.explain)]

    async def explain(self, request: web.Request) -> web.StreamResponse:
        """``?target=<path and query>[&render-ms=<ms>]``: return the document of ``darkroom explain``, and ``costs``.

        The last answers are left out, as reading logs takes a second. 400 for a URL that cannot be explained.
        """
        spent = request.query.get("render-ms", "")
        try:
            render_ms = float(spent) if spent else None
            return web.json_response(await asyncio.to_thread(self._explain, request.query.get("target", ""), render_ms))
        except UnexplainedDialect as error:
            key = find_iiif_key(request.query["target"])
            return web.json_response({"detail": str(error), "key": key}, status=400)
        except ValueError as error:
            return web.json_response({"detail": str(error)}, status=400)

    def _explain(self, target: str, render_ms: float | None) -> dict[str, Any]:
        deployment = read_local(self._state)
        source = Source.read(deployment, lambda _: (), time.time())
        found = explain(target_of(target), source)
        return {**found, "costs": _price(deployment, render_ms)}


def find_iiif_key(target: str) -> str:
    """Return the key in ``target``, a path of IIIF; "" if it has none."""
    try:
        return parse(target.partition("?")[0]).key
    except DarkroomError:
        return ""


def _price(deployment: Deployment, render_ms: float | None) -> dict[str, Any]:
    """Return USD of a million misses that take ``render_ms``, and of a million that find it stored."""
    name = deployment.functions["TransformFunction"]
    memory_mb = deployment.client("lambda").get_function_configuration(FunctionName=name)["MemorySize"]
    prices = load_unit_prices("arm64")
    render = None if render_ms is None else MISSES * prices.price_call(memory_mb, render_ms, RENDER_GETS)
    return {"memory_mb": memory_mb, "render_usd": render, "stored_usd": MISSES * prices.get}
