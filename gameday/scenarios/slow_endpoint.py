"""Scenario: the model endpoint responds, but slowly."""

from __future__ import annotations

import json
import time

from darkroom.aws.switches import FALLBACK

from ..images import USUAL
from ..model_release import ImageStream
from ..runbook import run_runbook
from ..scenario_run import Phase, ScenarioRun
from ..slow_proxy import SlowProxy
from ..wait_for import require

ALARM = "endpoint-slow"
DELAY_S = 8.0
"""Longer than the alarm allows, and shorter than the timeout of a call: no call fails."""

IMAGES = 150
"""Uploads at once. Two workers analyse about 70 until the alarm goes off."""

ALARM_WITHIN_S, OK_WITHIN_S, ANALYSED_WITHIN_S = 600.0, 540.0, 960.0
"""A retry is delayed by 900 s at most."""


class SlowEndpoint:
    """Images wait and none fails; small models analyse the backlog until the endpoint has recovered."""

    name = "slow-endpoint"
    title = "Slow endpoint"
    after: tuple[tuple[str, Phase], ...] = (("canary", "verify"), ("backlog", "verify"))

    def __init__(self) -> None:
        self._container = ""
        self._proxy: SlowProxy | None = None

    def prepare(self, run: ScenarioRun) -> None:
        """Put a proxy without delay before the container, and verify that an image is analysed through it."""
        self._images = ImageStream(run, USUAL, "slow-endpoint")
        main = run.environment.variants()["main"]
        self._container = str(main["url"])
        self._proxy = SlowProxy(self._container)
        run.environment.set_weights({"main": {"weight": main["weight"], "url": self._proxy.start()}})
        self._images.wait_for_endpoint(self._images.upload(), ANALYSED_WITHIN_S)
        require(self._proxy.forwarded, "calls do not pass the proxy")

    def inject(self, run: ScenarioRun) -> None:
        """Delay each call, and upload images."""
        assert self._proxy is not None
        self._proxy.delay_s = DELAY_S
        run.mark("break", f"each call of the endpoint takes {DELAY_S:.0f} s longer")
        for _ in range(IMAGES):
            self._images.upload()

    def expect(self, run: ScenarioRun) -> None:
        """Wait for the alarm; no call fails, and the breaker stays closed."""
        run.wait_for_alarm(ALARM, ALARM_WITHIN_S)
        waiting = [key for key in self._images.keys if not run.environment.findings(key)]
        run.record_fact("images that wait at the alarm", f"{len(waiting)} of {len(self._images.keys)}")
        require(waiting, "no image waits")
        require(not run.list_alarm_times("breaker-open"), "the breaker opened, though no call failed")

    def clear(self, run: ScenarioRun) -> None:
        """Let small models analyse the backlog, as the runbook directs, then restore the container."""
        if not self._container:
            return
        run_runbook(run.environment, "model-slow", "fallback on")
        run.mark("note", "small models analyse the backlog")
        began_s = time.monotonic()
        self._images.wait_for_findings(ANALYSED_WITHIN_S)
        run.record_fact("time until all images have findings", f"{time.monotonic() - began_s:.0f} s")
        run.environment.set_weights({"main": {"weight": 1.0, "url": self._container}})
        run.mark("clear", "the container is fast again")
        run_runbook(run.environment, "model-slow", "fallback off")

    def verify(self, run: ScenarioRun) -> None:
        """Verify that the endpoint analyses uploads and those of the backlog, nothing was lost, and the alarm is OK."""
        time.sleep(20)  # functions read switches every 15 s
        self._images.upload()
        for key in self._images.keys:
            self._images.wait_for_endpoint(key, ANALYSED_WITHIN_S)
        run.wait_for_ok(ALARM, OK_WITHIN_S)
        run.record_fact("images analysed by the endpoint in the end", len(self._images.keys))
        run.record_fact("messages in the DLQ", run.environment.count_messages("infer_dead_letters"))
        run.record_fact("switch fallback", json.dumps(run.environment.switch(FALLBACK).to_document()))
        assert self._proxy is not None
        self._proxy.stop()
