"""A CDN that follows changes of the edge function's key-value store."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from multidict import CIMultiDict

from cloudfront_local.live import LiveEdge
from cloudfront_local.messages import Request, Response
from cloudfront_local.model import Origin
from darkroom.plan.presets import load_default_presets
from darkroom.settings import parse_settings
from darkroom_pipeline.aws.edge_store import EdgeStore, connect_edge_store
from darkroom_pipeline.plan.edge_settings import MAX_UPDATES, format_settings
from darkroom_pipeline.services.edge_publication import entries_of, publish
from functions.edge.build import edge_code
from local.aws import EdgeStores
from tests import commands
from tests.waiting import HANG_S, wait_until_async

pytestmark = pytest.mark.slow

NO_COOKIES_NOR_QUERIES = {
    "EnableAcceptEncodingGzip": False,
    "EnableAcceptEncodingBrotli": False,
    "HeadersConfig": {"HeaderBehavior": "none"},
    "CookiesConfig": {"CookieBehavior": "none"},
    "QueryStringsConfig": {"QueryStringBehavior": "none"},
}


class Echo:
    """An origin that responds with the path of the request."""

    async def send(
        self, origin: Origin, method: str, target: str, headers: CIMultiDict[str], request_id: str, body: bytes = b""
    ) -> Response:
        return Response(200, CIMultiDict({"Cache-Control": "max-age=60"}), target.encode(), origin.id)


@pytest.fixture
def store(aws: Callable[[str], Any], aws_environment: dict[str, str]) -> EdgeStore:
    """A store whose name is an id: MiniStack's ARNs end with the name, AWS's with an id, and validation demands one."""
    made = aws("cloudfront").create_key_value_store(Name=str(uuid4()))
    return connect_edge_store(made["KeyValueStore"]["ARN"], aws_environment)


def test_the_active_generation_is_read_and_changed(
    store: EdgeStore,
    aws_environment: dict[str, str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    outputs = {"FindingsStoreArn": store.arn, "MediaBucketName": "unused"}
    command = commands.local(aws_environment, tmp_path, capsys, outputs)
    assert command.run("findings", "active").out == "1\n"
    assert command.run("findings", "activate", "b2").out == "b2\n"
    assert command.run("findings", "active", "--json").document == {"generation": "b2"}
    for name in ("", "B2", "123456789", "b2\n"):
        done = command.run("findings", "activate", name)
        assert (done.code, "1 to 8 characters" in done.err) == (2, True)
    assert store.read() == {"findings": "b2"}


def _distribution(client: Any, arn: str) -> str:
    """Create a distribution with the edge function, which is associated with the store ``arn``."""
    name = f"edge-{uuid4().hex[:8]}"
    associations = {"Quantity": 1, "Items": [{"KeyValueStoreARN": arn}]}
    config = {"Comment": "", "Runtime": "cloudfront-js-2.0", "KeyValueStoreAssociations": associations}
    code = edge_code().encode()
    made = client.create_function(Name=name, FunctionConfig=config, FunctionCode=code)
    client.publish_function(Name=name, IfMatch=made["ETag"])
    policy = client.create_cache_policy(
        CachePolicyConfig={
            "Name": name,
            "MinTTL": 0,
            "ParametersInCacheKeyAndForwardedToOrigin": NO_COOKIES_NOR_QUERIES,
        }
    )
    arn = made["FunctionSummary"]["FunctionMetadata"]["FunctionARN"]
    origin = {"Id": "o", "DomainName": "b.s3.us-east-1.amazonaws.com", "S3OriginConfig": {"OriginAccessIdentity": ""}}
    answer = client.create_distribution(
        DistributionConfig={
            "CallerReference": name,
            "Comment": "",
            "Enabled": True,
            "Origins": {"Quantity": 1, "Items": [origin]},
            "DefaultCacheBehavior": {
                "TargetOriginId": "o",
                "ViewerProtocolPolicy": "allow-all",
                "CachePolicyId": policy["CachePolicy"]["Id"],
                "FunctionAssociations": {
                    "Quantity": 1,
                    "Items": [{"EventType": "viewer-request", "FunctionARN": arn}],
                },
            },
        }
    )
    return str(answer["Distribution"]["Id"])


def test_the_cdn_applies_a_new_generation_without_a_deployment(
    aws: Callable[[str], Any], store: EdgeStore, ministack_url: str
) -> None:
    client = aws("cloudfront")
    distribution = _distribution(client, store.arn)
    store.update({"settings": format_settings("guarded", "people/=faces")})

    async def check() -> None:
        reports: list[str] = []
        live = LiveEdge(client, EdgeStores(ministack_url).read, distribution, Echo(), reports.append)
        live.load()
        edge = live.edge
        assert edge is not None

        async def path(url: str) -> str:
            return (await edge.answer(Request("GET", url, None, CIMultiDict(), "192.0.2.7", "id"))).body.decode()

        assert await path("/people/a.jpg") == "/people/a.jpg/_/fv-1_h-2560_redact-faces_w-2560.auto-legacy"
        await live.refresh()
        assert reports == []
        store.update({"findings": "b2"})
        await live.refresh()
        assert reports == ["CDN: loaded new key-value store entries"]
        assert await path("/people/a.jpg") == "/people/a.jpg/_/fv-b2_h-2560_redact-faces_w-2560.auto-legacy"
        assert await path("/a.jpg") == "/a.jpg/_/h-2560_w-2560.auto-legacy"
        store.update({"findings": "1"})
        await live.refresh()
        assert await path("/people/a.jpg") == "/people/a.jpg/_/fv-1_h-2560_redact-faces_w-2560.auto-legacy"
        live.close()

    asyncio.run(check())


def test_the_first_request_after_a_rest_gets_what_changed(
    aws: Callable[[str], Any], store: EdgeStore, ministack_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cloudfront_local.live.POLL_S", 0.01)
    monkeypatch.setattr("cloudfront_local.live.REST_AFTER_S", 0.0)
    client = aws("cloudfront")
    distribution = _distribution(client, store.arn)
    stores, read = EdgeStores(ministack_url), list[str]()

    def read_store(arn: str) -> Mapping[str, str]:
        read.append(arn)
        return stores.read(arn)

    async def check() -> None:
        live = LiveEdge(client, read_store, distribution, Echo(), lambda _: None)
        live.load()
        following = asyncio.create_task(live.follow())
        await asyncio.sleep(0.1)
        before = len(read)
        store.update({"findings": "b3"})
        await asyncio.sleep(0.1)
        assert len(read) == before, "it rests"
        following.cancel()
        await asyncio.gather(live.catch_up(), live.catch_up())
        assert live.stored[store.arn]["findings"] == "b3"
        assert len(read) == before + 1, "requests at once share one look"
        monkeypatch.setattr("cloudfront_local.live.REST_AFTER_S", 60.0)
        store.update({"findings": "b4"})
        following = asyncio.create_task(live.follow())
        await wait_until_async(lambda: live.stored[store.arn]["findings"] == "b4", "the follower has seen it")
        following.cancel()
        live.close()

    asyncio.run(check())


def test_a_request_goes_on_if_cloudfront_does_not_answer(
    aws: Callable[[str], Any], store: EdgeStore, ministack_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {"POLL_S": 0.01, "REST_AFTER_S": 0.0, "CATCH_UP_WITHIN_S": 0.1}.items():
        monkeypatch.setattr(f"cloudfront_local.live.{name}", value)
    client = aws("cloudfront")
    distribution = _distribution(client, store.arn)
    stores, answers, ended = EdgeStores(ministack_url), threading.Event(), list[str]()
    answers.set()

    def read_store(arn: str) -> Mapping[str, str]:
        try:
            assert answers.wait(HANG_S)
            return stores.read(arn)
        finally:
            ended.append(arn)

    async def check() -> None:
        live = LiveEdge(client, read_store, distribution, Echo(), lambda _: None)
        live.load()
        following = asyncio.create_task(live.follow())
        await asyncio.sleep(0.1)
        following.cancel()
        answers.clear()
        before = len(ended)
        await live.catch_up()
        assert len(ended) == before, "it has not waited for the answer"
        answers.set()
        live.close()

    asyncio.run(check())


def test_the_cdn_applies_published_settings(aws: Callable[[str], Any], store: EdgeStore, ministack_url: str) -> None:
    client = aws("cloudfront")
    distribution = _distribution(client, store.arn)
    presets = {"banner": {"w": 700}, **dict.fromkeys(load_default_presets().options, False)}
    settings = {"presets": presets, "access_mode": "guarded", "always_redact": {"docs/": "text"}}

    async def check() -> None:
        live = LiveEdge(client, EdgeStores(ministack_url).read, distribution, Echo(), lambda _: None)
        live.load()
        edge = live.edge
        assert edge is not None

        async def body(url: str) -> str:
            path, _, query = url.partition("?")
            asked = Request("GET", path, query or None, CIMultiDict(), "192.0.2.7", "id")
            return (await edge.answer(asked)).body.decode()

        assert json.loads(await body("/a.jpg?w=0")) == {"code": "bad-option", "detail": "bad-option.w 0 400"}
        assert await body("/a.jpg?preset=cover") == "/a.jpg/_/fit-cover_g-attention_h-256_w-256.webp"
        changed = publish(store, entries_of(parse_settings(settings)))
        assert changed > MAX_UPDATES, "more than one call"
        await live.refresh()
        assert "w must be a whole number" in json.loads(await body("/a.jpg?w=0"))["detail"]
        assert json.loads(await body("/a.jpg?preset=cover"))["detail"].endswith("there are banner")
        assert await body("/a.jpg?preset=banner") == "/a.jpg/_/w-700.auto-legacy"
        assert await body("/a.jpg?w=700") == "/a.jpg/_/w-700.auto-legacy"
        assert await body("/docs/a.jpg") == "/docs/a.jpg/_/fv-1_h-2560_redact-text_w-2560.auto-legacy"
        assert await body("/people/a.jpg") == "/people/a.jpg/_/h-2560_w-2560.auto-legacy"
        live.close()

    asyncio.run(check())
