"""Scenario: S3 throttles every read of a master with 503 SlowDown."""

from __future__ import annotations

import asyncio
import time
from threading import Thread

from chaos.faults import Fault, FaultPlan
from chaos.parse_aws_request import AwsRequest
from chaos.proxy import Proxy, Timing

from ..runbook import run_runbook
from ..scenario_run import Phase, ScenarioRun
from ..wait_for import require, wait_until

FUNCTION = "TransformFunction"
ADDRESS = "AWS_ENDPOINT_URL_S3"
ALARM, GROUP = "viewers", "viewers"
SHORT_ALARM = "viewers-success-short"
"""Alarm on the error budget in its short window.

A new stack has little else in its longer windows, too; those of half an hour and of two hours keep the objective's
alarm on for as long.
"""

ALARM_WITHIN_S, OK_WITHIN_S = 900.0, 2400.0
"""Limits, of which the second is at least the half hour of the alarm's short window."""

PAUSE_S = 0.5


class SlowDown(FaultPlan):
    """Answers reads of masters with ``SlowDown`` unless suspended."""

    def fault(self, aws_request: AwsRequest, number: int) -> Fault | None:  # noqa: ARG002
        """Return the same fault for every repeat: an outage."""
        reads = aws_request.service == "s3" and aws_request.operation in ("GET", "HEAD")
        return Fault.THROTTLE if reads and "/masters/" in aws_request.about else None


class Throttle:
    """Viewers get no new renders and the alarm pages once; renders succeed when S3 recovers."""

    name = "throttle"
    title = "S3 throttling"
    after: tuple[tuple[str, Phase], ...] = ()

    def __init__(self, *, wait_until_ok: bool = True) -> None:
        """Without ``wait_until_ok``, skip waiting for the alarm's OK, which takes the minutes of its window."""
        self._wait_until_ok = wait_until_ok
        self._plan = SlowDown(seed=0, rates={}, suspended=True)
        self._widths = iter(range(17, 100_000))
        self._loop = asyncio.new_event_loop()
        self._proxy: Proxy | None = None

    def prepare(self, run: ScenarioRun) -> None:
        """Route the function's S3 calls through a proxy without faults."""
        wait_until(lambda: ALARM in run.environment.alarms(), "alarms are evaluated", 600)
        require(run.environment.alarms()[ALARM]["state"] != "ALARM", f"the alarm {ALARM} is on already")
        self._proxy = Proxy(run.environment.info["aws_endpoint_url"], self._plan, Timing())
        Thread(target=self._loop.run_forever, daemon=True).start()
        url = asyncio.run_coroutine_threadsafe(self._proxy.start(), self._loop).result()
        run.environment.redeploy(FUNCTION, {ADDRESS: url})
        wait_until(lambda: self._status(run) == 200, "an image is rendered through the proxy", 300)
        require(self._proxy.forwarded, "the function's S3 calls do not pass the proxy")

    def inject(self, run: ScenarioRun) -> None:
        """Start throttling."""
        run.mark("break", "S3 answers 503 SlowDown to reads of masters")
        self._plan.suspended = False

    def expect(self, run: ScenarioRun) -> None:
        """Request images until the burn rate pages."""
        deadline_s = time.monotonic() + ALARM_WITHIN_S
        while not run.list_alarm_times(ALARM) and time.monotonic() < deadline_s:
            run.record_fact("status while S3 throttles", self._status(run))
            time.sleep(PAUSE_S)
        run.wait_for_alarm(ALARM, 1)
        wait_until(lambda: run.count_pages(GROUP), f"{GROUP} pages", 300)

    def clear(self, run: ScenarioRun) -> None:
        """Run the runbook's first commands, and end the throttling."""
        run_runbook(run.environment, "bad-deploy")
        self._plan.suspended = True
        run.mark("clear", "S3 recovers")

    def verify(self, run: ScenarioRun) -> None:
        """Verify that images are rendered, the alarm is OK, and one page was sent."""
        wait_until(lambda: self._status(run) == 200, "images are rendered again", 300)
        require(self._proxy is not None and self._proxy.injected, "nothing was throttled")
        assert self._proxy is not None
        run.record_fact("throttled reads", sum(self._proxy.injected.values()))
        run.environment.redeploy(FUNCTION, {ADDRESS: None})
        asyncio.run_coroutine_threadsafe(self._proxy.stop(), self._loop).result()
        if self._wait_until_ok:
            run.wait_for_ok(SHORT_ALARM, OK_WITHIN_S)
        run.require_one_alarm(ALARM)
        pages = run.count_pages(GROUP)
        run.record_fact("pages", pages)
        require(pages == 1, f"{GROUP} paged {pages} times, not once")

    def _status(self, run: ScenarioRun) -> int:
        """Request a variant that does not exist yet. Return the status."""
        return run.environment.view(f"/samples/rocket.jpg?w={next(self._widths)}&h=40&fit=fill", signed=True).status
