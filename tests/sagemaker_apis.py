"""Both SageMaker APIs as the local stack serves them, over files in a folder, with boto3 clients."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from local.sagemaker.runtime import Runtime, open_runtime

from .waiting import HANG_S


@contextmanager
def sagemaker(folder: Path, **options: Any) -> Iterator[Runtime]:
    """The APIs, in a loop of their own, as long as the context lasts. ``options`` are those of ``open_runtime``."""
    started: list[Runtime] = []
    ready, loop, ended = threading.Event(), asyncio.new_event_loop(), asyncio.Event()

    async def run() -> None:
        async with open_runtime(folder, **options) as runtime:
            started.append(runtime)
            ready.set()
            await ended.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(run(),))
    thread.start()
    assert ready.wait(HANG_S)
    try:
        yield started[0]
    finally:
        loop.call_soon_threadsafe(ended.set)
        thread.join(HANG_S)
        loop.close()


class HeldUpdates:
    """Updates of an endpoint that end on the command of a test, not after a time."""

    def __init__(self, runtime: Runtime) -> None:
        self._held: list[Callable[[], None]] = []
        runtime.capacities._later = lambda _, then: self._held.append(then)

    def finish(self) -> None:
        """Apply all that is held."""
        while self._held:
            self._held.pop(0)()


def client(runtime: Runtime, service: str = "sagemaker") -> Any:
    """A boto3 client without retries."""
    return boto3.client(
        service,  # type: ignore[call-overload]
        endpoint_url=runtime.url,
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=Config(retries={"total_max_attempts": 1}),
    )
