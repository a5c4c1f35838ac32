"""The template's distribution by price class or plan, as MiniStack creates it and the local CDN reads and runs it.

Requests of viewers are the same for each plan; so are variants, bodies and hits, whatever policies a plan has.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from itertools import product
from typing import Any

import pytest
from aiohttp import web

from cli.flat_rate.plans import load_flat_rate_plans
from cloudfront_local.messages import Response
from cloudfront_local.model import CachePolicy, Distribution
from cloudfront_local.read_config import function_source, function_store, read_distribution
from darkroom.plan.presets import load_default_presets
from darkroom.plan.variants import AccessMode
from darkroom_pipeline.plan.edge_settings import build_edge_entries
from local.aws import Cloud
from tests.component.template.stack import template
from tests.tooling.cdn.test_edge import KEPT, Origins, edge_over, get

TIERS = load_flat_rate_plans().tiers
PLANS = ("PriceClass_All", *TIERS)
WITH_FAILOVER = ("PriceClass_All", "premium")
MANAGED = ("free", "pro")
OUTSIDE = {
    "MediaBucket": "bucket.s3.us-east-1.amazonaws.com",
    "TransformFunctionUrl": "https://f.lambda-url.us-east-1.on.aws/",
    "RateLimit": "arn:aws:wafv2:us-east-1:000000000000:global/webacl/name/0a1b",
}
"""Attributes of resources that are not of CloudFront."""

ENTRIES = build_edge_entries(AccessMode.GUARDED, "", load_default_presets())


def _stand_in(node: Any) -> Any:
    if isinstance(node, list):
        return [_stand_in(item) for item in node]
    if not isinstance(node, dict):
        return node
    if "Fn::GetAtt" in node and node["Fn::GetAtt"][0] in OUTSIDE:
        return OUTSIDE[node["Fn::GetAtt"][0]]
    if "Fn::Sub" in node and "${UploadApi}" in node["Fn::Sub"]:
        return "api.execute-api.us-east-1.amazonaws.com"
    return {name: _stand_in(item) for name, item in node.items()}


def cdn_template() -> dict[str, Any]:
    """The part of the template that is CloudFront's."""
    whole = template()
    resources = {
        name: _stand_in(one)
        for name, one in whole["Resources"].items()
        if one["Type"].startswith("AWS::CloudFront::") and one.get("Condition") not in ("HasDropIn", "HasAllAlarms")
    }
    kept = {name: whole[name] for name in ("Parameters", "Rules", "Conditions", "Mappings") if name in whole}
    return {**kept, "Resources": resources, "Outputs": {"Id": {"Value": {"Ref": "Distribution"}}}}


@pytest.fixture(scope="module")
def deployed(ministack_url: str) -> Iterator[Callable[[str], tuple[Distribution, dict[str, str], bool]]]:
    """Deploys the template's CDN for a price class or plan: distribution, functions, whether there is a store."""
    cloud, created = Cloud(ministack_url), list[str]()
    cloud.s3.create_bucket(Bucket="cdn-of-plans")  # the body of a call may have 51,200 bytes
    cloud.s3.put_object(Bucket="cdn-of-plans", Key="template.json", Body=json.dumps(cdn_template()).encode())

    @cache
    def deploy(plan: str) -> tuple[Distribution, dict[str, str], bool]:
        name = f"cdn-of-{plan.replace('_', '-')}"
        parameters = [
            {"ParameterKey": "PriceClass", "ParameterValue": plan},
            {"ParameterKey": "WafRateLimit", "ParameterValue": "1000"},
        ]
        cloud.cloudformation.create_stack(
            StackName=name,
            TemplateURL=f"{ministack_url}/cdn-of-plans/template.json",
            Parameters=parameters,  # type: ignore[arg-type]
        )
        created.append(name)
        cloud.cloudformation.get_waiter("stack_create_complete").wait(StackName=name, WaiterConfig={"Delay": 1})
        found = read_distribution(cloud.cloudfront, cloud.read_outputs(name)["Id"])
        named = {one.request_function for one in found.behaviours} | {one.response_function for one in found.behaviours}
        functions = {one: function_source(cloud.cloudfront, one) for one in sorted(named - {""})}
        stores = [function_store(cloud.cloudfront, one) for one in functions]
        return found, functions, any(stores)

    yield deploy
    for name in created:
        cloud.cloudformation.delete_stack(StackName=name)


type Deployed = tuple[Distribution, dict[str, str], bool]


