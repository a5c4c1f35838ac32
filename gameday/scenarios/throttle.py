"""S3 throttles: every read of a master is answered 503 SlowDown."""

from __future__ import annotations

import asyncio
import time
from threading import Thread

from chaos.faults import Fault, FaultPlan
from chaos.parse_aws_request import AwsRequest
from chaos.proxy import Proxy, Timing
from darkroom.aws.cloudwatch import MetricStat

from ..environment import NAMESPACE
from ..runbook import run_runbook
from ..scenario_run import Phase, ScenarioRun, Shown
from ..wait_for import require, wait_until

FUNCTION = "TransformFunction"
ADDRESS = "AWS_ENDPOINT_URL_S3"
ALARM, GROUP = "viewers-success", "viewers"
STILL = "viewers-success-fast-short"
"""Whether the budget of errors still burns fast. A stack that is minutes old has nothing but them in its longer
windows too: those of half an hour and of two hours hold the objective's alarm for as long."""

RINGS_WITHIN_S, OVER_WITHIN_S = 900.0, 900.0
"""The short window of the alarm is five minutes, which have to go by."""

PAUSE_S = 0.5
_OF = {"service": "transform", "function": "transform"}


class SlowDown(FaultPlan):
    """S3 answers ``SlowDown`` to whoever reads a master while it is not calm."""

    def fault(self, asked: AwsRequest, number: int) -> Fault | None:  # noqa: ARG002
        """The same for every repeat: an outage, not bad luck."""
        reads = asked.service == "s3" and asked.operation in ("GET", "HEAD")
        return Fault.THROTTLE if reads and "/masters/" in asked.about else None


class Throttle:
    """Viewers get no pictures that are not stored yet; they page once, and get them when S3 answers again."""

    name = "throttle"
    title = "S3 throttles"
    after: tuple[tuple[str, Phase], ...] = ()
    shown = (
        Shown(
            "Answers of the transform function",
            "a minute",
            {name: MetricStat(NAMESPACE, name, _OF) for name in ("Requests", "Faults")},
        ),
    )

    def __init__(self, *, to_the_end: bool = True) -> None:
        """Not ``to_the_end`` it does not wait until the alarm is over: that takes the minutes of its window."""
        self._to_the_end = to_the_end
        self._plan = SlowDown(seed=0, rates={}, calm=True)
        self._widths = iter(range(17, 100_000))
        self._loop = asyncio.new_event_loop()
        self._proxy: Proxy | None = None

    def prepare(self, play: ScenarioRun) -> None:
        """The function finds S3 behind a proxy, which as yet changes nothing."""
        wait_until(lambda: ALARM in play.world.alarms(), "alarms are evaluated", 600)
        require(play.world.alarms()[ALARM]["state"] != "ALARM", f"the alarm {ALARM} is on already: it cannot go off")
        self._proxy = Proxy(play.world.facts["aws_endpoint_url"], self._plan, Timing())
        Thread(target=self._loop.run_forever, daemon=True).start()
        url = asyncio.run_coroutine_threadsafe(self._proxy.start(), self._loop).result()
        play.world.redeploy(FUNCTION, {ADDRESS: url})
        wait_until(lambda: self._status(play) == 200, "a picture is rendered by way of the proxy", 300)
        require(self._proxy.forwarded, "the function does not ask S3 by way of the proxy")

    def break_(self, play: ScenarioRun) -> None:
        """From now on S3 throttles."""
        play.mark("break", "S3 answers 503 SlowDown to reads of masters")
        self._plan.calm = False

    def expect(self, play: ScenarioRun) -> None:
        """Viewers go on asking, and the burn rate pages."""
        deadline_s = time.monotonic() + RINGS_WITHIN_S
        while not play.ringing(ALARM) and time.monotonic() < deadline_s:
            play.fact("status while S3 throttles", self._status(play))
            time.sleep(PAUSE_S)
        play.rings(ALARM, 1)
        wait_until(lambda: play.paged(GROUP), f"{GROUP} pages", 300)

    def clear(self, play: ScenarioRun) -> None:
        """S3 recovers; the runbook's first commands show what it was."""
        run_runbook(play.world, "bad-deploy")
        self._plan.calm = True
        play.mark("clear", "S3 answers again")

    def verify(self, play: ScenarioRun) -> None:
        """Pictures are rendered, the alarm is over, and one page was sent."""
        wait_until(lambda: self._status(play) == 200, "pictures are rendered again", 300)
        require(self._proxy is not None and self._proxy.injected, "nothing was throttled")
        assert self._proxy is not None
        play.fact("reads that S3 throttled", sum(self._proxy.injected.values()))
        play.world.redeploy(FUNCTION, {ADDRESS: None})
        asyncio.run_coroutine_threadsafe(self._proxy.stop(), self._loop).result()
        if self._to_the_end:
            play.quiet(STILL, OVER_WITHIN_S)
        play.once(ALARM)
        pages = play.paged(GROUP)
        play.fact("pages", pages)
        require(pages == 1, f"{GROUP} paged {pages} times, not once")

    def _status(self, play: ScenarioRun) -> int:
        """Of a request for a picture that nobody has asked for before."""
        return play.world.view(f"/samples/rocket.jpg?w={next(self._widths)}&h=40&fit=fill", signed=True).status
