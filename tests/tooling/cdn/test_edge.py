"""The local CDN's edge with real HTTP origins: one small server acts as an S3 bucket and a Function URL."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any, cast

import aiohttp
import pytest
from aiohttp import web
from botocore.credentials import Credentials
from multidict import CIMultiDict

from cloudfront_local import policies
from cloudfront_local.edge import Edge
from cloudfront_local.edge_event import BadResult, event_json, read_group, read_result
from cloudfront_local.edge_function import FunctionFailed, V8Function
from cloudfront_local.journal import Journal
from cloudfront_local.messages import Request, Response
from cloudfront_local.model import (
    Behaviour,
    CachePolicy,
    Distribution,
    ErrorPage,
    Origin,
    OriginGroup,
    OriginKind,
    Pick,
    PolicyHeader,
    ResponseHeadersPolicy,
    Selection,
    Selections,
)
from cloudfront_local.origins import MiniStackOrigins
from cloudfront_local.store import Entry, Store
from darkroom.http.response import find_error_page
from functions.edge.build import edge_code
from tests.component.template.stack import Stack
from tests.waiting import HANG_S, wait_until_async

GET_HEAD = frozenset({"GET", "HEAD"})
KEPT = {"Cache-Control": "max-age=10, s-maxage=60, stale-while-revalidate=30", "ETag": '"v1"'}


@dataclass
class Origins:
    """Responses of the two origins, and the requests they received. Default: 404 from S3, 500 from the function."""

    stored: dict[str, web.Response | Callable[[web.Request], Awaitable[web.Response]]] = field(default_factory=dict)
    render: Callable[[web.Request], Awaitable[web.Response]] | None = None
    asked: list[tuple[str, str, str]] = field(default_factory=list)
    headers: list[CIMultiDict[str]] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)

    async def handle(self, request: web.Request) -> web.Response:
        name = "s3" if request.host.startswith("bucket.") else "function"
        path = request.raw_path if name == "s3" else request.path  # MiniStack's Function URLs decode once
        self.asked.append((name, request.method, path))
        self.headers.append(CIMultiDict(request.headers))
        self.bodies.append(await request.read())
        if name == "function":
            return await self.render(request) if self.render else web.Response(status=500)
        found = self.stored.get(request.raw_path, web.Response(status=404))
        if callable(found):
            return await found(request)
        return web.Response(status=found.status, body=found.body, headers=found.headers)

    @property
    def renders(self) -> int:
        return sum(name == "function" for name, _, _ in self.asked)


@dataclass
class Clock:
    now_s: float = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now_s


def distribution(origin_timeout_s: float = HANG_S, **changes: Any) -> Distribution:
    own = {
        "pattern": "*",
        "target": "group",
        "methods": GET_HEAD | {"OPTIONS"},
        "cached_methods": GET_HEAD,
        "cache": CachePolicy(min_ttl_s=0, default_ttl_s=0),
        "respond": ResponseHeadersPolicy((PolicyHeader("Accept-CH", "DPR", True),)),
    }
    return Distribution(
        "D1",
        "d1.cloudfront.net",
        (Behaviour(**(own | changes)),),
        {
            "s3": Origin(
                "s3", "bucket.s3.us-east-1.amazonaws.com", "/derivatives", OriginKind.S3, (), origin_timeout_s
            ),
            "function": Origin("function", "f.lambda-url.us-east-1.on.aws", "", OriginKind.FUNCTION_URL, (), HANG_S),
        },
        {"group": OriginGroup("group", ("s3", "function"), frozenset({403, 404}))},
        {500: 0, 502: 0, 503: 0, 504: 0, 404: 0},
    )


@asynccontextmanager
async def edge_over(origins: Origins, config: Distribution | None = None, **functions: str) -> AsyncIterator[Edge]:
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", origins.handle)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    engines = {name: V8Function(source, {}) for name, source in functions.items()}
    async with aiohttp.ClientSession(auto_decompress=False) as session:
        rim = MiniStackOrigins(session, f"http://127.0.0.1:{port}", "us-east-1", Credentials("k", "s"), Journal())
        yield Edge(config or distribution(), dict(engines), rim, Clock(), report=lambda _: None)
    for engine in engines.values():
        engine.close()
    await runner.cleanup()


def get(path: str = "/a", method: str = "GET", **headers: str) -> Request:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    path, mark, query = path.partition("?")
    return Request(method, path, query if mark else None, CIMultiDict(named), "192.0.2.7", "id-1")


def image(body: bytes = b"0123456789", **headers: str) -> web.Response:
    return web.Response(body=body, content_type="image/webp", headers=KEPT | headers)


async def rendered(_: web.Request) -> web.Response:
    return image(b"rendered")


def test_a_miss_in_s3_calls_the_function_once() -> None:
    async def scenario() -> None:
        origins = Origins(render=rendered)
        async with edge_over(origins) as edge:
            first, second = await edge.answer(get()), await edge.answer(get())
        assert (first.status, first.body, first.headers["X-Cache"]) == (200, b"rendered", "Miss from cloudfront")
        assert (second.body, second.headers["X-Cache"], second.headers["Age"]) == (
            b"rendered",
            "Hit from cloudfront",
            "0",
        )
        assert origins.asked == [("s3", "GET", "/derivatives/a"), ("function", "GET", "/a")]

    asyncio.run(scenario())


@pytest.mark.parametrize(("status", "renders"), [(403, 1), (500, 1), (502, 1), (503, 1), (504, 1), (400, 0), (501, 0)])
def test_the_function_is_called_when_s3_fails(status: int, renders: int) -> None:
    async def scenario() -> None:
        origins = Origins({"/derivatives/a": web.Response(status=status)}, render=rendered)
        group = Stack().properties("Distribution")["DistributionConfig"]["OriginGroups"]["Items"][0]
        statuses = frozenset(group["FailoverCriteria"]["StatusCodes"]["Items"])
        config = replace(distribution(), groups={"group": OriginGroup("group", ("s3", "function"), statuses)})
        async with edge_over(origins, config) as edge:
            answer = await edge.answer(get())
        assert (answer.status, origins.renders) == (200 if renders else status, renders)

    asyncio.run(scenario())


def test_an_error_has_the_body_of_its_page_once_that_is_cached() -> None:
    """The page comes from the same function, so it is fetched while this one responds."""
    pages = {504: ErrorPage("/_/errors/504.json", 504)}
    own = Behaviour("/_/errors/*", "function", GET_HEAD, GET_HEAD, CachePolicy(min_ttl_s=0, default_ttl_s=0))
    serves = True

    async def render(request: web.Request) -> web.Response:
        page = find_error_page(request.path)
        if page is None or not serves:
            return web.Response(status=504, text="Gateway Timeout")
        return web.Response(text=str(page["body"]), headers=cast(Any, page["headers"]))

    async def scenario() -> None:
        nonlocal serves
        config = distribution()
        config = replace(config, behaviours=(own, *config.behaviours), error_pages=pages)
        async with edge_over(Origins(render=render), config) as edge:
            serves = False
            assert (await edge.answer(get())).body == b"Gateway Timeout"
            serves = True
            first = await edge.answer(get())
            serves = False
            second = await edge.answer(get("/b"))
        for answer in (first, second):
            assert (answer.status, answer.headers["X-Cache"]) == (504, "Error from cloudfront")
            assert answer.headers["Content-Type"].startswith("application/problem+json")
            assert answer.headers["X-Darkroom-Error"] == json.loads(answer.body)["code"] == "timed-out"
            assert answer.headers["Cache-Control"].startswith("public, max-age=0,"), "no browser keeps it"

    asyncio.run(scenario())


def test_a_stored_derivative_needs_no_function() -> None:
    async def scenario() -> None:
        origins = Origins({"/derivatives/caf%C3%A9%20x.jpg/_/w-1.webp": image()})
        async with edge_over(origins) as edge:
            answer = await edge.answer(get("/caf%C3%A9%20x.jpg/_/w-1.webp"))
        assert (answer.status, origins.renders) == (200, 0)
        assert answer.headers["Accept-CH"] == "DPR"

    asyncio.run(scenario())


def test_a_function_receives_the_encoded_path() -> None:
    async def scenario() -> None:
        origins = Origins(render=rendered)
        async with edge_over(origins) as edge:
            await edge.answer(get("/caf%C3%A9%20%2B.jpg/_/w-1.webp"))
        assert origins.asked[-1] == ("function", "GET", "/caf%C3%A9%20%2B.jpg/_/w-1.webp")

    asyncio.run(scenario())


def test_requests_to_both_origins_are_signed() -> None:
    async def scenario() -> None:
        origins = Origins(render=rendered)
        async with edge_over(origins) as edge:
            await edge.answer(get())
        s3, function = (headers["Authorization"] for headers in origins.headers)
        assert {name.lower() for name in origins.headers[1]} == {
            *("host", "user-agent", "x-forwarded-for", "via", "x-amz-cf-id", "authorization", "x-amz-date")
        }
        assert "/us-east-1/s3/aws4_request" in s3
        assert "/us-east-1/lambda/aws4_request" in function
        assert [headers["Host"] for headers in origins.headers] == [
            "bucket.s3.us-east-1.amazonaws.com",
            "f.lambda-url.us-east-1.on.aws",
        ]

    asyncio.run(scenario())


def test_concurrent_misses_are_one_fetch() -> None:
    async def scenario() -> None:
        gate = asyncio.Event()

        async def slow(_: web.Request) -> web.Response:
            await gate.wait()
            return image(b"slow")

        origins = Origins(render=slow)
        async with edge_over(origins) as edge:
            waiting = [asyncio.create_task(edge.answer(get())) for _ in range(20)]
            await wait_until_async(lambda: origins.renders, "the origin is asked")
            gate.set()
            answers = await asyncio.gather(*waiting)
        assert {answer.body for answer in answers} == {b"slow"}
        assert origins.renders == 1
        assert sum(answer.headers["X-Cache"].startswith("Miss") for answer in answers) == 1

    asyncio.run(scenario())


def test_without_collapsing_each_miss_fetches_and_success_is_cached() -> None:
    async def scenario() -> None:
        gates, entered = [asyncio.Event() for _ in range(3)], 0

        async def throttled_after_the_first(_: web.Request) -> web.Response:
            nonlocal entered
            number, entered = entered, entered + 1
            await gates[number].wait()
            return web.Response(status=429) if number else image(b"rendered")

        origins = Origins(render=throttled_after_the_first)
        async with edge_over(origins) as edge:
            edge.collapsing = False
            waiting = [asyncio.create_task(edge.answer(get())) for _ in gates]
            await wait_until_async(lambda: origins.renders == len(gates), "the origin is asked")
            statuses = []
            for gate in gates:
                gate.set()
                done, _ = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
                statuses += [task.result().status for task in done]
                waiting = [task for task in waiting if task not in done]
            later = await edge.answer(get())
        assert statuses == [200, 429, 429]
        assert (later.body, later.headers["X-Cache"]) == (b"rendered", "Hit from cloudfront")
        assert origins.renders == len(gates)

    asyncio.run(scenario())


def test_private_responses_are_not_shared_by_collapsing() -> None:
    async def scenario() -> None:
        gate = asyncio.Event()
        count = 0

        async def personal(_: web.Request) -> web.Response:
            nonlocal count
            count += 1
            own = count
            await gate.wait()
            return web.Response(text=str(own), headers={"Cache-Control": "private"})

        origins = Origins(render=personal)
        async with edge_over(origins) as edge:
            waiting = [asyncio.create_task(edge.answer(get())) for _ in range(3)]
            await wait_until_async(lambda: origins.renders, "the origin is asked")
            gate.set()
            answers = await asyncio.gather(*waiting)
        assert {answer.body for answer in answers} == {b"1", b"2", b"3"}

    asyncio.run(scenario())


def test_a_disconnected_viewer_does_not_cancel_a_shared_fetch() -> None:
    async def scenario() -> None:
        gate = asyncio.Event()

        async def slow(_: web.Request) -> web.Response:
            await gate.wait()
            return image(b"slow")

        origins = Origins(render=slow)
        async with edge_over(origins) as edge:
            leaving, staying = (asyncio.create_task(edge.answer(get())) for _ in range(2))
            await wait_until_async(lambda: origins.renders, "the origin is asked")
            leaving.cancel()
            gate.set()
            assert (await staying).body == b"slow"
        assert origins.renders == 1

    asyncio.run(scenario())


def test_stale_while_revalidate() -> None:
    async def scenario() -> None:
        origins = Origins({"/derivatives/a": image(b"old")})
        async with edge_over(origins) as edge:
            await edge.answer(get())
            origins.stored["/derivatives/a"] = image(b"new")
            edge.clock.now_s += 70  # type: ignore[attr-defined]
            stale = await edge.answer(get())
            async with asyncio.timeout(HANG_S):
                while (fresh := await edge.answer(get())).body == b"old":
                    await asyncio.sleep(0.01)
        assert (stale.body, stale.headers["X-Cache"], stale.headers["Age"]) == (b"old", "Hit from cloudfront", "70")
        assert fresh.body == b"new"

    asyncio.run(scenario())


def test_expired_responses_are_revalidated_by_etag() -> None:
    async def confirm(request: web.Request) -> web.Response:
        if request.headers.get("If-None-Match") == '"v1"':
            return web.Response(status=304, headers=KEPT)
        return image(b"body")

    async def scenario() -> None:
        origins = Origins({"/derivatives/a": confirm})
        async with edge_over(origins) as edge:
            await edge.answer(get())
            edge.clock.now_s += 1000  # type: ignore[attr-defined]
            confirmed = await edge.answer(get())
            hit = await edge.answer(get())
        assert (confirmed.status, confirmed.body) == (200, b"body")
        assert confirmed.headers["X-Cache"] == "RefreshHit from cloudfront"
        assert hit.headers["X-Cache"] == "Hit from cloudfront"
        assert len(origins.asked) == 2

    asyncio.run(scenario())


def test_a_stale_response_is_served_on_origin_failure() -> None:
    async def scenario() -> None:
        origins = Origins({"/derivatives/a": image(b"old")})
        async with edge_over(origins) as edge:
            await edge.answer(get())
            origins.stored["/derivatives/a"] = web.Response(status=503)
            edge.clock.now_s += 1000  # type: ignore[attr-defined]
            survived = await edge.answer(get())
            origins.stored["/derivatives/a"] = image(b"new")
            healed = await edge.answer(get())
        assert (survived.status, survived.body) == (200, b"old")
        assert healed.body == b"new"

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("status", "cache_control", "fetches"), [(404, "max-age=60", 1), (422, "max-age=60", 2), (503, "", 2)]
)
def test_errors_are_cached_as_configured(status: int, cache_control: str, fetches: int) -> None:
    async def fail(_: web.Request) -> web.Response:
        return web.Response(status=status, headers={"Cache-Control": cache_control} if cache_control else {})

    async def scenario() -> None:
        origins = Origins(render=fail)
        async with edge_over(origins) as edge:
            answers = [await edge.answer(get()) for _ in range(2)]
        assert {answer.status for answer in answers} == {status}
        assert {answer.headers["X-Cache"] for answer in answers} == {"Error from cloudfront"}
        assert origins.renders == fetches

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("status", "own", "expected"), [(429, "", "1"), (503, "5", "5"), (413, "", "1"), (200, "", None), (302, "", None)]
)
def test_retry_after_is_sent_with_errors_only(status: int, own: str, expected: str | None) -> None:
    async def answered(_: web.Request) -> web.Response:
        return web.Response(status=status, headers={"Retry-After": own} if own else {})

    async def scenario() -> None:
        stack = Stack()
        policy = policies.response_headers_policy(
            stack.properties("ResponseHeadersPolicy")["ResponseHeadersPolicyConfig"]
        )
        config = distribution(respond=policy, response_function="vary")
        async with edge_over(
            Origins(render=answered), config, vary=stack.properties("VaryFunction")["FunctionCode"]
        ) as edge:
            answer = await edge.answer(get())
        assert (answer.status, answer.headers.get("Retry-After")) == (status, expected)
        assert "Sec-CH-DPR" in answer.headers["Vary"]

    asyncio.run(scenario())


ANOTHER_DAY = "Tue, 01 Dec 2026 10:00:00 GMT"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"If-Match": '"v1"'}, 200),
        ({"If-Match": '"v0", "v1"'}, 200),
        ({"If-Match": "*"}, 200),
        ({"If-Match": '"v0"'}, 412),
        ({"If-Match": 'W/"v1"'}, 412),
        ({"If-Match": ""}, 412),
        ({"If-Match": '"v1"', "Range": "bytes=0-3"}, 206),
        ({"If-Match": '"v0"', "Range": "bytes=0-3"}, 412),
        ({"If-Match": '"v1"', "If-None-Match": '"v1"'}, 304),
        ({"If-Match": '"v0"', "If-None-Match": '"v1"'}, 412),
        ({"If-Unmodified-Since": "Mon, 30 Nov 2026 10:00:00 GMT"}, 412),
        ({"If-Unmodified-Since": ANOTHER_DAY}, 200),
        ({"If-Unmodified-Since": "yesterday"}, 200),
        ({"If-Match": '"v1"', "If-Unmodified-Since": "Mon, 30 Nov 2026 10:00:00 GMT"}, 200),
    ],
)
def test_conditions_of_rfc_9110_hold_for_renders_and_cached_images(headers: dict[str, str], status: int) -> None:
    """The CDN ignores ``If-Match``; RFC 9110 (13.2.2) evaluates it before all others."""

    async def answered(_: web.Request) -> web.Response:
        return image(**{"Last-Modified": ANOTHER_DAY})

    async def scenario() -> None:
        function = Stack().properties("VaryFunction")["FunctionCode"]
        async with edge_over(Origins(render=answered), distribution(response_function="vary"), vary=function) as edge:
            first, second = [await edge.answer(get(**headers)) for _ in range(2)]
            plain = await edge.answer(get())
        assert (first.status, second.status) == (status, status)
        assert (plain.status, plain.body) == (200, b"0123456789"), "a failed condition is not cached"
        assert (first.headers["Cache-Control"] == "no-store") == (status == 412)

    asyncio.run(scenario())


def test_width_hints_share_the_cache_and_are_in_the_vary_of_their_requests_only() -> None:
    async def scenario() -> None:
        image = web.Response(body=b"image", headers=KEPT)
        origins = Origins({"/derivatives/photo.jpg/_/w-640.auto-legacy": image})
        functions = {"edge": edge_code(), "vary": Stack().properties("VaryFunction")["FunctionCode"]}
        async with edge_over(
            origins, distribution(request_function="edge", response_function="vary"), **functions
        ) as edge:
            wide = await edge.answer(get("/photo.jpg?w=auto", **{"Sec-CH-Width": "600"}))
            other = await edge.answer(get("/photo.jpg?w=auto", Width="481"))
            named = await edge.answer(get("/photo.jpg?w=640"))
        assert [answer.body for answer in (wide, other, named)] == [b"image"] * 3
        assert len(origins.asked) == 1
        assert wide.headers["Vary"] == other.headers["Vary"] == named.headers["Vary"] + ", Width, Sec-CH-Width"

    asyncio.run(scenario())


def test_an_unreachable_origin_fails_over_or_is_502_or_504() -> None:
    async def never(_: web.Request) -> web.Response:
        await asyncio.Event().wait()
        return image()

    async def scenario() -> None:
        origins = Origins({"/derivatives/a": never}, rendered)
        async with edge_over(origins, distribution(0.1)) as edge:
            assert (await edge.answer(get())).body == b"rendered"
        async with edge_over(origins, distribution(0.1, target="s3")) as edge:
            assert (await edge.answer(get())).status == 504
        async with edge_over(origins, distribution(target="s3")) as edge:
            edge.origins._endpoint_url = "http://127.0.0.1:1"  # type: ignore[attr-defined]
            assert (await edge.answer(get("/b"))).status == 502

    asyncio.run(scenario())


def test_ranges_conditions_and_head_use_the_cached_response() -> None:
    async def scenario() -> None:
        origins = Origins({"/derivatives/a": image()})
        async with edge_over(origins) as edge:
            part = await edge.answer(get(range="bytes=2-4"))
            outside = await edge.answer(get(range="bytes=99-"))
            unchanged = await edge.answer(get(if_none_match='"v1"'))
            other = await edge.answer(get(range="bytes=2-4", if_range='"v0"'))
            head = await edge.answer(get(method="HEAD"))
        assert (part.status, part.body, part.headers["Content-Range"]) == (206, b"234", "bytes 2-4/10")
        assert (outside.status, outside.headers["Content-Range"]) == (416, "bytes */10")
        assert (unchanged.status, unchanged.body, unchanged.headers["ETag"]) == (304, b"", '"v1"')
        assert (other.status, other.body) == (200, b"0123456789")
        assert (head.status, head.headers["X-Cache"]) == (200, "Hit from cloudfront")
        assert origins.asked == [("s3", "GET", "/derivatives/a")]
        assert "Range" not in origins.headers[0]

    asyncio.run(scenario())


def test_a_head_miss_is_forwarded_as_head() -> None:
    async def scenario() -> None:
        origins = Origins(render=rendered)
        async with edge_over(origins) as edge:
            head = await edge.answer(get(method="HEAD"))
        assert (head.status, head.headers["Content-Length"], head.body) == (200, "8", b"")
        assert [method for _, method, _ in origins.asked] == ["HEAD", "HEAD"]

    asyncio.run(scenario())


def test_invalidation_covers_running_fetches() -> None:
    async def scenario() -> None:
        gate = asyncio.Event()

        async def slow(_: web.Request) -> web.Response:
            await gate.wait()
            return image(b"old")

        origins = Origins({"/derivatives/p/_/x": slow, "/derivatives/q": image()})
        async with edge_over(origins) as edge:
            await edge.answer(get("/q"))
            early = asyncio.create_task(edge.answer(get("/p/_/x")))
            await wait_until_async(lambda: len(origins.asked) == 2, "the origin is asked")
            edge.invalidate(["/p/_/*"])
            gate.set()
            await early
            origins.stored["/derivatives/p/_/x"] = image(b"new")
            assert (await edge.answer(get("/p/_/x"))).body == b"new"
            assert (await edge.answer(get("/q"))).headers["X-Cache"] == "Hit from cloudfront"
            assert edge.invalidate(["/*"]) == 2

    asyncio.run(scenario())


REWRITE = """
function handler(event) {
  var request = event.request;
  if (request.uri === '/refuse')
    return {statusCode: 403, headers: {'content-type': {value: 'text/x-own'}}, body: 'no'};
  if (request.uri === '/throw') throw new Error('secret');
  if (request.uri === '/loop') for (;;) {}
  request.headers['x-seen'] = {value: request.rawQueryString() + '|' + (request.querystring.w || {}).value};
  request.uri = '/canonical' + request.uri;
  request.querystring = {};
  return request;
}
"""
SEES = Selections(Selection(Pick.ONLY, frozenset({"x-seen"})))


def test_the_edge_function_runs_before_the_cache() -> None:
    async def scenario() -> None:
        origins = Origins({"/derivatives/canonical/a": image()})
        config = distribution(request_function="edge", forward=SEES)
        async with edge_over(origins, config, edge=REWRITE) as edge:
            await edge.answer(get("/a?w=1&w=2", x_seen="injected"))
            hit = await edge.answer(get("/a"))
        assert origins.headers[0]["x-seen"] == "w=1&w=2|1"
        assert hit.headers["X-Cache"] == "Hit from cloudfront"

    asyncio.run(scenario())


@pytest.mark.slow
def test_the_edge_function_responds_or_fails_without_details(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario() -> None:
        origins = Origins(render=rendered)
        async with edge_over(origins, distribution(request_function="edge"), edge=REWRITE) as edge:
            refused = await edge.answer(get("/refuse"))
            thrown = await edge.answer(get("/throw"))
            with monkeypatch.context() as patch:
                patch.setattr("cloudfront_local.edge_function.TIME_LIMIT_S", 1.0)
                looped = await edge.answer(get("/loop"))
            after = await edge.answer(get("/a"))
        assert (refused.status, refused.body, refused.headers["content-type"]) == (403, b"no", "text/x-own")
        assert refused.headers["X-Cache"] == "FunctionGeneratedResponse from cloudfront"
        assert refused.headers["Accept-CH"] == "DPR"
        assert (thrown.status, looped.status) == (503, 503)
        assert b"secret" not in thrown.body
        assert thrown.headers["X-Cache"] == "FunctionExecutionError from cloudfront"
        assert after.status == 200
        assert origins.renders == 1

    asyncio.run(scenario())


ANSWERED = """
async function handler(event) {
  var response = event.response;
  response.headers.vary = {value: 'Accept, ' + response.headers.vary.value};
  return response;
}
"""


def test_a_viewer_response_function_runs_after_the_policy_except_on_errors() -> None:
    async def scenario() -> None:
        origins = Origins({"/derivatives/a": image(Vary="Cookie")})
        async with edge_over(origins, distribution(response_function="vary"), vary=ANSWERED) as edge:
            good, bad = await edge.answer(get()), await edge.answer(get("/missing"))
        assert (good.headers["Vary"], good.body) == ("Accept, Cookie", b"0123456789")
        assert bad.status == 500
        assert "Vary" not in bad.headers

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("request_sent", "status"),
    [(get(method="DELETE"), 403), (get("/" + "x" * 8192), 414), (get("/a?" + "x" * 8191), 414)],
)
def test_requests_that_cloudfront_rejects(request_sent: Request, status: int) -> None:
    async def scenario() -> None:
        origins = Origins(render=rendered)
        async with edge_over(origins) as edge:
            answer = await edge.answer(request_sent)
        assert (answer.status, answer.headers["X-Cache"], origins.asked) == (status, "Error from cloudfront", [])

    asyncio.run(scenario())


def test_options_are_forwarded_and_not_cached() -> None:
    async def scenario() -> None:
        origins = Origins({"/derivatives/a": image()})
        async with edge_over(origins) as edge:
            for _ in range(2):
                await edge.answer(get(method="OPTIONS"))
        assert len(origins.asked) == 2

    asyncio.run(scenario())


def test_an_http_api_receives_bodies_and_cookies() -> None:
    async def scenario() -> None:
        origins = Origins(render=rendered)
        api = Origin("api", "abc123.execute-api.us-east-1.amazonaws.com")
        config = distribution(
            target="api",
            methods=GET_HEAD | {"OPTIONS", "PUT", "POST", "PATCH", "DELETE"},
            forward=Selections(headers=Selection(Pick.EXCEPT, frozenset({"host"})), cookies=Selection(Pick.ALL)),
        )
        async with edge_over(origins, replace(config, origins={**config.origins, "api": api})) as edge:
            sent = get("/_/review/api/review?a=%20b", "POST", cookie="c=1", content_type="application/json")
            answer = await edge.answer(replace(sent, body=b"{}"))
        assert answer.status == 200
        assert origins.asked == [("function", "POST", "/_aws/execute-api/abc123/_/review/api/review")]
        assert origins.bodies == [b"{}"]
        assert (origins.headers[0]["cookie"], origins.headers[0]["content-type"]) == ("c=1", "application/json")
        assert "authorization" not in origins.headers[0]  # only S3 and Function URLs are signed for

    asyncio.run(scenario())


def test_event_shape() -> None:
    request = get("/a%20b?w=1&w=2&flag", cookie="c=1", accept="image/avif")
    event = event_json(request, distribution(), "viewer-request")
    assert event["context"] == {
        "distributionDomainName": "d1.cloudfront.net",
        "distributionId": "D1",
        "eventType": "viewer-request",
        "requestId": "id-1",
    }
    assert event["request"] == {
        "method": "GET",
        "uri": "/a%20b",
        "querystring": {"w": {"value": "1", "multiValue": [{"value": "1"}, {"value": "2"}]}, "flag": {"value": ""}},
        "headers": {"accept": {"value": "image/avif"}},
        "cookies": {"c": {"value": "1"}},
    }
    again = read_result(event["request"], request)
    assert isinstance(again, Request)
    assert (again.path, again.query, again.headers["cookie"]) == ("/a%20b", "w=1&w=2&flag", "c=1")


@pytest.mark.parametrize(
    "result",
    [None, 7, {}, {"uri": "no-slash"}, {"statusCode": "200"}, {"statusCode": 99}, {"uri": "/a", "headers": {"x": "y"}}],
)
def test_invalid_results(result: object) -> None:
    with pytest.raises(BadResult):
        read_result(result, get())


CHOOSER = """import cf from'cloudfront';
function handler(event) {
  if (event.request.uri !== '/stored') cf.createRequestOriginGroup(%s);
  return event.request;
}"""
GROUP = {"originIds": [{"originId": "function"}, {"originId": "s3"}], "failoverCriteria": {"statusCodes": [416]}}


def test_a_function_chooses_the_origins_of_a_request() -> None:
    async def answer(request: web.Request) -> web.Response:
        return web.Response(status=416) if request.path == "/large" else await rendered(request)

    async def scenario() -> None:
        origins = Origins({"/derivatives/large": image(b"large"), "/derivatives/stored": image()}, render=answer)
        config = distribution(request_function="edge")
        async with edge_over(origins, config, edge=CHOOSER % json.dumps(GROUP)) as edge:
            bodies = [(await edge.answer(get(path))).body for path in ("/a", "/large", "/stored")]
        assert bodies == [b"rendered", b"large", b"0123456789"]
        assert [(name, path) for name, _, path in origins.asked] == [
            ("function", "/a"),
            ("function", "/large"),
            ("s3", "/derivatives/large"),
            ("s3", "/derivatives/stored"),
        ]

    asyncio.run(scenario())


@pytest.mark.parametrize(
    "group",
    [
        {},
        {"originIds": GROUP["originIds"]},
        {**GROUP, "originIds": [{"originId": "function"}]},
        {**GROUP, "originIds": [{"originId": "function"}, {"originId": "elsewhere"}]},
        {**GROUP, "failoverCriteria": {"statusCodes": []}},
        {**GROUP, "failoverCriteria": {"statusCodes": [418]}},
    ],
)
def test_origins_that_cloudfront_refuses(group: dict[str, object]) -> None:
    with pytest.raises(BadResult):
        read_group(group, distribution())

    async def scenario() -> None:
        config = distribution(request_function="edge")
        async with edge_over(Origins(), config, edge=CHOOSER % json.dumps(group)) as edge:
            assert (await edge.answer(get())).status == 503

    asyncio.run(scenario())


def test_only_viewer_request_functions_choose_origins() -> None:
    async def scenario() -> None:
        chooser = CHOOSER.replace("return event.request", "return event.response") % json.dumps(GROUP)
        async with edge_over(Origins(render=rendered), distribution(response_function="vary"), vary=chooser) as edge:
            assert (await edge.answer(get())).status == 503

    asyncio.run(scenario())


READER = """import cf from'cloudfront';
async function handler(event) {
  const store = cf.kvs(), known = await store.exists('findings');
  try {
    const found = known ? await store.get('findings') : 'none', list = await store.get('list', {format: 'json'});
    return {uri: '/' + found + list.length};
  } catch (error) { return {uri: '/' + error.message}; }
}"""


def test_a_function_reads_its_key_value_store() -> None:
    async def check() -> None:
        function = V8Function(READER, {"list": "[1, 2]"})
        event = event_json(get(), distribution(), "viewer-request")
        assert (await function.run(event, None)).value == {"uri": "/none2"}
        function.hold({"findings": "b'2\u2028", "list": "[]"})
        assert (await function.run(event, None)).value == {"uri": "/b'2\u20280"}
        function.hold({"findings": "2"})
        assert (await function.run(event, None)).value == {"uri": "/KeyNotFound: list"}
        function.close()

    asyncio.run(check())


def test_a_function_without_a_key_value_store() -> None:
    async def check() -> None:
        function = V8Function(READER)
        with pytest.raises(FunctionFailed, match="no key-value store"):
            await function.run(event_json(get(), distribution(), "viewer-request"), None)
        function.close()

    asyncio.run(check())


def test_a_function_that_does_not_load() -> None:
    async def scenario() -> None:
        with pytest.raises(FunctionFailed):
            V8Function("function handler( {")

    asyncio.run(scenario())


def test_the_store_evicts_the_least_recently_used() -> None:
    from cloudfront_local.freshness import Lifetime

    def entry(size: int) -> Entry:
        return Entry("/", Response(200, CIMultiDict(), b"x" * size), Lifetime(True, 60), 0.0)

    store = Store(max_bytes=10_000)
    for name in ("a", "b", "c"):
        store.put((name,), entry(1000))
    assert store.get(("a",))
    store.put(("d",), entry(1000))
    assert [store.get((name,)) is not None for name in "abcd"] == [True, False, True, True]
    store.put(("huge",), entry(20_000))
    assert store.get(("huge",)) is None
    assert store.size_bytes == 3 * (1000 + 2048)
    store.clear()
    assert (len(store), store.size_bytes) == (0, 0)
