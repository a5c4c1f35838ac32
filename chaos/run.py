"""One run: a storm in which uploads, renders, faults and deaths go on together, a calm, and a look at what is left."""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from . import renderer, worker
from .crash_points import parse_crash_point
from .environment import INGEST, PURGE, Environment, Limits
from .expected_state import compute_expected
from .faults import FaultPlan
from .invariants import Case, check
from .ministack import ministack
from .pictures import Content
from .proxy import Proxy, Timing
from .queues import Recorder, depth
from .report import Findings
from .run_script import Uploader
from .script import Action, hot_keys, write_script
from .snapshot import gather
from .worker_pool import Slot, WorkerPool
from .worker_spec import WorkerSpec

RATES = {"s3": 0.06, "dynamodb": 0.06, "sqs": 0.06, "events": 0.08, "cloudfront": 0.1}
"""Share of requests that fail, by service; those that fail again because of a grudge come on top."""

PACE = Timing(hang_s=6.0, delays=0.2, retries=0.05)
PATIENCE_S = 5.0
RENDER_S = 10.0
"""The timeout of renders is squeezed as the delay is after which a purge is repeated: by then they must have ended."""

PURGERS = 2
KNIFE_REQUESTS = 100
"""Mean number of requests from one SIGKILL to the next: counted in work, a slow machine has no more of them."""

QUIET_S = 3.0
CALM_LIMIT_S = 1800.0
"""How long the calm may take: a limit that detects a hang."""


MEAN_LINES = {"ingest": 6000, "purge": 1500, "transform": 3000}
"""Half of the decisive lines that a life may at most have: a few uploads, purges, renders."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What the command line says. The storm ends with its work; ``minutes`` detects a hang."""

    seed: int
    uploads: int = 500
    workers: int = 4
    minutes: float = 60.0

    @property
    def command(self) -> str:
        """How to run the same again."""
        return f"python -m chaos --seed {self.seed} --uploads {self.uploads} --workers {self.workers}"


async def run(settings: Settings, folder: Path, say: Callable[[str], None]) -> Findings:
    """Everything. ``folder`` gets the logs; ``say`` is told how it goes."""
    async with ministack(folder) as url:
        world = Environment(url, Limits())
        await asyncio.to_thread(world.build)
        proxy = Proxy(url, FaultPlan(settings.seed, RATES), PACE)
        proxy_url = await proxy.start()
        try:
            return await _Run(settings, folder, world, proxy, proxy_url, say).through()
        finally:
            await proxy.stop()


