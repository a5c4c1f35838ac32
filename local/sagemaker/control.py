"""Control of endpoints on the local stack, which on AWS is a deployment."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from aiohttp import web

from ..variant_servers import VariantServers
from .service_errors import RequestError
from .variants import Endpoints, Variant

WEIGHTS = '{"weights": {"main": 1, "canary": {"weight": 1, "url": "…"}}}'
VARIANT = '{"name": "canary", "models": "/a/folder", "weight": 1}'

type Change = Callable[[web.Request], Awaitable[None]]


def routes(prefix: str, endpoints: Endpoints, servers: VariantServers) -> list[web.RouteDef]:
    """Return routes: ``GET <prefix>`` lists endpoints with call counts; ``PUT <prefix>/<endpoint>`` sets weights.

    ``POST <prefix>/<endpoint>/variants`` adds a variant with the models of a folder; ``DELETE …/variants/<name>``
    removes it.
    """

    async def show(_: web.Request) -> web.StreamResponse:
        return web.json_response(endpoints.describe())

    async def weigh(request: web.Request) -> None:
        """``{"weights": {name: number}}``; for a new variant ``{"weight": number, "url": its container's}``."""
        name = request.match_info["name"]
        endpoints.put(name, change_weights(endpoints.variants(name), await request.json()))

    async def start(request: web.Request) -> None:
        """Start a variant. The response is sent when its server is ready."""
        document = await request.json()
        models, weight = Path(str(document["models"])), float(document["weight"])
        await servers.start(request.match_info["name"], str(document["name"]), models, weight)

    async def end(request: web.Request) -> None:
        await servers.end(request.match_info["name"], request.match_info["variant"])

    def make_handler(change: Change, usage: str) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        """Return a handler that applies ``change`` and lists the endpoints. A malformed body is answered with
        ``usage``.
        """

        async def handle(request: web.Request) -> web.StreamResponse:
            try:
                await change(request)
            except RequestError as error:
                return web.json_response(error.fault.document(), status=error.fault.status)
            except (ValueError, TypeError, KeyError, AttributeError):
                raise web.HTTPBadRequest(text=usage) from None
            return web.json_response(endpoints.describe())

        return handle

    endpoint = f"{prefix}/{{name}}"
    return [
        web.get(prefix, show),
        web.put(endpoint, make_handler(weigh, WEIGHTS)),
        web.post(f"{endpoint}/variants", make_handler(start, VARIANT)),
        web.delete(f"{endpoint}/variants/{{variant}}", make_handler(end, VARIANT)),
    ]


def change_weights(variants: tuple[Variant, ...], document: Any) -> tuple[Variant, ...]:
    """Return ``variants`` with the weights of a document, and new variants at the end.

    Raises ValueError, TypeError, KeyError or AttributeError if the document is malformed.
    """
    weights, known = document["weights"], {variant.name: variant for variant in variants}
    for name, entry in weights.items():
        weight, url = (float(entry["weight"]), str(entry["url"])) if isinstance(entry, dict) else (float(entry), "")
        if weight < 0:
            raise ValueError("a weight must not be negative")
        known[name] = Variant(name, weight, url, image=url) if url else replace(known[name], weight=weight)
    return tuple(known.values())
