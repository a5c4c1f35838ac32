"""SageMaker's APIs on one port: ``InvokeEndpoint``, forwarded to the container of a variant, and the control API."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Any
from uuid import uuid4

import aiohttp
from aiohttp import web

from .actions import Actions
from .document_store import DocumentStore
from .endpoint_description import EndpointDescription
from .packages import Packages
from .service_errors import RequestError, ServiceError, broken, model_error, timed_out, unavailable, validation
from .variants import Endpoints, Variant, choose_variant

MAX_PAYLOAD_BYTES = 25 * 1024 * 1024
"""Maximum body of a request and of a response (SageMaker developer guide, "Real-time inference")."""

CONTAINER_TIMEOUT_S = 60.0
"""Timeout of a container (API reference of InvokeEndpoint)."""

TARGET_VARIANT = "X-Amzn-SageMaker-Target-Variant"
INVOKED_VARIANT = "x-Amzn-Invoked-Production-Variant"
CUSTOM_ATTRIBUTES = "X-Amzn-SageMaker-Custom-Attributes"
INFERENCE_ID = "X-Amzn-SageMaker-Inference-Id"

FORWARDED = ("Content-Type", "Accept", CUSTOM_ATTRIBUTES, INFERENCE_ID)
"""Request headers that reach the container. SageMaker strips all others."""

NOT_ADDED = ("Accept", "Accept-Encoding", "User-Agent")
"""Headers that aiohttp would add. With its Accept-Encoding a container answers in gzip, which no SDK expects."""

RETURNED = ("Content-Type", CUSTOM_ATTRIBUTES)
"""Response headers of a container that reach the caller."""

MAX_ATTRIBUTES_CHARS = 1024
"""Maximum length of custom attributes (botocore's shape ``CustomAttributesHeader``)."""


@dataclass(frozen=True, slots=True)
class Invocation:
    """A call of a container, with status and latency.

    ``status`` is the container's own; 504 for a timeout, 503 for a refused connection, 502 for a lost one.
    """

    endpoint: str
    variant: str
    status: int
    latency_s: float


type Listener = Callable[[Invocation], None]

type Call = Callable[[], AbstractAsyncContextManager[None]]
"""Returns the context of a call of a container: it begins when the container is awake."""


@dataclass(frozen=True, slots=True)
class Runtime:
    """A running API: its address on 127.0.0.1, and its endpoints."""

    url: str
    endpoints: Endpoints
    capacities: EndpointDescription
    packages: Packages
    _listeners: list[Listener] = field(default_factory=list)
    _calls: dict[str, Call] = field(default_factory=dict)

    def wake(self, container_url: str, call: Call) -> None:
        """Call the container at ``container_url`` in the context ``call`` from now on."""
        self._calls[container_url] = call

    def listen(self, listener: Listener) -> None:
        """Call ``listener`` for each invocation from now on. It runs within the event loop and must not block."""
        self._listeners.append(listener)

    @property
    def port(self) -> int:
        """Return the port of the API."""
        return int(self.url.rsplit(":", 1)[1])


@asynccontextmanager
async def open_runtime(
    state: Path, *, timeout_s: float = CONTAINER_TIMEOUT_S, draw: Callable[[], float] = random.random
) -> AsyncIterator[Runtime]:
    """Serve on a free port of 127.0.0.1 until the context exits, with state in the folder ``state``.

    ``draw`` (0 to 1) selects among variants.
    """
    endpoints, documents = Endpoints(), DocumentStore(state)
    packages = Packages(documents)
    capacities = EndpointDescription(endpoints, documents, asyncio.get_running_loop().call_later)
    listeners: list[Listener] = []
    calls: dict[str, Call] = {}
    # No connection pool: a connection must not outlive a restarted container.
    connector = aiohttp.TCPConnector(limit=0, force_close=True)
    options: dict[str, Any] = {"timeout": aiohttp.ClientTimeout(total=timeout_s), "auto_decompress": False}
    async with aiohttp.ClientSession(connector=connector, skip_auto_headers=NOT_ADDED, **options) as session:
        app = web.Application(client_max_size=MAX_PAYLOAD_BYTES)
        api = _Api(endpoints, session, draw, listeners, calls)
        app.router.add_post("/", Actions(packages, capacities).answer)
        app.router.add_post("/endpoints/{name}/invocations", api.invoke)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=2.0)
        await runner.setup()
        try:
            site = web.TCPSite(runner, "127.0.0.1", 0, backlog=1024)
            await site.start()
            url = f"http://127.0.0.1:{runner.addresses[0][1]}"
            yield Runtime(url, endpoints, capacities, packages, listeners, calls)
        finally:
            await runner.cleanup()