async def run(plan: Deployed, origins: Origins, urls: list[tuple[str, dict[str, str]]]) -> list[Response]:
    """The responses of the plan's distribution to requests of viewers, in order."""
    distribution, functions, has_store = plan
    async with edge_over(origins, distribution, **functions) as edge:
        for name, engine in edge.functions.items():
            if has_store and name.endswith("-edge"):
                engine.hold(ENTRIES)  # type: ignore[attr-defined]
            elif not has_store:
                _take_store(engine)
        return [await edge.answer(get(url, **headers)) for url, headers in urls]


def _take_store(engine: Any) -> None:
    """As without an association, where ``cf.kvs()`` throws an exception."""
    engine._engine.eval("__values = null; true")


async def rendered(request: web.Request) -> web.Response:
    """A rendering of the canonical path, as the transform function returns it."""
    return web.Response(body=request.path.encode(), content_type="image/webp", headers=KEPT)


SPELLINGS = ["/a.jpg?w=800", "/a.jpg?width=800", "/a.jpg?w=400&dpr=2", "/a.jpg?preset=cover", "/b.jpg", "/a.jpg?w=640"]
ACCEPT = ["image/avif,image/webp,*/*", "image/webp,*/*;q=0.8", "*/*"]
ENCODINGS = ["", "gzip", "gzip, deflate, br", "br;q=1.0, zstd"]
COOKIES = ["", "session=1; theme=dark"]


def viewers() -> list[tuple[str, dict[str, str]]]:
    """Requests that differ in what a cache key could contain."""
    return [
        (url, {"accept": accept, "accept_encoding": encoding, "cookie": cookie, "origin": "https://a.example"})
        for url, accept, encoding, cookie in product(SPELLINGS, ACCEPT, ENCODINGS, COOKIES)
    ]


@pytest.mark.parametrize("plan", PLANS)
def test_variants_and_hits_are_the_same_for_each_plan(deployed: Callable[[str], Deployed], plan: str) -> None:
    def summarise(name: str) -> tuple[list[tuple[int, bytes | None, str]], list[str], int]:
        origins = Origins(render=rendered)
        answers = asyncio.run(run(deployed(name), origins, viewers()))
        seen = [(one.status, one.body, one.headers["X-Cache"]) for one in answers]
        stored = sum(origin == "s3" for origin, _, _ in origins.asked)
        return seen, [path for origin, _, path in origins.asked if origin == "function"], stored

    usual, renders, reads = summarise("PriceClass_All")
    assert len(renders) == len(set(renders)) == 10, "one for each variant"
    assert sum(word == "Hit from cloudfront" for _, _, word in usual) == len(viewers()) - len(renders)
    assert reads == len(renders)
    seen, also, stored = summarise(plan)
    assert (seen, also) == (usual, renders)
    assert stored == (len(renders) if plan in WITH_FAILOVER else 0), "without failover the function reads the store"


@pytest.mark.parametrize("plan", PLANS)
def test_headers_of_a_response_are_the_same_for_each_plan(deployed: Callable[[str], Deployed], plan: str) -> None:
    asked = [("/a.jpg?w=800", {"accept": "*/*", "origin": "https://a.example"})]
    [answer] = asyncio.run(run(deployed(plan), Origins(render=rendered), asked))
    usual = {
        "Vary": "Accept, DPR, Sec-CH-DPR, Save-Data, Origin",
        "Accept-CH": "DPR, Sec-CH-DPR, Width, Sec-CH-Width",
        "Content-Security-Policy": "default-src 'none'; img-src 'self' data:; style-src 'unsafe-inline'; sandbox",
        "X-Content-Type-Options": "nosniff",
        "Strict-Transport-Security": "max-age=31536000",
        "Access-Control-Allow-Origin": "*",
        "Cache-Control": KEPT["Cache-Control"],
    }
    assert {name: answer.headers.get(name) for name in usual} == usual


@pytest.mark.parametrize("plan", PLANS)
def test_the_function_gets_headers_of_the_edge_not_of_the_viewer(
    deployed: Callable[[str], Deployed], plan: str
) -> None:
    origins = Origins(render=rendered)
    forged = {f"x_darkroom_{name}": "forged" for name in ("request", "signature", "expires", "url")}
    asyncio.run(run(deployed(plan), origins, [("/a.jpg?w=800", {"accept": "*/*", **forged})]))
    function = next(
        headers for headers, (name, _, _) in zip(origins.headers, origins.asked, strict=True) if name == "function"
    )
    assert function["x-darkroom-request"] == "/a.jpg/_/w-800.auto"
    assert function["x-darkroom-url"] == "/a.jpg?w=800"
    assert "forged" not in function.values()
    assert function["host"] == "f.lambda-url.us-east-1.on.aws"


