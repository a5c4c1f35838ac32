"""The model server (``endpoint/serve.py``) on this machine's processor, behind the stack's runtime API.

The stack does not wait for it. Until it is ready, and whenever it is not, the runtime API answers what SageMaker
answers for an endpoint without a healthy instance.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

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
"""Where the SDKs look for the addresses of these two services (AWS SDKs guide, "Service-specific endpoints")."""


class Endpoint:
    """The endpoint ``darkroom``: the runtime API, and the model server behind its variants."""

    def __init__(self, place: StackPaths, runtime: Runtime, progress: Progress) -> None:
        self._place = place
        self._progress = progress
        self._url, served = find_models(MODELS, "The endpoint", place.logs / "endpoint.log")
        self.runtime = runtime
        self.server = SupervisedServer(served, progress.say)
        self.variants = VariantServers(place, runtime.endpoints, progress)
        self._main = Variant("main", 1.0, self._url, image=MODELS.as_uri())
        runtime.endpoints.put(ENDPOINT, [self._main])

    def declare(self) -> None:
        """Have the one variant that the endpoint begins with, and the weights that were set since, if any."""
        self.runtime.capacities.declare(ENDPOINT, [self._main])

    async def keep(self) -> None:
        """For ever: install what it needs, and keep it alive. A failure to install is told, and the stack goes on."""
        try:
            await tool_venvs.ensure_endpoint(self._progress)
            await self._fetch_models()
        except StartError as error:
            self._progress.say(f"There is no endpoint; the small models in the function stand in for it. {error}")
            return
        await self.server.keep()

    async def _fetch_models(self) -> None:
        fetch = [sys.executable, "-m", "tools.fetch_models", "--to", str(MODELS), "--for", "endpoint"]
        async with AsyncFileLock(MODELS.parent / ".models.lock"):
            done = await processes.run(fetch, env=dict(os.environ), cwd=ROOT, log=self._place.logs / "models.log")
        if done.status:
            raise StartError(f"Its models could not be fetched:\n{done.tail()}")


@asynccontextmanager
async def open_endpoint(place: StackPaths, progress: Progress) -> AsyncIterator[Endpoint]:
    """The endpoint, while the context lasts. Its API listens at once, its model server is kept beside the context."""
    async with open_runtime(place.sagemaker) as runtime:
        endpoint = Endpoint(place, runtime, progress)
        keeping = asyncio.create_task(endpoint.keep())
        try:
            yield endpoint
        finally:
            keeping.cancel()
            with suppress(asyncio.CancelledError):
                await keeping
            await endpoint.variants.close()


def variables(url: str) -> dict[str, str]:
    """Environment variables by which an SDK finds both of SageMaker's APIs at ``url``."""
    return dict.fromkeys(VARIABLES, url)