class _Api:
    def __init__(
        self,
        endpoints: Endpoints,
        session: aiohttp.ClientSession,
        draw: Callable[[], float],
        listeners: Sequence[Listener],
        calls: Mapping[str, Call],
    ) -> None:
        self._endpoints = endpoints
        self._session = session
        self._draw = draw
        self._listeners = listeners
        self._calls = calls

    async def invoke(self, request: web.Request) -> web.StreamResponse:
        """Handle one call."""
        try:
            return await self._invoke(request)
        except web.HTTPRequestEntityTooLarge:
            return _too_large()
        except RequestError as error:
            return _error_response(error.fault)

    async def _invoke(self, request: web.Request) -> web.StreamResponse:
        name, target = request.match_info["name"], request.headers.get(TARGET_VARIANT, "")
        if (request.content_length or 0) > MAX_PAYLOAD_BYTES:
            return _too_large()
        if len(request.headers.get(CUSTOM_ATTRIBUTES, "")) > MAX_ATTRIBUTES_CHARS:
            raise RequestError(validation(f"{CUSTOM_ATTRIBUTES} has more than {MAX_ATTRIBUTES_CHARS} characters"))
        variant = choose_variant(name, self._endpoints.variants(name), at=self._draw(), target=target)
        body = await request.read()
        self._endpoints.count(name, variant)
        headers = {name: request.headers[name] for name in FORWARDED if name in request.headers}
        async with self._calls.get(variant.url, nullcontext)():
            began_s = time.monotonic()
            status, answer, answer_headers = await self._post(variant, body, headers)
        invocation = Invocation(name, variant.name, status, time.monotonic() - began_s)
        for listener in self._listeners:
            listener(invocation)
        if isinstance(answer, ServiceError):
            raise RequestError(answer)
        if not HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
            raise RequestError(model_error(status, answer.decode(errors="replace")))
        returned = {name: answer_headers[name] for name in RETURNED if name in answer_headers}
        return web.Response(body=answer, headers={**returned, INVOKED_VARIANT: variant.name, **_request_id()})

    async def _post(
        self, variant: Variant, body: bytes, headers: Mapping[str, str]
    ) -> tuple[int, bytes | ServiceError, Mapping[str, str]]:
        """Return the container's status, body and headers, or the error for a container that does not respond."""
        try:
            async with self._session.post(f"{variant.url}/invocations", data=body, headers=headers) as response:
                return response.status, await response.read(), response.headers
        except TimeoutError:
            return HTTPStatus.GATEWAY_TIMEOUT, timed_out(), {}
        except aiohttp.ClientConnectorError:
            return HTTPStatus.SERVICE_UNAVAILABLE, unavailable(), {}
        except aiohttp.ClientError:
            return HTTPStatus.BAD_GATEWAY, broken(), {}


def _error_response(fault: ServiceError) -> web.Response:
    headers = {"x-amzn-ErrorType": fault.code, **_request_id()}
    return web.json_response(fault.document(), status=fault.status, headers=headers)


def _too_large() -> web.Response:
    """Return SageMaker's response to an oversized body: plain text, which SDKs report by its status."""
    text = f"HTTP content length exceeded {MAX_PAYLOAD_BYTES} bytes."
    return web.Response(status=HTTPStatus.REQUEST_ENTITY_TOO_LARGE, text=text, headers=_request_id())


def _request_id() -> dict[str, str]:
    return {"x-amzn-RequestId": str(uuid4())}
