"""The workers: started, killed, and started again at once, as Lambda does."""

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

PRELOADED = ["boto3", "aws_lambda_powertools.utilities.batch", "chaos.worker", "chaos.renderer"]
"""What every life would import anew; libvips and the S3 client of the transform function are not among them, because
they start threads."""

MANY_DEFECTS = 20
"""Lives that ended by themselves one after the other: then it is no bad luck."""


@dataclass(frozen=True, slots=True)
class Slot:
    """One place in the crew. ``errand`` gives each life its errand; ``serve`` is what it does."""

    who: str
    serve: Callable[[WorkerSpec], None]
    errand: Callable[[int], WorkerSpec]


class WorkerError(Exception):
    """A worker does not start."""


@dataclass
class WorkerPool:
    """Keeps one process a post alive. ``deaths`` counts by place: ``file:line``, or what else killed it."""

    deaths: Counter[str] = field(default_factory=Counter)
    _lives: Counter[str] = field(default_factory=Counter)
    _alive: dict[str, ForkServerProcess] = field(default_factory=dict)
    _keepers: list[asyncio.Task[None]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(PRELOADED)

    def start(self, posts: Sequence[Slot]) -> None:
        """Man ``posts`` from now on."""
        self._keepers = [asyncio.create_task(self._keep(post)) for post in posts]

    async def stop(self) -> None:
        """Kill everyone for good."""
        for keeper in self._keepers:
            keeper.cancel()
        await asyncio.gather(*self._keepers, return_exceptions=True)
        self._keepers.clear()
        for process in self._alive.values():
            process.kill()
        for process in self._alive.values():
            await asyncio.to_thread(process.join)
        self._alive.clear()

    async def kill_at_random(self, seed: int, mean: float, requests: Callable[[], int]) -> None:
        """For ever: let ``mean`` requests pass, on average, then send SIGKILL to one of them, in native code too."""
        number = 0
        while True:
            chance = seeded_random(seed, "knife", number := number + 1)
            due = requests() + chance.expovariate(1 / mean)
            while requests() < due:
                await asyncio.sleep(0.05)
            if self._alive:
                self._alive[chance.choice(sorted(self._alive))].kill()

    def failed(self) -> BaseException | None:
        """Why a post could not be kept, if so."""
        return next((task.exception() for task in self._keepers if task.done() and not task.cancelled()), None)

    async def _keep(self, post: Slot) -> None:
        defects = 0
        while True:
            life = self._lives[post.who]
            self._lives[post.who] += 1
            errand = post.errand(life)
            process = self._context.Process(target=post.serve, args=(errand,), daemon=True)
            process.start()
            self._alive[post.who] = process
            await _ended(process)
            cause = _cause(errand, process.exitcode)
            self.deaths[cause] += 1
            defects = defects + 1 if cause.startswith("exit") else 0
            if defects == MANY_DEFECTS:
                raise WorkerError(f"{post.who} ends by itself again and again: {errand.folder / post.who}.log")


async def _ended(process: ForkServerProcess) -> None:
    loop, ended = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(process.sentinel, ended.set)
    try:
        await ended.wait()
    finally:
        loop.remove_reader(process.sentinel)
    await asyncio.to_thread(process.join)


def _cause(errand: WorkerSpec, status: int | None) -> str:
    if status == STATUS and errand.testament.exists():
        place = errand.testament.read_text()
        errand.testament.unlink()
        return place
    if status == -signal.SIGKILL:
        return f"SIGKILL ({errand.function})"
    if status == -signal.SIGALRM:
        return f"timeout ({errand.function})"
    return f"exit {status} ({errand.function})"
