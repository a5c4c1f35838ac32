"""Two servers with their own models behind one endpoint, with calls split between them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from cli.models.degraded_model import write_degraded_models
from local.paths import StackPaths
from local.progress import Progress
from local.sagemaker import control
from local.sagemaker.runtime import Runtime, open_runtime
from local.sagemaker.variants import Variant
from local.variant_servers import VariantServers
from tests.images.detectors import models_folder
from tests.images.photographs import jpeg_photo
from tests.waiting import wait_until_async

from .serving import Server

pytestmark = pytest.mark.slow

TARGET, INVOKED = "X-Amzn-SageMaker-Target-Variant", "x-Amzn-Invoked-Production-Variant"


@dataclass(frozen=True)
class VariantControl:
    """The stack's control of an endpoint that has a variant ``main``."""

    runtime: Runtime
    servers: VariantServers
    session: aiohttp.ClientSession
    url: str

    async def post(self, **document: Any) -> tuple[int, str]:
        async with self.session.post(f"{self.url}/darkroom/variants", json=document) as answer:
            return answer.status, await answer.text()

    async def delete(self, name: str) -> int:
        async with self.session.delete(f"{self.url}/darkroom/variants/{name}") as answer:
            return answer.status

    async def flags(self, variant: str) -> tuple[str, bool]:
        """Which variant has answered, and whether it flags an everyday photograph."""
        headers = {TARGET: variant, "X-Amzn-SageMaker-Custom-Attributes": "tasks=moderation"}
        called = f"{self.runtime.url}/endpoints/darkroom/invocations"
        async with self.session.post(called, data=jpeg_photo(), headers=headers) as answer:
            document = json.loads(await answer.read())
            return answer.headers[INVOKED], document["tasks"]["moderation"]["flagged"]


@asynccontextmanager
async def staged(folder: Path, main_url: str) -> AsyncIterator[VariantControl]:
    async with open_runtime(folder / "sagemaker") as runtime, aiohttp.ClientSession() as session:
        servers = VariantServers(StackPaths(folder), runtime.endpoints, Progress())
        app = web.Application()
        app.add_routes(control.routes("/sagemaker", runtime.endpoints, servers))
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            runtime.endpoints.put("darkroom", [Variant("main", 9.0, main_url)])
            yield VariantControl(runtime, servers, session, f"http://127.0.0.1:{runner.addresses[0][1]}/sagemaker")
        finally:
            await servers.close()
            await runner.cleanup()


def on_stage(folder: Path, main_url: str, play: Callable[[VariantControl], Awaitable[None]]) -> None:
    async def run() -> None:
        async with staged(folder, main_url) as stage:
            await play(stage)

    asyncio.run(run())


def test_a_worse_model_answers_as_a_variant_of_its_own(server: Server, tmp_path: Path) -> None:
    worse = tmp_path / "worse"
    write_degraded_models(models_folder(), worse)

    async def play(stage: VariantControl) -> None:
        status, text = await stage.post(name="canary", models=str(worse), weight=1)
        assert status == 200, text
        main, canary = json.loads(text)["darkroom"]
        assert (main["weight"], canary["weight"], canary["image"]) == (9.0, 1.0, worse.as_uri())
        assert await stage.flags("main") == ("main", False)
        assert await stage.flags("canary") == ("canary", True)
        assert (await stage.post(name="canary", models=str(worse), weight=1))[0] == 400  # there is one
        assert await stage.delete("main") == 400  # the template's
        assert await stage.delete("canary") == 200
        assert [one.name for one in stage.runtime.endpoints.variants("darkroom")] == ["main"]
        async with stage.session.get(canary["url"] + "/ping") as answer:
            raise AssertionError(f"its server still lives: {answer.status}")

    with pytest.raises(aiohttp.ClientConnectorError):
        on_stage(tmp_path, f"http://127.0.0.1:{server.port}", play)


def test_a_folder_without_models_gets_no_variant(environment: None, tmp_path: Path) -> None:
    async def play(stage: VariantControl) -> None:
        status, text = await stage.post(name="canary", models=str(tmp_path), weight=1)
        assert status == 400
        assert "did not become ready" in text
        assert [one.name for one in stage.runtime.endpoints.variants("darkroom")] == ["main"]

    on_stage(tmp_path, "http://127.0.0.1:9", play)


def test_a_variant_can_be_ended_while_it_starts(environment: None, tmp_path: Path) -> None:
    async def play(stage: VariantControl) -> None:
        starting = asyncio.create_task(stage.post(name="canary", models=str(models_folder()), weight=1))
        await wait_until_async((tmp_path / "logs" / "endpoint-canary.log").exists, "its server is started")
        assert await stage.delete("canary") == 200
        status, text = await starting
        assert (status, "did not become ready" in text) == (400, True), text
        assert [one.name for one in stage.runtime.endpoints.variants("darkroom")] == ["main"]

    on_stage(tmp_path, "http://127.0.0.1:9", play)


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"name": "main"}, "already"),
        ({"name": "../main"}, "not a valid variant name"),
        ({"models": "models"}, "absolute path"),
        ({"models": "/nowhere/at/all"}, "absolute path"),
        ({"weight": -1}, "at least 0"),
        ({"weight": "much"}, "canary"),
        ({"models": None}, "absolute path"),
    ],
)
def test_what_makes_no_sense_is_refused(environment: None, tmp_path: Path, wrong: dict[str, Any], why: str) -> None:
    async def play(stage: VariantControl) -> None:
        asked = {"name": "canary", "models": str(tmp_path), "weight": 1}
        status, text = await stage.post(**asked | wrong)
        assert (status, why in text) == (400, True), text

    on_stage(tmp_path, "http://127.0.0.1:9", play)