@dataclass
class _Run:
    settings: Settings
    folder: Path
    world: Environment
    proxy: Proxy
    proxy_url: str
    say: Callable[[str], None]
    crew: WorkerPool = field(default_factory=WorkerPool)

    def __post_init__(self) -> None:
        self.script = write_script(self.settings.seed, self.settings.uploads)
        self.keys = hot_keys(self.settings.seed, self.script)
        self.recorder = Recorder(self.world, self.settings.seed)
        self.uploader = Uploader(self.world, lambda: depth(self.world, INGEST).total)

    async def through(self) -> Findings:
        """The storm, the calm, the look."""
        begun_s = time.monotonic()
        poison = await self._storm()
        calm_s = time.monotonic()
        await self._calm()
        ended_s = time.monotonic()
        evidence = await asyncio.to_thread(gather, self.world, self.recorder)
        case = Case(compute_expected(self.script), _uploaded(self.script), self.uploader.contents, evidence, (poison,))
        return Findings(
            command=self.settings.command,
            case=case,
            violations=await asyncio.to_thread(check, case),
            injected=self.proxy.injected,
            forwarded=self.proxy.forwarded,
            deaths=self.crew.deaths,
            told_again=self.recorder.told_again,
            took_s=(calm_s - begun_s, ended_s - calm_s),
        )

    async def _storm(self) -> str:
        """Until the script is carried out and worked off; the poisonous message that was sent."""
        deadline_s = time.monotonic() + self.settings.minutes * 60
        self.crew.start([*self._posts(deadly=True), self._post("transform", 0, renderer.serve, deadly=True)])
        poison = await asyncio.to_thread(self.recorder.send_poison)
        beside = [
            asyncio.create_task(self._record()),
            asyncio.create_task(self.crew.kill_at_random(self.settings.seed, KNIFE_REQUESTS, self._requests)),
        ]
        uploads = asyncio.create_task(asyncio.to_thread(self.uploader.run, self.script))
        try:
            while not uploads.done():
                await self._watch("storm")
                self.uploader.in_hurry = time.monotonic() > deadline_s
            await uploads
            while time.monotonic() < deadline_s and await self._waiting(INGEST):
                await self._watch("storm")
        finally:
            for task in beside:
                task.cancel()
            await asyncio.gather(*beside, return_exceptions=True)
            await self.crew.stop()
        return poison

    async def _calm(self) -> None:
        """Without faults and deaths, until nothing has been waiting for a while."""
        self.proxy.plan.calm = True
        await self.proxy.settle()
        deadline_s = time.monotonic() + CALM_LIMIT_S
        quiet_since_s = time.monotonic()
        self.crew.start(self._posts(deadly=False))
        try:
            while time.monotonic() < min(quiet_since_s + QUIET_S, deadline_s):
                await self._watch("calm")
                await asyncio.to_thread(self.recorder.record)
                if await self._waiting(INGEST) or await self._waiting(PURGE):
                    quiet_since_s = time.monotonic()
        finally:
            await self.crew.stop()

    def _requests(self) -> int:
        return self.proxy.forwarded

    async def _waiting(self, queue: str) -> int:
        return (await asyncio.to_thread(depth, self.world, queue)).total

    async def _watch(self, phase: str) -> None:
        await asyncio.sleep(1)
        if (failure := self.crew.failed()) is not None:
            raise failure
        ingest, purge = await self._waiting(INGEST), await self._waiting(PURGE)
        self.say(
            f"{phase}: {self.uploader.done}/{len(self.script)} acts, {ingest} changes and {purge} purges wait, "
            f"{sum(self.proxy.injected.values())} faults, {sum(self.crew.deaths.values())} deaths"
        )

    async def _record(self) -> None:
        while True:
            await asyncio.to_thread(self.recorder.record)
            await asyncio.sleep(1)

    def _posts(self, *, deadly: bool) -> list[Slot]:
        crews = {"ingest": self.settings.workers, "purge": PURGERS}
        return [
            self._post(function, number, worker.serve, deadly=deadly)
            for function, count in crews.items()
            for number in range(count)
        ]

    def _post(self, function: str, number: int, serve: Callable[[WorkerSpec], None], *, deadly: bool) -> Slot:
        who = f"{function}-{number}"
        seed = self.settings.seed

        def errand(life: int) -> WorkerSpec:
            return WorkerSpec(
                who=who,
                life=life,
                seed=seed,
                function=function,
                environment=self.world.environment(self.proxy_url, who),
                folder=self.folder / "logs",
                end=parse_crash_point(seed, who, life, mean_lines=MEAN_LINES[function]) if deadly else None,
                patience_s=PATIENCE_S,
                timeout_s=RENDER_S if function == "transform" else self.world.timeout_s(function),
                batch=1 if function == "transform" else self.world.batch(function),
                direct_url=self.world.url,
                queue_url=self.world.queue_url(function),
                keys=self.keys,
            )

        return Slot(who, serve, errand)


def _uploaded(script: Sequence[Action]) -> dict[str, tuple[Content, ...]]:
    """All contents of each key."""
    found: defaultdict[str, tuple[Content, ...]] = defaultdict(tuple)
    for act in script:
        if act.content is not None:
            found[act.key] += (act.content,)
    return dict(found)
