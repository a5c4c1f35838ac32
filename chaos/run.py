"""One run: uploads, renders, faults and kills together, then recovery without faults, then the check."""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from . import renderer, worker
from .attempts import read_attempts
from .crash_points import draw_crash_point
from .environment import INGEST, PURGE, Environment, Limits
from .expected_state import compute_expected
from .faults import FaultPlan
from .images import Content
from .invariants import Case, check
from .ministack import ministack
from .proxy import Proxy, Timing
from .queues import Recorder, count_messages
from .redrive import Redrive
from .report import Findings
from .run_script import Uploader
from .script import Action, hot_keys, write_script
from .snapshot import gather
from .worker_pool import Slot, WorkerPool
from .worker_spec import WorkerSpec

RATES = {"s3": 0.1, "dynamodb": 0.1, "sqs": 0.1, "events": 0.12, "cloudfront": 0.15}
"""Share of failing requests by service until :data:`FAULTS_PER_ACT` is reached. Repeated failures come on top."""

FAULTS_PER_ACT = 4.0
"""Faults of ingest and purge for each action that is carried out. So the difficulty depends neither on the number of
their calls nor on the machine. Renders are beside the uploads: their faults are not limited."""

PACE = Timing(hang_s=6.0, delays=0.2, retries=0.05)
READ_TIMEOUT_S = 5.0
RENDER_S = 10.0
"""Timeout of renders, shorter than the delay after which a purge is repeated: renders must end before it."""

PURGERS = 2
KILLS_PER_ACT = 0.7
"""Mean number of SIGKILLs for each action."""

QUIET_S = 3.0
RECOVERY_LIMIT_S = 1800.0
"""Limit of the recovery phase, to detect a hang."""


INVOCATIONS_PER_CRASH = {"ingest": 3, "purge": 3, "transform": 10}
"""Mean number of invocations until a crash at a line."""

LINES = {"ingest": 2000, "purge": 500, "transform": 300}
"""Approximate number of decisive lines of an invocation."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Settings of the command line. The fault phase ends with its work; ``minutes`` detects a hang."""

    seed: int
    uploads: int = 500
    workers: int = 4
    minutes: float = 60.0

    @property
    def command(self) -> str:
        """Return the command that repeats the run."""
        return f"python -m chaos --seed {self.seed} --uploads {self.uploads} --workers {self.workers}"


def run(settings: Settings, folder: Path, report_progress: Callable[[str], None]) -> Findings:
    """Run the test. Logs are written to ``folder``; ``report_progress`` receives progress lines."""
    with ministack(folder) as url:
        environment = Environment(url, Limits())
        environment.build()
        return asyncio.run(_run(settings, folder, environment, report_progress))


async def _run(
    settings: Settings, folder: Path, environment: Environment, report_progress: Callable[[str], None]
) -> Findings:
    plan = FaultPlan(settings.seed, RATES, unlimited=frozenset({"transform"}))
    proxy = Proxy(environment.endpoint_url, plan, PACE)
    proxy_url = await proxy.start()
    try:
        return await _Run(settings, folder, environment, proxy, proxy_url, report_progress).execute()
    finally:
        await proxy.stop()


