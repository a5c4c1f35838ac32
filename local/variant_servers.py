"""Variants with their own models: one model server each, beside the server of the declared variants."""

from __future__ import annotations

import asyncio
import re
from contextlib import suppress
from pathlib import Path

from . import tool_venvs
from .errors import StartError
from .model_server import find_models
from .paths import StackPaths
from .progress import Progress
from .sagemaker.service_errors import RequestError, validation
from .sagemaker.variants import Endpoints, Variant
from .supervisor import State, SupervisedServer

READY_WITHIN_S = 180.0
"""Time limit for a server to load its models."""

POLL_S = 0.25

_NAME = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}")
"""SageMaker's pattern for a variant's name."""


class VariantServers:
    """The servers that were started while the stack runs. They are supervised, and stop with the stack."""

    def __init__(self, paths: StackPaths, endpoints: Endpoints, progress: Progress) -> None:
        self._paths = paths
        self._endpoints = endpoints
        self._progress = progress
        self._tasks: dict[tuple[str, str], asyncio.Task[None]] = {}

    async def start(self, endpoint: str, name: str, models: Path, weight: float) -> None:
        """Serve the models of the folder ``models`` as variant ``name``; it receives calls once it is ready.

        Raises RequestError for an invalid or existing name, a missing folder, a negative weight, and a server that does
        not become ready.
        """
        await tool_venvs.ensure_one(tool_venvs.ENDPOINT, self._progress)
        self._require_new(endpoint, name, models, weight)
        log = self._paths.logs / f"endpoint-{name}.log"
        url, spec = find_models(models, f"Variant {name}", log)
        server = SupervisedServer(spec, self._progress.report)
        task = self._tasks[endpoint, name] = asyncio.create_task(server.run())
        try:
            await _until_ready(server, task)
        except (TimeoutError, StartError, asyncio.CancelledError) as error:
            self._tasks.pop((endpoint, name), None)  # it may have been removed while it started
            await _cancel(task)
            if isinstance(error, asyncio.CancelledError):
                raise
            raise RequestError(validation(f"Variant {name} did not become ready; log: {log}. {error}")) from None
        there = self._endpoints.variants(endpoint)
        self._endpoints.put(endpoint, (*there, Variant(name, weight, url, image=models.as_uri())))

    async def end(self, endpoint: str, name: str) -> None:
        """Remove variant ``name``. Raises RequestError if it was not started here, or if no variant would have a
        weight.
        """
        if (endpoint, name) not in self._tasks:
            raise RequestError(validation(f"Variant {name} of endpoint {endpoint} was not started here"))
        left = [one for one in self._endpoints.variants(endpoint) if one.name != name]
        if not any(one.weight > 0 for one in left):
            raise RequestError(validation(f"Variant {name} receives all calls: give another variant a weight first"))
        self._endpoints.put(endpoint, left)
        await _cancel(self._tasks.pop((endpoint, name)))

    async def close(self) -> None:
        """Remove all variants."""
        while self._tasks:
            _, task = self._tasks.popitem()
            await _cancel(task)

    def _require_new(self, endpoint: str, name: str, models: Path, weight: float) -> None:
        taken = {one.name for one in self._endpoints.variants(endpoint)}
        if not _NAME.fullmatch(name):
            raise RequestError(validation(f"{name!r} is not a valid variant name: use letters, digits and hyphens"))
        if name in taken or (endpoint, name) in self._tasks:
            raise RequestError(validation(f"Variant {name} already exists"))
        if not models.is_absolute() or not models.is_dir():
            raise RequestError(validation(f"{models} is not a folder: give the absolute path of a folder of models"))
        if not weight >= 0:
            raise RequestError(validation("A weight must be at least 0"))


async def _until_ready(server: SupervisedServer, task: asyncio.Task[None]) -> None:
    async with asyncio.timeout(READY_WITHIN_S):
        while server.state is not State.READY:
            if server.state is State.DOWN or task.done():
                raise StartError("The server exited.")
            await asyncio.sleep(POLL_S)


async def _cancel(task: asyncio.Task[None]) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
