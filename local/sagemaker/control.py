"""The stack's control of its endpoints, for what on AWS would be another deployment."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

from aiohttp import web

from .service_errors import RequestError
from .variants import Endpoints, Variant

WEIGHTS = '{"weights": {"main": 1, "canary": {"weight": 1, "url": "…"}}}'
VARIANT = '{"name": "canary", "models": "/a/folder", "weight": 1}'

type Change = Callable[[web.Request], Awaitable[None]]


class Servers(Protocol):
    """Who runs model servers for variants. Both methods raise Refusal."""

    async def start(self, endpoint: str, name: str, models: Path, weight: float) -> None:
        """Serve the models of a folder as variant ``name``."""
        ...

    async def end(self, endpoint: str, name: str) -> None:
        """Take it out of service again."""
        ...


def routes(prefix: str, endpoints: Endpoints, servers: Servers) -> list[web.RouteDef]:
    """``GET <prefix>``: what is in service, and how often it was called. ``PUT <prefix>/<endpoint>``: other weights.

    ``POST <prefix>/<endpoint>/variants``: a variant with the models of a folder; ``DELETE …/variants/<name>`` ends it.
    """

    async def show(_: web.Request) -> web.StreamResponse:
        return web.json_response(endpoints.listed())

    async def weigh(request: web.Request) -> None:
        """``{"weights": {name: number}}``; for a variant that is new ``{"weight": number, "url": its container's}``."""
        name = request.match_info["name"]
        endpoints.put(name, change_weights(endpoints.variants(name), await request.json()))

    async def start(request: web.Request) -> None:
        """It is answered when the variant's server is ready."""
        asked = await request.json()
        models, weight = Path(str(asked["models"])), float(asked["weight"])
        await servers.start(request.match_info["name"], str(asked["name"]), models, weight)

    async def end(request: web.Request) -> None:
        await servers.end(request.match_info["name"], request.match_info["variant"])

    def changing(change: Change, usage: str) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        """What is in service after ``change``; ``usage`` is told who sends something else."""

        async def handle(request: web.Request) -> web.StreamResponse:
            try:
                await change(request)
            except RequestError as refusal:
                return web.json_response(refusal.fault.document(), status=refusal.fault.status)
            except (ValueError, TypeError, KeyError, AttributeError):
                raise web.HTTPBadRequest(text=usage) from None
            return web.json_response(endpoints.listed())

        return handle

    endpoint = f"{prefix}/{{name}}"
    return [
        web.get(prefix, show),
        web.put(endpoint, changing(weigh, WEIGHTS)),
        web.post(f"{endpoint}/variants", changing(start, VARIANT)),
        web.delete(f"{endpoint}/variants/{{variant}}", changing(end, VARIANT)),
    ]


def change_weights(variants: tuple[Variant, ...], document: Any) -> tuple[Variant, ...]:
    """``variants`` with the weights of a document, and its new ones at the end.

    Raises ValueError, TypeError, KeyError or AttributeError if the document is none.
    """
    weights, known = document["weights"], {variant.name: variant for variant in variants}
    for name, said in weights.items():
        weight, url = (float(said["weight"]), str(said["url"])) if isinstance(said, dict) else (float(said), "")
        if weight < 0:
            raise ValueError("a weight is not negative")
        known[name] = Variant(name, weight, url, image=url) if url else replace(known[name], weight=weight)
    return tuple(known.values())