@dataclass
class _Run:
    settings: Settings
    folder: Path
    environment: Environment
    proxy: Proxy
    proxy_url: str
    report_progress: Callable[[str], None]
    pool: WorkerPool = field(default_factory=WorkerPool)

    def __post_init__(self) -> None:
        self.script = write_script(self.settings.seed, self.settings.uploads)
        self.keys = hot_keys(self.settings.seed, self.script)
        self.recorder = Recorder(self.environment, self.settings.seed)
        self.uploader = Uploader(self.environment, lambda: count_messages(self.environment, INGEST))
        self.redrive = Redrive(self.environment)
        self.acts = 0
        self.proxy.plan.allowed = lambda: self.acts * FAULTS_PER_ACT

    async def execute(self) -> Findings:
        """Run the fault phase, the recovery and the check."""
        begun_s = time.monotonic()
        poison = await self._run_fault_phase()
        recovery_s = time.monotonic()
        await self._run_recovery()
        ended_s = time.monotonic()
        snapshot = await asyncio.to_thread(gather, self.environment, self.recorder)
        case = Case(compute_expected(self.script), _uploaded(self.script), self.uploader.contents, snapshot, (poison,))
        return Findings(
            command=self.settings.command,
            case=case,
            violations=await asyncio.to_thread(check, case),
            injected=self.proxy.injected,
            calls=self.proxy.calls,
            acts=len(self.script),
            limited_faults=self.proxy.plan.spent,
            given_up=[
                (message, read_attempts(self.folder / "logs", message.body)) for message in self.redrive.given_up
            ],
            deaths=self.pool.deaths,
            redelivered=self.recorder.redelivered,
            took_s=(recovery_s - begun_s, ended_s - recovery_s),
        )

    async def _run_fault_phase(self) -> str:
        """Run the script until its messages are processed. Return the poison message that was sent."""
        deadline_s = time.monotonic() + self.settings.minutes * 60
        self.pool.start([*self._slots(deadly=True), self._slot("transform", 0, renderer.serve, deadly=True)])
        poison = await asyncio.to_thread(self.recorder.send_poison)
        beside = [
            asyncio.create_task(self._record()),
            asyncio.create_task(self.pool.kill_at_random(self.settings.seed, KILLS_PER_ACT, lambda: self.acts)),
        ]
        uploads = asyncio.create_task(asyncio.to_thread(self.uploader.run, self.script))
        try:
            while not uploads.done():
                await self._watch("faults")
                self.uploader.ignore_backlog = time.monotonic() > deadline_s
            await uploads
            while time.monotonic() < deadline_s and await self._waiting(INGEST):
                await self._watch("faults")
        finally:
            for task in beside:
                task.cancel()
            await asyncio.gather(*beside, return_exceptions=True)
            await self.pool.stop()
        return poison

    async def _run_recovery(self) -> None:
        """Run without faults and kills until the queues have been empty for QUIET_S, and nothing is redriven then."""
        self.proxy.plan.suspended = True
        await self.proxy.settle()
        deadline_s = time.monotonic() + RECOVERY_LIMIT_S
        quiet_since_s = time.monotonic()
        self.pool.start(self._slots(deadly=False))
        try:
            while time.monotonic() < deadline_s:
                await self._watch("recovery")
                await asyncio.to_thread(self.recorder.record)
                if await self._waiting(INGEST) or await self._waiting(PURGE):
                    quiet_since_s = time.monotonic()
                elif time.monotonic() >= quiet_since_s + QUIET_S:
                    if not await asyncio.to_thread(self.redrive.run):
                        break
                    quiet_since_s = time.monotonic()
        finally:
            await self.pool.stop()

    async def _waiting(self, queue: str) -> int:
        return await asyncio.to_thread(count_messages, self.environment, queue)

    async def _watch(self, phase: str) -> None:
        await asyncio.sleep(1)
        if (failure := self.pool.failed()) is not None:
            raise failure
        ingest, purge = await self._waiting(INGEST), await self._waiting(PURGE)
        self.acts = max(self.acts, self.uploader.done - ingest)  # those whose messages are processed
        self.report_progress(
            f"{phase}: {self.uploader.done}/{len(self.script)} actions, {ingest} events and {purge} purges queued,  "
            f"{sum(self.proxy.injected.values())} faults, {sum(self.pool.deaths.values())} crashes"
        )

    async def _record(self) -> None:
        while True:
            await asyncio.to_thread(self.recorder.record)
            await asyncio.sleep(1)

    def _slots(self, *, deadly: bool) -> list[Slot]:
        counts = {"ingest": self.settings.workers, "purge": PURGERS}
        return [
            self._slot(function, number, worker.serve, deadly=deadly)
            for function, count in counts.items()
            for number in range(count)
        ]

    def _slot(self, function: str, number: int, serve: Callable[[WorkerSpec], None], *, deadly: bool) -> Slot:
        worker_id = f"{function}-{number}"
        seed = self.settings.seed

        def spec(life: int) -> WorkerSpec:
            end = draw_crash_point(
                seed, worker_id, life, invocations=INVOCATIONS_PER_CRASH[function], lines=LINES[function]
            )
            return WorkerSpec(
                worker_id=worker_id,
                life=life,
                seed=seed,
                function=function,
                environment=self.environment.worker_variables(self.proxy_url, worker_id),
                folder=self.folder / "logs",
                end=end if deadly else None,
                read_timeout_s=READ_TIMEOUT_S,
                timeout_s=RENDER_S if function == "transform" else self.environment.timeout_s(function),
                batch=1 if function == "transform" else self.environment.batch(function),
                direct_url=self.environment.endpoint_url,
                queue_url=self.environment.queue_url(function),
                keys=self.keys,
            )

        return Slot(worker_id, serve, spec)


def _uploaded(script: Sequence[Action]) -> dict[str, tuple[Content, ...]]:
    """Return all contents of each key."""
    found: defaultdict[str, tuple[Content, ...]] = defaultdict(tuple)
    for action in script:
        if action.content is not None:
            found[action.key] += (action.content,)
    return dict(found)
