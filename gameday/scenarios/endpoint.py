"""Scenario: the model endpoint's container does not start."""

from __future__ import annotations

import json
import time

from darkroom.aws.switches import FALLBACK

from ..images import USUAL
from ..model_release import ImageStream
from ..runbook import run_runbook
from ..scenario_run import Phase, ScenarioRun
from ..wait_for import require, wait_until

ALARM = "breaker-open"
UNREACHABLE = "http://127.0.0.1:9"
"""An address without a listener: the port of the discard service."""

ALARM_WITHIN_S, OK_WITHIN_S, ANALYSED_WITHIN_S = 300.0, 540.0, 180.0
IMAGES = 40
PAUSE_S = 3.0


class DeadEndpoint:
    """The breaker opens, fallback models analyse uploads, and images are analysed again when the endpoint recovers."""

    name = "endpoint"
    title = "Endpoint outage"
    after: tuple[tuple[str, Phase], ...] = ()

    def __init__(self) -> None:
        self._container = ""

    def prepare(self, run: ScenarioRun) -> None:
        """Verify that the endpoint analyses an image."""
        self._images = ImageStream(run, USUAL, "endpoint")
        self._images.wait_for_endpoint(self._images.upload(), ANALYSED_WITHIN_S)

    def inject(self, run: ScenarioRun) -> None:
        """Deploy a container that accepts no connections."""
        main = run.environment.variants()["main"]
        self._container = str(main["url"])
        run.environment.set_weights({"main": {"weight": main["weight"], "url": UNREACHABLE}})
        run.mark("break", "the endpoint's container accepts no connections")

    def expect(self, run: ScenarioRun) -> None:
        """Upload images until the alarm goes off; fallback models analyse them."""
        deadline_s = time.monotonic() + ALARM_WITHIN_S
        while not run.list_alarm_times(ALARM) and time.monotonic() < deadline_s:
            if len(self._images.keys) < IMAGES:
                self._images.upload()
            time.sleep(PAUSE_S)
        run.wait_for_alarm(ALARM, 1)
        by_fallback = wait_until(
            lambda: self._list_fallback_keys(run), "fallback models analyse uploads", ANALYSED_WITHIN_S
        )
        run.record_fact("images analysed by fallback models until the alarm", len(by_fallback))

    def clear(self, run: ScenarioRun) -> None:
        """Restore the container, close the breaker and resend one image, as the runbook directs."""
        if not self._container:
            return
        run.environment.set_weights({"main": {"weight": 1.0, "url": self._container}})
        run.mark("clear", "the container is restored")
        first = self._images.keys[-1]
        replacements = {"key=trips/rome.jpg": f"key={first}"}
        self._wait_for_fallback_end(run)
        run_runbook(run.environment, "model-down", "breaker#endpoint", "send-message", replacements=replacements)
        self._images.wait_for_endpoint(first, ANALYSED_WITHIN_S)

    def verify(self, run: ScenarioRun) -> None:
        """Verify that the endpoint analyses uploads, nothing was lost, and the alarm is OK."""
        self._images.wait_for_endpoint(self._images.upload(), ANALYSED_WITHIN_S)
        run.wait_for_ok(ALARM, OK_WITHIN_S)
        missing = [key for key in self._images.keys if not run.environment.findings(key)]
        require(not missing, f"no analysis of {missing}")
        run.record_fact("images uploaded", len(self._images.keys))
        run.record_fact("images without analysis", len(missing))
        run.record_fact("messages in the DLQ", run.environment.count_messages("infer_dead_letters"))
        run.record_fact("switch fallback", json.dumps(run.environment.switch(FALLBACK).to_document()))

    def _wait_for_fallback_end(self, run: ScenarioRun) -> None:
        """Wait until the monitor switches fallback off, if it has switched it on."""
        if not run.environment.switch(FALLBACK).is_on_at(time.time()):
            return
        run.mark("note", "the monitor had switched fallback on")
        wait_until(
            lambda: not run.environment.switch(FALLBACK).is_on_at(time.time()),
            "the monitor ends fallback",
            ANALYSED_WITHIN_S,
        )
        run.mark("note", "the monitor has switched fallback off")
        time.sleep(20)  # functions read switches every 15 s

    def _list_fallback_keys(self, run: ScenarioRun) -> list[str]:
        return [key for key in self._images.keys if run.environment.list_analysers(key) == {"fallback"}]
