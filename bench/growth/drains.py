"""Measure how long workers take to drain a queue of uploads: the real ingest handler, with MiniStack as AWS."""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import shutil
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from multiprocessing.context import ForkServerProcess
from pathlib import Path

from chaos import worker
from chaos.environment import INGEST, MEDIA, UPLOADS, Environment, Limits
from chaos.ministack import ministack
from chaos.queues import depth
from chaos.worker_spec import WorkerSpec
from darkroom.services.live_settings import CURRENT

from ..link.objects import add_name
from ..measure import Progress
from ..processes import read_exact_cpu_ms
from .figures import DrainFigure

LIMITS = Limits(visibility_s=60, lease_s=50)
"""Times long enough for an upload on a busy machine; a receive that times out hides its message as long."""

READ_TIMEOUT_S = 60.0
POLL_S = 0.02
WITHIN_S = 900.0
"""Limit of one drain, to detect a hang."""


class DrainError(Exception):
    """The queue was not drained, or an upload was not served; the message has the logs' folder."""


def measure_drains(photograph: bytes, workers: Sequence[int], uploads: int, progress: Progress) -> list[DrainFigure]:
    """Drain ``uploads`` copies of ``photograph`` with each number of workers. Raises DrainError."""
    folder = Path(tempfile.mkdtemp(prefix="darkroom-growth-"))

    async def measure() -> list[DrainFigure]:
        async with ministack(folder) as url:
            environment = Environment(url, LIMITS)
            await asyncio.to_thread(environment.build)
            environment.s3.put_object(Bucket=MEDIA, Key=CURRENT, Body=json.dumps({"settings": {}}).encode())
            return [
                await asyncio.to_thread(_drain, environment, folder, photograph, count, uploads, progress)
                for count in workers
            ]

    found = asyncio.run(measure())
    shutil.rmtree(folder)
    return found


def _drain(
    environment: Environment, folder: Path, photograph: bytes, workers: int, uploads: int, progress: Progress
) -> DrainFigure:
    """Fill the queue, start the workers, and time the uploads after the first of each worker, which starts it."""
    total = uploads + workers
    for number in range(total):
        key = f"drain-{workers}/{number}.jpg"
        environment.s3.put_object(Bucket=UPLOADS, Key=key, Body=add_name(photograph, key) + photograph[2:])
    _await_depth(environment, total, total, folder)
    with _run_workers(environment, folder, workers) as processes:
        began = _await_depth(environment, 0, uploads, folder)
        cpu_ms = sum(read_exact_cpu_ms(process.pid or 0) for process in processes)
        progress(f"{workers} workers: {uploads} uploads")
        ended = _await_depth(environment, 0, 0, folder)
        cpu_ms = sum(read_exact_cpu_ms(process.pid or 0) for process in processes) - cpu_ms
    masters = environment.s3.list_objects_v2(Bucket=MEDIA, Prefix=f"masters/drain-{workers}/")["KeyCount"]
    if masters != total:
        raise DrainError(f"{masters} masters of {total} uploads: {folder}")
    return DrainFigure(workers, uploads, round(ended - began, 2), round(cpu_ms / uploads, 1))


def _await_depth(environment: Environment, least: int, most: int, folder: Path) -> float:
    """Wait until the queue has ``least`` to ``most`` messages. Return the time."""
    deadline_s = time.monotonic() + WITHIN_S
    while time.monotonic() < deadline_s:
        if least <= depth(environment, INGEST).total <= most:
            return time.monotonic()
        time.sleep(POLL_S)
    raise DrainError(f"the queue does not reach {most} messages: {folder}")


@contextmanager
def _run_workers(environment: Environment, folder: Path, count: int) -> Iterator[list[ForkServerProcess]]:
    (folder / "logs").mkdir(exist_ok=True)
    context = multiprocessing.get_context("forkserver")
    specs = [_specify(environment, folder, f"ingest-{number}") for number in range(count)]
    running = [context.Process(target=worker.serve, args=(spec,), daemon=True) for spec in specs]
    try:
        for process in running:
            process.start()
        yield running
    finally:
        for process in running:
            process.kill()
            process.join()


def _specify(environment: Environment, folder: Path, worker_id: str) -> WorkerSpec:
    return WorkerSpec(
        worker_id=worker_id,
        life=0,
        seed=0,
        function="ingest",
        environment=environment.worker_variables(environment.url, worker_id),
        folder=folder / "logs",
        end=None,
        read_timeout_s=READ_TIMEOUT_S,
        timeout_s=environment.timeout_s("ingest") * 5,
        batch=environment.batch("ingest"),
        direct_url=environment.url,
        queue_url=environment.queue_url(INGEST),
    )
