"""The local SageMaker runtime API, called by boto3, in front of a test container."""

from __future__ import annotations

import asyncio
import json
import threading
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
import pytest
from aiohttp import web
from botocore.config import Config
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st

from local.paths import StackPaths
from local.progress import Progress
from local.sagemaker import control
from local.sagemaker.runtime import MAX_PAYLOAD_BYTES, Invocation, Runtime, open_runtime
from local.sagemaker.service_errors import RequestError
from local.sagemaker.variants import Variant, choose_variant
from local.variant_servers import VariantServers
from tests.ports import free_port
from tests.waiting import HANG_S


@dataclass
class Container:
    """Behaviour of the container, and the requests it received."""

    status: int = 200
    silent: bool = False
    breaks: bool = False
    seen: list[tuple[dict[str, str], bytes]] = field(default_factory=list)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.seen.append(({name.lower(): value for name, value in request.headers.items()}, await request.read()))
        if self.silent:
            await asyncio.Event().wait()
        if self.breaks:
            assert request.transport is not None
            request.transport.abort()
        headers = {"X-Amzn-SageMaker-Custom-Attributes": "took=3", "X-Secret": "own"}
        return web.json_response({"said": "so"}, status=self.status, headers=headers)


@dataclass(frozen=True)
class Stage:
    """A running API with a container, and a boto3 client."""

    runtime: Runtime
    container: Container
    container_url: str
    control_url: str
    client: Any

    def invoke(self, **more: Any) -> dict[str, Any]:
        return dict(self.client.invoke_endpoint(EndpointName="darkroom", Body=b"picture", **more))

    def error(self, **more: Any) -> ClientError:
        with pytest.raises(ClientError) as caught:
            self.invoke(**more)
        return caught.value


@asynccontextmanager
async def serving(app: web.Application) -> AsyncIterator[str]:
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


@contextmanager
def in_a_thread(container: Container, folder: Path, timeout_s: float = HANG_S) -> Iterator[tuple[Runtime, str, str]]:
    """Run the API, the container and the control in an event loop in a thread, because boto3 blocks."""
    started: list[tuple[Runtime, str, str]] = []
    ready, loop = threading.Event(), asyncio.new_event_loop()
    ended = asyncio.Event()

    async def run() -> None:
        box, rim = web.Application(client_max_size=1 << 30), web.Application()
        box.router.add_post("/invocations", container.answer)
        async with open_runtime(folder, timeout_s=timeout_s) as runtime, serving(box) as box_url:
            rim.add_routes(
                control.routes(
                    "/sagemaker", runtime.endpoints, VariantServers(StackPaths(folder), runtime.endpoints, Progress())
                )
            )
            async with serving(rim) as rim_url:
                runtime.endpoints.put("darkroom", [Variant("main", 1.0, box_url)])
                started.append((runtime, box_url, rim_url))
                ready.set()
                await ended.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(run(),))
    thread.start()
    assert ready.wait(HANG_S)
    yield started[0]
    loop.call_soon_threadsafe(ended.set)
    thread.join(HANG_S)
    loop.close()


@contextmanager
def staged(folder: Path, timeout_s: float = HANG_S) -> Iterator[Stage]:
    container = Container()
    with in_a_thread(container, folder, timeout_s) as (runtime, box_url, rim_url):
        client: Any = boto3.client(
            "sagemaker-runtime",
            endpoint_url=runtime.url,
            region_name="us-east-1",
            aws_access_key_id="test",
            aws_secret_access_key="test",
            config=Config(retries={"total_max_attempts": 1}),
        )
        yield Stage(runtime, container, box_url, f"{rim_url}/sagemaker", client)


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    with staged(tmp_path) as started:
        yield started


def test_a_call_and_its_response(stage: Stage) -> None:
    answer = stage.invoke(
        ContentType="image/jpeg", Accept="application/json", CustomAttributes="tasks=faces", InferenceId="a-picture"
    )
    assert json.loads(answer["Body"].read()) == {"said": "so"}
    assert answer["ContentType"].startswith("application/json")
    assert (answer["InvokedProductionVariant"], answer["CustomAttributes"]) == ("main", "took=3")
    assert "x-secret" not in answer["ResponseMetadata"]["HTTPHeaders"]
    assert answer["ResponseMetadata"]["RequestId"]
    [(headers, body)] = stage.container.seen
    assert body == b"picture"
    assert headers["content-type"] == "image/jpeg"
    assert headers["x-amzn-sagemaker-custom-attributes"] == "tasks=faces"
    assert headers["x-amzn-sagemaker-inference-id"] == "a-picture"
    dropped = {"authorization", "x-amz-date", "x-amzn-sagemaker-target-variant", "accept-encoding"}
    assert not dropped & headers.keys()


def test_a_container_is_called_when_it_is_awake(stage: Stage) -> None:
    events: list[str] = []

    @asynccontextmanager
    async def call() -> AsyncIterator[None]:
        events.append(f"called after {len(stage.container.seen)}")
        yield
        events.append(f"ended after {len(stage.container.seen)}")

    stage.runtime.wake(stage.container_url, call)
    stage.invoke()
    stage.container.status = 503
    stage.error()
    assert events == ["called after 0", "ended after 1", "called after 1", "ended after 2"]


def test_an_error_of_the_model(stage: Stage) -> None:
    stage.container.status = 400
    error = stage.error()
    assert error.response["Error"]["Code"] == "ModelError"
    assert error.response["ResponseMetadata"]["HTTPStatusCode"] == 424
    assert isinstance(error, stage.client.exceptions.ModelError)
    assert (error.response["OriginalStatusCode"], error.response["OriginalMessage"]) == (400, '{"said": "so"}')
    assert "Received client error (400) from primary" in str(error)
    stage.container.status = 503
    assert "Received server error (503) from primary" in str(stage.error())


