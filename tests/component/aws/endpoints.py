"""The local SageMaker in a thread: registry, endpoint and runtime, in front of containers with scripted answers."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import web

from darkroom.findings import Finding, finding_to_document
from darkroom_pipeline.aws.clients import create_client
from local.sagemaker.runtime import Runtime, open_runtime
from local.sagemaker.variants import Variant
from tests.waiting import HANG_S

NAME, GROUP = "darkroom", "darkroom-models"

type Sees = Callable[[str, bytes], Finding]
"""The finding of a model for a task and an image."""


@dataclass
class Container:
    """A scripted model server. It fails with ``status`` other than 200, and in the next ``fails`` calls.

    ``calls`` counts its calls.
    """

    sees: Sees
    status: int = 200
    calls: int = 0
    fails: int = 0

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.calls += 1
        status, self.fails = (500, self.fails - 1) if self.fails else (self.status, 0)
        jpeg = await request.read()
        attributes = request.headers["X-Amzn-SageMaker-Custom-Attributes"].split(";")
        tasks = next(one.removeprefix("tasks=") for one in attributes if one.startswith("tasks=")).split(",")
        found = {task: finding_to_document(self.sees(task, jpeg), vectors=True) for task in tasks}
        return web.Response(body=json.dumps({"tasks": found}), status=status, content_type="application/json")


@dataclass
class Models:
    """The running API. ``containers`` are those of the variants, by their names."""

    runtime: Runtime
    containers: Mapping[str, Container]
    ports: Mapping[str, int]
    endpoint: str
    _loop: asyncio.AbstractEventLoop
    environment: dict[str, str] = field(default_factory=dict)

    def client(self, service: str) -> Any:
        """A client of ``sagemaker`` or ``sagemaker-runtime`` that tries once."""
        return create_client(service, self.environment, attempts=1)

    def variants(self, **weights: float) -> None:
        """Set the variants of the endpoint; each runs the image ``<name>:1``."""
        declared = [
            Variant(name, weight, f"http://127.0.0.1:{self.ports[name]}", image=f"{name}:1")
            for name, weight in weights.items()
        ]

        async def declare() -> None:
            self.runtime.capacities.declare(self.endpoint, declared)

        asyncio.run_coroutine_threadsafe(declare(), self._loop).result(10)

    def weights(self) -> dict[str, float]:
        """Those in effect."""
        return {one.name: one.weight for one in self.runtime.endpoints.variants(self.endpoint)}


@contextmanager
def running(folder: Path, /, endpoint: str = NAME, **sees: Sees) -> Iterator[Models]:
    """The API over ``folder``, with a container for each variant of ``endpoint``, and an empty registry."""
    containers = {name: Container(one) for name, one in sees.items()}
    started: list[Models] = []
    ready, loop, ended = threading.Event(), asyncio.new_event_loop(), asyncio.Event()

    async def run() -> None:
        runners, ports = [], {}
        for name, container in containers.items():
            app = web.Application(client_max_size=1 << 26)
            app.router.add_post("/invocations", container.answer)
            runner = web.AppRunner(app, shutdown_timeout=0.1)
            await runner.setup()
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            runners.append(runner)
            ports[name] = int(runner.addresses[0][1])
        async with open_runtime(folder, timeout_s=HANG_S) as runtime:
            environment = {
                "AWS_ENDPOINT_URL_SAGEMAKER": runtime.url,
                "AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME": runtime.url,
                "AWS_REGION": "us-east-1",
                "AWS_ACCESS_KEY_ID": "test",
                "AWS_SECRET_ACCESS_KEY": "test",
            }
            started.append(Models(runtime, containers, ports, endpoint, loop, environment))
            ready.set()
            await ended.wait()
        for runner in runners:
            await runner.cleanup()

    thread = threading.Thread(target=loop.run_until_complete, args=(run(),))
    thread.start()
    assert ready.wait(HANG_S)
    try:
        started[0].client("sagemaker").create_model_package_group(ModelPackageGroupName=GROUP)
        yield started[0]
    finally:
        loop.call_soon_threadsafe(ended.set)
        thread.join(HANG_S)
        loop.close()
