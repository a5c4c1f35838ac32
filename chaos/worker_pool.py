"""Start workers, kill them, and replace them at once, as Lambda does."""

from __future__ import annotations

import asyncio
import multiprocessing
import signal
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from multiprocessing.context import ForkServerProcess

from .crash_points import STATUS
from .seeded_rng import seeded_random
from .worker_spec import WorkerSpec

PRELOADED = ["boto3", "aws_lambda_powertools.utilities.batch", "aws_xray_sdk.core", "chaos.worker", "chaos.renderer"]
"""Modules imported once for all lives, without libvips and the S3 client of transform, which start threads."""

KILL_DELAY_S = 1.0
"""Longest delay of a SIGKILL, so that it is not bound to the end of an act."""

MANY_DEFECTS = 20
"""Consecutive exits without a kill after which a worker counts as defective."""


@dataclass(frozen=True, slots=True)
class Slot:
    """One position in the pool. ``spec`` returns the specification of a life; ``serve`` runs it."""

    worker_id: str
    serve: Callable[[WorkerSpec], None]
    spec: Callable[[int], WorkerSpec]


class WorkerError(Exception):
    """A worker does not start."""


@dataclass
class WorkerPool:
    """Keeps one process per slot running. ``deaths`` counts by ``file:line`` or other cause."""

    deaths: Counter[str] = field(default_factory=Counter)
    _lives: Counter[str] = field(default_factory=Counter)
    _alive: dict[str, ForkServerProcess] = field(default_factory=dict)
    _keepers: list[asyncio.Task[None]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(PRELOADED)

    def start(self, slots: Sequence[Slot]) -> None:
        """Start and supervise a process for each slot."""
        self._keepers = [asyncio.create_task(self._keep(slot)) for slot in slots]

    async def stop(self) -> None:
        """Kill all workers permanently."""
        for keeper in self._keepers:
            keeper.cancel()
        await asyncio.gather(*self._keepers, return_exceptions=True)
        self._keepers.clear()
        for process in self._alive.values():
            process.kill()
        for process in self._alive.values():
            await asyncio.to_thread(process.join)
        self._alive.clear()

    async def kill_at_random(self, seed: int, per_act: float, acts: Callable[[], int]) -> None:
        """Forever, send SIGKILL to a random worker, also in native code, ``per_act`` times on average."""
        number, due = 0, 0.0
        while True:
            rng = seeded_random(seed, "knife", number := number + 1)
            due += rng.expovariate(per_act)
            while acts() < due:
                await asyncio.sleep(0.05)
            await asyncio.sleep(rng.random() * KILL_DELAY_S)
            if self._alive:
                self._alive[rng.choice(sorted(self._alive))].kill()

    def failed(self) -> BaseException | None:
        """Return the error of a slot that could not be kept running."""
        return next((task.exception() for task in self._keepers if task.done() and not task.cancelled()), None)

    async def _keep(self, slot: Slot) -> None:
        defects = 0
        while True:
            life = self._lives[slot.worker_id]
            self._lives[slot.worker_id] += 1
            spec = slot.spec(life)
            process = self._context.Process(target=slot.serve, args=(spec,), daemon=True)
            process.start()
            self._alive[slot.worker_id] = process
            await _wait_for_exit(process)
            cause = _cause(spec, process.exitcode)
            self.deaths[cause] += 1
            defects = defects + 1 if cause.startswith("exit") else 0
            if defects == MANY_DEFECTS:
                raise WorkerError(f"{slot.worker_id} exits repeatedly: {spec.folder / slot.worker_id}.log")


async def _wait_for_exit(process: ForkServerProcess) -> None:
    loop, ended = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(process.sentinel, ended.set)
    try:
        await ended.wait()
    finally:
        loop.remove_reader(process.sentinel)
    await asyncio.to_thread(process.join)


def _cause(spec: WorkerSpec, status: int | None) -> str:
    if status == STATUS and spec.crash_report.exists():
        place = spec.crash_report.read_text()
        spec.crash_report.unlink()
        return place
    if status == -signal.SIGKILL:
        return f"SIGKILL ({spec.function})"
    if status == -signal.SIGALRM:
        return f"timeout ({spec.function})"
    return f"exit {status} ({spec.function})"