@pytest.mark.slow
def test_a_slow_container_times_out(tmp_path: Path) -> None:
    calls: list[Invocation] = []
    with staged(tmp_path, timeout_s=0.5) as stage:
        stage.runtime.listen(calls.append)
        stage.container.silent = True
        error = stage.error()
    [one] = calls
    assert (one.status, one.latency_s >= 0.5) == (504, True)
    assert (error.response["Error"]["Code"], error.response["OriginalStatusCode"]) == ("ModelError", 0)
    assert "timed out" in error.response["OriginalMessage"]


def test_a_stopped_container_and_a_crash_during_a_call(stage: Stage) -> None:
    stage.container.breaks = True
    error = stage.error()
    assert isinstance(error, stage.client.exceptions.InternalFailure)
    stage.runtime.endpoints.put("darkroom", [Variant("main", 1.0, f"http://127.0.0.1:{free_port()}")])
    error = stage.error()
    assert isinstance(error, stage.client.exceptions.ServiceUnavailable)
    assert error.response["ResponseMetadata"]["HTTPStatusCode"] == 503


def test_unknown_names_are_rejected(stage: Stage) -> None:
    with pytest.raises(stage.client.exceptions.ValidationError, match=r"Endpoint other of account \d+ not found"):
        stage.client.invoke_endpoint(EndpointName="other", Body=b"")
    error = stage.error(TargetVariant="canary")
    assert error.response["Error"]["Code"] == "ValidationError"
    assert "Variant canary not found" in str(error)
    assert stage.error(CustomAttributes="x" * 1025).response["Error"]["Code"] == "ValidationError"
    assert stage.container.seen == []


@pytest.mark.slow
def test_the_largest_payload_and_a_larger_one(stage: Stage) -> None:
    at_most = b"0" * MAX_PAYLOAD_BYTES
    stage.client.invoke_endpoint(EndpointName="darkroom", Body=at_most)
    assert len(stage.container.seen[0][1]) == MAX_PAYLOAD_BYTES
    with pytest.raises(ClientError) as caught:
        stage.client.invoke_endpoint(EndpointName="darkroom", Body=at_most + b"0")
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 413
    assert len(stage.container.seen) == 1


def test_listeners_receive_every_call(stage: Stage) -> None:
    calls: list[Invocation] = []
    stage.runtime.listen(calls.append)
    stage.invoke()
    stage.container.status = 400
    stage.error()
    stage.container.breaks = True
    stage.error()
    stage.error(TargetVariant="other")  # reaches no container
    assert [(one.endpoint, one.variant, one.status) for one in calls] == [
        ("darkroom", "main", status) for status in (200, 400, 502)
    ]
    stage.runtime.endpoints.put("darkroom", [Variant("main", 1.0, f"http://127.0.0.1:{free_port()}")])
    stage.error()
    assert calls[3].status == 503


def put(url: str, document: Any) -> Any:
    request = urllib.request.Request(url, json.dumps(document).encode(), method="PUT")
    with urllib.request.urlopen(request, timeout=HANG_S) as answer:
        return json.load(answer)


def test_weights_change_at_run_time(stage: Stage) -> None:
    weights = {"main": 0, "canary": {"weight": 2, "url": stage.container_url}}
    listed = put(f"{stage.control_url}/darkroom", {"weights": weights})
    assert {one["name"]: one["weight"] for one in listed["darkroom"]} == {"main": 0.0, "canary": 2.0}
    assert {stage.invoke()["InvokedProductionVariant"] for _ in range(5)} == {"canary"}
    assert stage.invoke(TargetVariant="main")["InvokedProductionVariant"] == "main"  # a target variant needs no weight
    with urllib.request.urlopen(stage.control_url, timeout=HANG_S) as answer:
        shown = json.load(answer)["darkroom"]
    assert {one["name"]: one["invocations"] for one in shown} == {"main": 1, "canary": 5}


@pytest.mark.parametrize(
    "document", [[], {}, {"weights": {"main": -1}}, {"weights": {"new": 1}}, {"weights": {"main": "much"}}]
)
def test_bad_weights_change_nothing(stage: Stage, document: Any) -> None:
    before = stage.runtime.endpoints.describe()
    with pytest.raises(urllib.error.HTTPError, match="400"):
        put(f"{stage.control_url}/darkroom", document)
    assert stage.runtime.endpoints.describe() == before
    with pytest.raises(urllib.error.HTTPError, match="400"):
        put(f"{stage.control_url}/other", {"weights": {}})


def test_calls_are_shared_by_weight() -> None:
    variants = [Variant("main", 3, ""), Variant("canary", 1, ""), Variant("off", 0, "")]
    counts = Counter(choose_variant("darkroom", variants, at=step / 1000).name for step in range(1000))
    assert counts == {"main": 750, "canary": 250}


@given(st.lists(st.floats(0, 1e6), max_size=5), st.floats(0, 1))
def test_only_a_variant_with_a_weight_is_drawn(weights: list[float], at: float) -> None:
    variants = [Variant(str(number), weight, "") for number, weight in enumerate(weights)]
    if any(weights):
        assert choose_variant("darkroom", variants, at=at).weight > 0
    else:
        with pytest.raises(RequestError):
            choose_variant("darkroom", variants, at=at)