@pytest.mark.parametrize("plan", PLANS)
def test_a_refused_signature_is_not_cached(deployed: Callable[[str], Deployed], plan: str) -> None:
    async def refuse(_: web.Request) -> web.Response:
        return web.Response(status=403, headers={"Cache-Control": "no-store"})

    origins = Origins(render=refuse)
    url = f"/a.jpg?w=801&s={'x' * 43}"
    answers = asyncio.run(run(deployed(plan), origins, [(url, {}), (url, {})]))
    assert [one.status for one in answers] == [403, 403]
    assert origins.renders == 2


@pytest.mark.parametrize("plan", [plan for plan in PLANS if plan not in WITH_FAILOVER])
def test_a_large_image_is_read_from_the_store_by_its_copy(deployed: Callable[[str], Deployed], plan: str) -> None:
    copy = f"/a.jpg/_/{'m' * 43}.large"

    async def redirect(_: web.Request) -> web.Response:
        return web.Response(status=302, headers={"Location": f"/_large{copy}", "Cache-Control": "no-store"})

    stored = web.Response(body=b"large", headers={"Cache-Control": "public, max-age=86400", "ETag": '"v1"'})
    origins = Origins({f"/derivatives{copy}": stored, "/derivatives/a.jpg/_/w-800.webp": stored}, redirect)
    urls = ["/a.jpg?w=800&f=webp", f"/_large{copy}", f"/_large{copy}", "/_large/a.jpg/_/w-800.webp", "/_large/a.jpg"]
    answers = asyncio.run(run(deployed(plan), origins, [(url, {}) for url in urls]))
    assert [one.status for one in answers] == [302, 200, 200, 404, 404]
    assert [one.body for one in answers[1:3]] == [b"large", b"large"]
    assert [name for name, _, _ in origins.asked] == ["function", "s3"], "no other stored object has a path"


def test_a_managed_policy_would_repeat_a_redirect_to_the_same_url(deployed: Callable[[str], Deployed]) -> None:
    """Why plans with failover have a cache policy of their own: managed ones keep each response for a second."""
    distribution, functions, has_store = deployed("PriceClass_All")
    managed = CachePolicy(min_ttl_s=1, default_ttl_s=86_400)
    default = replace(distribution.behaviours[-1], cache=managed)
    changed = replace(distribution, behaviours=(*distribution.behaviours[:-1], default))

    async def redirect(_: web.Request) -> web.Response:
        return web.Response(status=302, headers={"Location": "/a.jpg?w=800&f=webp", "Cache-Control": "no-store"})

    asked = [("/a.jpg?w=800&f=webp", {})] * 2
    for config, renders in ((distribution, 2), (changed, 1)):
        origins = Origins(render=redirect)
        asyncio.run(run((config, functions, has_store), origins, asked))
        assert origins.renders == renders


@pytest.mark.parametrize("plan", TIERS)
def test_the_policies_of_a_plan_are_those_that_aws_documents(deployed: Callable[[str], Deployed], plan: str) -> None:
    """MiniStack's managed policies are not ours: they show whether the ids name the policies that were meant."""
    distribution, _, _ = deployed(plan)
    default = distribution.behaviours[-1]
    assert (default.cache.min_ttl_s, default.cache.default_ttl_s) == ((1, 86_400) if plan in MANAGED else (0, 0))
    assert default.cache.encodings == ()
    assert default.cache.key == CachePolicy(0, 0).key, "the path is the key"
    assert default.target == ("stored-or-rendered" if plan in WITH_FAILOVER else "transform")


def test_managed_policies_of_the_table_exist(ministack_url: str) -> None:
    client = Cloud(ministack_url).cloudfront
    managed = load_flat_rate_plans().managed_policies
    assert {client.get_cache_policy(Id=one)["CachePolicy"]["Id"] for one in managed["cache"]} == set(managed["cache"])
    for one in managed["origin_request"]:
        assert client.get_origin_request_policy(Id=one)["OriginRequestPolicy"]["Id"] == one
    for one in managed["response_headers"]:
        assert client.get_response_headers_policy(Id=one)["ResponseHeadersPolicy"]["Id"] == one
