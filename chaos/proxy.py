"""An HTTP proxy between workers and MiniStack that injects the faults of a plan."""

from __future__ import annotations

import asyncio
import json
import math
import socket
import struct
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import NamedTuple

from aiohttp import ClientError, ClientSession, ClientTimeout, DummyCookieJar, TCPConnector, web
from multidict import CIMultiDict
from yarl import URL

from . import parse_aws_request as requests
from .error_responses import build_response
from .faults import Fault, FaultPlan
from .parse_aws_request import AwsRequest

MAX_BODY_BYTES = 256 * 1024 * 1024
_HOP_BY_HOP = frozenset({"connection", "keep-alive", "te", "transfer-encoding", "upgrade", "expect"})
_NEVER_CARRIED_OUT = frozenset({Fault.ERROR, Fault.THROTTLE, Fault.RESET, Fault.HANG})


@dataclass(frozen=True, slots=True)
class Timing:
    """Times in seconds. ``hang_s`` exceeds the clients' timeouts; ``late_s`` limits the delay of late requests.

    ``delays`` scales the delay of sent messages, ``retries`` the visibility timeout of returned ones: a minute's wait
    would be most of a run.
    """

    hang_s: float = 4.0
    late_s: float = 2.0
    slow_s: float = 0.5
    delays: float = 1.0
    retries: float = 1.0

    def factors(self) -> dict[str, float]:
        """Return the factors by SQS's parameter names."""
        return {"DelaySeconds": self.delays, "VisibilityTimeout": self.retries}


class Answer(NamedTuple):
    """A response of MiniStack."""

    status: int
    headers: CIMultiDict[str]
    body: bytes


@dataclass
class Proxy:
    """Forwards requests from 127.0.0.1 to ``upstream``, except for the faults of ``plan``; counts them in ``injected``.

    ``calls`` counts the forwarded requests by call. ``pause`` waits before a late request is forwarded.
    """

    upstream: str
    plan: FaultPlan
    pace: Timing
    injected: Counter[tuple[str, Fault]] = field(default_factory=Counter)
    calls: Counter[str] = field(default_factory=Counter)
    pause: Callable[[float], Awaitable[None]] = asyncio.sleep
    _late: set[asyncio.Task[None]] = field(default_factory=set)

    @property
    def forwarded(self) -> int:
        """The number of forwarded requests."""
        return self.calls.total()

    async def start(self) -> str:
        """Listen on a free port. Return the URL."""
        application = web.Application(client_max_size=MAX_BODY_BYTES)
        application.router.add_route("*", "/{path:.*}", self._handle)
        self._session = ClientSession(
            connector=TCPConnector(limit=0),
            timeout=ClientTimeout(total=60),
            auto_decompress=False,
            cookie_jar=DummyCookieJar(),
        )
        self._runner = web.AppRunner(application, access_log=None)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        return f"http://127.0.0.1:{self._runner.addresses[0][1]}"

    async def settle(self) -> None:
        """Wait until all late requests have been forwarded."""
        while self._late:
            await asyncio.gather(*self._late)

    async def stop(self) -> None:
        """Close all connections."""
        await self.settle()
        await self._runner.cleanup()
        await self._session.close()

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        try:
            body = await request.read()
        except ConnectionError:  # the client was killed meanwhile
            return _reset(request)
        aws_request = requests.parse_request(request.method, request.raw_path, request.headers, body)
        fault, share = self.plan.decide(aws_request)
        if fault:
            self.injected[aws_request.service, fault] += 1
        if fault is Fault.LATE:
            self._send_late(request, aws_request, body, share)
            return _reset(request)
        if fault in _NEVER_CARRIED_OUT:
            return await self._replace_response(request, aws_request, fault)
        if fault is Fault.SLOW:
            await asyncio.sleep(self.pace.slow_s * share)
        answer = await self._forward(request, aws_request, body)
        if fault is None or fault is Fault.SLOW:
            return _plain(request, answer)
        if fault is Fault.CUT:
            return await _cut(request, answer, share)
        return await self._replace_response(request, aws_request, fault)

    async def _replace_response(
        self, request: web.Request, aws_request: AwsRequest, fault: Fault
    ) -> web.StreamResponse:
        if fault in (Fault.HANG, Fault.HANG_AFTER):
            await asyncio.sleep(self.pace.hang_s)
        if fault not in (Fault.ERROR, Fault.ERROR_AFTER, Fault.THROTTLE):
            return _reset(request)
        response = build_response(aws_request, fault)
        return web.Response(status=response.status, body=response.body, content_type=response.content_type)

    async def _forward(self, request: web.Request, aws_request: AwsRequest, body: bytes) -> Answer:
        headers = CIMultiDict(
            (name, value) for name, value in request.headers.items() if name.lower() not in _HOP_BY_HOP
        )
        if aws_request.service == "sqs":
            body = scale_delays(body, self.pace.factors())
            headers["Content-Length"] = str(len(body))
        url = URL(self.upstream + request.raw_path, encoded=True)
        self.calls[aws_request.call] += 1
        async with self._session.request(
            request.method, url, headers=headers, data=body, allow_redirects=False
        ) as answer:
            return Answer(answer.status, CIMultiDict(answer.headers), await answer.read())

    def _send_late(self, request: web.Request, aws_request: AwsRequest, body: bytes, share: float) -> None:
        async def later() -> None:
            await self.pause(self.pace.late_s * share)
            with suppress(ClientError, TimeoutError):
                await self._forward(request, aws_request, body)

        task = asyncio.create_task(later())
        self._late.add(task)
        task.add_done_callback(self._late.discard)


def scale_delays(body: bytes, factors: Mapping[str, float]) -> bytes:
    """Multiply waiting times in an SQS request by ``factors``, rounded up to whole seconds."""
    if not any(name.encode() in body for name in factors):
        return body
    document = json.loads(body)
    for part in (document, *document.get("Entries", ())):
        part |= {name: math.ceil(part[name] * factor) for name, factor in factors.items() if name in part}
    return json.dumps(document).encode()


def _plain(request: web.Request, answer: Answer) -> web.Response:
    headers = CIMultiDict((name, value) for name, value in answer.headers.items() if name.lower() not in _HOP_BY_HOP)
    if request.method != "HEAD":
        headers["Content-Length"] = str(len(answer.body))
    return web.Response(status=answer.status, headers=headers, body=answer.body)


async def _cut(request: web.Request, answer: Answer, share: float) -> web.StreamResponse:
    """Send the response's headers and ``share`` of its body, then reset the connection."""
    response = web.StreamResponse(status=answer.status, headers=_plain(request, answer).headers)
    with suppress(ConnectionError):
        await response.prepare(request)
        await response.write(answer.body[: int(len(answer.body) * share)])
    return _reset(request)


def _reset(request: web.Request) -> web.Response:
    """Close the connection so that the client sees a reset."""
    if request.transport is not None:
        connection = request.transport.get_extra_info("socket")
        with suppress(OSError):
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        request.transport.abort()
    return web.Response(status=500)
