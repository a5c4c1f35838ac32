"""Variants with models of their own: a model server each, beside that of the variants which the template declares."""

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
"""How long a server may take to load its models."""

LOOK_EVERY_S = 0.25

_NAME = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}")
"""SageMaker's pattern for a variant's name."""


class VariantServers:
    """The servers that were started while the stack runs. They are kept alive like the first one, and end with it."""

    def __init__(self, place: StackPaths, endpoints: Endpoints, progress: Progress) -> None:
        self._place = place
        self._endpoints = endpoints
        self._progress = progress
        self._kept: dict[tuple[str, str], asyncio.Task[None]] = {}

    async def start(self, endpoint: str, name: str, models: Path, weight: float) -> None:
        """Serve the models of the folder ``models`` as variant ``name``; it takes calls once it is ready.

        Raises Refusal for a name that is taken or is none, a folder that there is none of, a negative weight, and a
        server that does not get ready.
        """
        await tool_venvs.ensure_endpoint(self._progress)
        self._require_new(endpoint, name, models, weight)
        log = self._place.logs / f"endpoint-{name}.log"
        url, served = find_models(models, f"Variant {name}", log)
        server = SupervisedServer(served, self._progress.say)
        task = self._kept[endpoint, name] = asyncio.create_task(server.keep())
        try:
            await _until_ready(server, task)
        except (TimeoutError, StartError, asyncio.CancelledError) as error:
            self._kept.pop((endpoint, name), None)  # it may have been ended while it started
            await _ended(task)
            if isinstance(error, asyncio.CancelledError):
                raise
            raise RequestError(validation(f"Variant {name} does not get ready; its log is {log}. {error}")) from None
        there = self._endpoints.variants(endpoint)
        self._endpoints.put(endpoint, (*there, Variant(name, weight, url, image=models.as_uri())))

    async def end(self, endpoint: str, name: str) -> None:
        """Take variant ``name`` out of service. Raises Refusal if it is none of these, or calls have nowhere to go."""
        if (endpoint, name) not in self._kept:
            raise RequestError(validation(f"Variant {name} of endpoint {endpoint} was not started here"))
        left = [one for one in self._endpoints.variants(endpoint) if one.name != name]
        if not any(one.weight > 0 for one in left):
            raise RequestError(validation(f"Variant {name} takes all calls: give another one a weight first"))
        self._endpoints.put(endpoint, left)
        await _ended(self._kept.pop((endpoint, name)))

    async def close(self) -> None:
        """End all of them."""
        while self._kept:
            _, task = self._kept.popitem()
            await _ended(task)

    def _require_new(self, endpoint: str, name: str, models: Path, weight: float) -> None:
        taken = {one.name for one in self._endpoints.variants(endpoint)}
        if not _NAME.fullmatch(name):
            raise RequestError(validation(f"{name!r} is no name of a variant: letters, digits and hyphens"))
        if name in taken or (endpoint, name) in self._kept:
            raise RequestError(validation(f"There is a variant {name} already"))
        if not models.is_absolute() or not models.is_dir():
            raise RequestError(validation(f"{models} is no folder of models: name one by its whole path"))
        if not weight >= 0:
            raise RequestError(validation("A weight is 0 or more"))


async def _until_ready(server: SupervisedServer, keeping: asyncio.Task[None]) -> None:
    async with asyncio.timeout(READY_WITHIN_S):
        while server.state is not State.READY:
            if server.state is State.DOWN or keeping.done():
                raise StartError("It has ended.")
            await asyncio.sleep(LOOK_EVERY_S)


async def _ended(task: asyncio.Task[None]) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
