"""The stack's control of its endpoints: what SageMaker's other API is asked on AWS."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from aiohttp import web

from .faults import Refusal
from .variants import Endpoints, Variant


def routes(prefix: str, endpoints: Endpoints) -> list[web.RouteDef]:
    """``GET <prefix>``: what is in service, and how often it was called. ``PUT <prefix>/<endpoint>``: other weights."""

    async def show(_: web.Request) -> web.StreamResponse:
        return web.json_response(endpoints.listed())

    async def weigh(request: web.Request) -> web.StreamResponse:
        """``{"weights": {name: number}}``; for a variant that is new ``{"weight": number, "url": its container's}``."""
        name = request.match_info["name"]
        try:
            endpoints.put(name, reweighed(endpoints.variants(name), await request.json()))
        except Refusal as refusal:
            return web.json_response(refusal.fault.document(), status=refusal.fault.status)
        except (ValueError, TypeError, KeyError, AttributeError):
            raise web.HTTPBadRequest(text='{"weights": {"main": 1, "canary": {"weight": 1, "url": "…"}}}') from None
        return web.json_response(endpoints.listed())

    return [web.get(prefix, show), web.put(f"{prefix}/{{name}}", weigh)]


def reweighed(variants: tuple[Variant, ...], document: Any) -> tuple[Variant, ...]:
    """``variants`` with the weights of a document, and its new ones at the end.

    Raises ValueError, TypeError, KeyError or AttributeError if the document is none.
    """
    weights, known = document["weights"], {variant.name: variant for variant in variants}
    for name, said in weights.items():
        weight, url = (float(said["weight"]), str(said["url"])) if isinstance(said, dict) else (float(said), "")
        if weight < 0:
            raise ValueError("a weight is not negative")
        known[name] = replace(known[name], weight=weight) if not url else Variant(name, weight, url, image=url)
    return tuple(known.values())
