"""The model server (``endpoint/serve.py``) as a local process, behind the stack's runtime API.

The stack does not wait for it. While it is not ready, the runtime API returns SageMaker's response for an endpoint
without a healthy instance.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from filelock import AsyncFileLock

from . import processes, tool_venvs
from .errors import StartError
from .model_server import find_models
from .paths import ENDPOINT, MODELS, ROOT, StackPaths
from .progress import Progress
from .sagemaker.runtime import Runtime, open_runtime
from .sagemaker.variants import Variant
from .supervisor import SupervisedServer
from .variant_servers import VariantServers

VARIABLES = ("AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME", "AWS_ENDPOINT_URL_SAGEMAKER")
"""Variables with which SDKs find both services (AWS SDKs guide, "Service-specific endpoints")."""

REST_AFTER_S = 300.0
"""The model server, which takes up to 900 MB, is stopped this long after its last call. The next one starts it."""


class Endpoint:
    """The endpoint ``darkroom``: the runtime API and the model server of its variants."""

    def __init__(self, paths: StackPaths, models: Path, runtime: Runtime, progress: Progress) -> None:
        self._paths = paths
        self._progress = progress
        self._url, served = find_models(models, "The endpoint", paths.logs / "endpoint.log")
        self.runtime = runtime
        self.server = SupervisedServer(served, progress.report, rest_after_s=REST_AFTER_S)
        runtime.wake(self._url, self.server.call)
        self.variants = VariantServers(paths, runtime.endpoints, progress)
        self._main = Variant("main", 1.0, self._url, image=models.as_uri())
        runtime.endpoints.put(ENDPOINT, [self._main])

    def declare(self) -> None:
        """Declare the initial variant, with weights that were set since."""
        self.runtime.capacities.declare(ENDPOINT, [self._main])

    async def run(self) -> None:
        """Install requirements and models, and supervise the server until cancelled. An installation failure is
        reported.
        """
        try:
            await tool_venvs.ensure_one(tool_venvs.ENDPOINT, self._progress)
            await self._fetch_models()
        except StartError as error:
            self._progress.report(f"The endpoint is not available; the small models are used. {error}")
            return
        await self.server.run()

    async def _fetch_models(self) -> None:
        fetch = [sys.executable, "-m", "cli.models.fetch_models", "--to", str(MODELS), "--for", "endpoint"]
        async with AsyncFileLock(MODELS.parent / ".models.lock"):
            done = await processes.run(fetch, env=dict(os.environ), cwd=ROOT, log=self._paths.logs / "models.log")
        if done.status:
            raise StartError(f"Models could not be downloaded:\n{done.tail()}")


@asynccontextmanager
async def open_endpoint(paths: StackPaths, models: Path, progress: Progress) -> AsyncIterator[Endpoint]:
    """Open the endpoint with the folder ``models`` until the context exits.

    Its API listens at once; its model server starts in the background.
    """
    async with open_runtime(paths.sagemaker) as runtime:
        endpoint = Endpoint(paths, models, runtime, progress)
        task = asyncio.create_task(endpoint.run())
        try:
            yield endpoint
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
            await endpoint.variants.close()


def sdk_variables(url: str) -> dict[str, str]:
    """Return environment variables that point SDKs to both SageMaker APIs at ``url``."""
    return dict.fromkeys(VARIABLES, url)
