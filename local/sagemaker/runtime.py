"""``POST /endpoints/{name}/invocations``: calls passed on to the container of a production variant."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from uuid import uuid4

import aiohttp
from aiohttp import web

from .faults import Fault, Refusal, broken, model_error, timed_out, unavailable, validation
from .variants import Endpoints, chosen

MAX_PAYLOAD_BYTES = 25 * 1024 * 1024
"""Largest body of a call and of its answer (SageMaker developer guide, "Real-time inference")."""

ANSWERS_WITHIN_S = 60.0
"""How long a container may take (API reference of InvokeEndpoint)."""

TARGET_VARIANT = "X-Amzn-SageMaker-Target-Variant"
INVOKED_VARIANT = "x-Amzn-Invoked-Production-Variant"
CUSTOM_ATTRIBUTES = "X-Amzn-SageMaker-Custom-Attributes"
INFERENCE_ID = "X-Amzn-SageMaker-Inference-Id"

FORWARDED = ("Content-Type", "Accept", CUSTOM_ATTRIBUTES, INFERENCE_ID)
"""Headers that a container gets to see. SageMaker strips all others."""

NOT_ADDED = ("Accept", "Accept-Encoding", "User-Agent")
"""Headers that this client would add: a container that is told of gzip answers in gzip, which no SDK expects."""

RETURNED = ("Content-Type", CUSTOM_ATTRIBUTES)
"""Headers of a container that the caller gets to see."""

MAX_ATTRIBUTES_CHARS = 1024
"""Longest custom attributes (botocore's shape ``CustomAttributesHeader``)."""


@dataclass(frozen=True, slots=True)
class Runtime:
    """A running API: its address on 127.0.0.1, and the endpoints that it knows."""

    url: str
    endpoints: Endpoints

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self.url.rsplit(":", 1)[1])


@asynccontextmanager
async def open_runtime(
    *, answers_within_s: float = ANSWERS_WITHIN_S, draw: Callable[[], float] = random.random
) -> AsyncIterator[Runtime]:
    """Serve on a free port of 127.0.0.1 until the context ends. ``draw`` (0 to 1) decides between variants."""
    endpoints = Endpoints()
    # No pool: a container that was restarted must not be asked through a connection to the one before.
    connector = aiohttp.TCPConnector(limit=0, force_close=True)
    options: dict[str, Any] = {"timeout": aiohttp.ClientTimeout(total=answers_within_s), "auto_decompress": False}
    async with aiohttp.ClientSession(connector=connector, skip_auto_headers=NOT_ADDED, **options) as session:
        app = web.Application(client_max_size=MAX_PAYLOAD_BYTES)
        api = _Api(endpoints, session, draw)
        app.router.add_post("/endpoints/{name}/invocations", api.invoke)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=2.0)
        await runner.setup()
        try:
            site = web.TCPSite(runner, "127.0.0.1", 0, backlog=1024)
            await site.start()
            yield Runtime(f"http://127.0.0.1:{runner.addresses[0][1]}", endpoints)
        finally:
            await runner.cleanup()


class _Api:
    def __init__(self, endpoints: Endpoints, session: aiohttp.ClientSession, draw: Callable[[], float]) -> None:
        self._endpoints = endpoints
        self._session = session
        self._draw = draw

    async def invoke(self, request: web.Request) -> web.StreamResponse:
        """One call."""
        try:
            return await self._invoke(request)
        except web.HTTPRequestEntityTooLarge:
            return _too_large()
        except Refusal as refusal:
            return _answer(refusal.fault)

    async def _invoke(self, request: web.Request) -> web.StreamResponse:
        name, target = request.match_info["name"], request.headers.get(TARGET_VARIANT, "")
        if (request.content_length or 0) > MAX_PAYLOAD_BYTES:
            return _too_large()
        if len(request.headers.get(CUSTOM_ATTRIBUTES, "")) > MAX_ATTRIBUTES_CHARS:
            raise Refusal(validation(f"{CUSTOM_ATTRIBUTES} has more than {MAX_ATTRIBUTES_CHARS} characters"))
        variant = chosen(name, self._endpoints.variants(name), at=self._draw(), target=target)
        body = await request.read()
        self._endpoints.count(name, variant)
        headers = {name: request.headers[name] for name in FORWARDED if name in request.headers}
        try:
            async with self._session.post(f"{variant.url}/invocations", data=body, headers=headers) as told:
                answer = await told.read()
        except TimeoutError:
            raise Refusal(timed_out()) from None
        except aiohttp.ClientConnectorError:
            raise Refusal(unavailable()) from None
        except aiohttp.ClientError:
            raise Refusal(broken()) from None
        if not HTTPStatus.OK <= told.status < HTTPStatus.MULTIPLE_CHOICES:
            raise Refusal(model_error(told.status, answer.decode(errors="replace")))
        returned = {name: told.headers[name] for name in RETURNED if name in told.headers}
        return web.Response(body=answer, headers={**returned, INVOKED_VARIANT: variant.name, **_request_id()})


def _answer(fault: Fault) -> web.Response:
    headers = {"x-amzn-ErrorType": fault.code, **_request_id()}
    return web.json_response(fault.document(), status=fault.status, headers=headers)


def _too_large() -> web.Response:
    """SageMaker's front answers this in plain text, for which an SDK has no name but the status."""
    text = f"HTTP content length exceeded {MAX_PAYLOAD_BYTES} bytes."
    return web.Response(status=HTTPStatus.REQUEST_ENTITY_TOO_LARGE, text=text, headers=_request_id())


def _request_id() -> dict[str, str]:
    return {"x-amzn-RequestId": str(uuid4())}
