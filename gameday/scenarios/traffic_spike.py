"""Scenario: a traffic spike of new variants exceeds the limit of renders."""

from __future__ import annotations

import json
import time
from collections.abc import Callable

from darkroom.aws.switches import LOAD_SHEDDING

from ..scenario_run import Phase, ScenarioRun
from ..wait_for import require, wait_until

LIMIT = 20
"""Renders a minute, fewer than any machine can request."""

PAUSE_S = 0.2
ON_WITHIN_S, REFUSED_WITHIN_S, OFF_WITHIN_S = 900.0, 300.0, 600.0
PRESET = "/samples/chelsea.png?preset=w320"


class TrafficSpike:
    """The monitor switches presets-only on, and off when the limit is raised (or after 15 quiet minutes)."""

    name = "traffic-spike"
    title = "Traffic spike"
    after: tuple[tuple[str, Phase], ...] = (("throttle", "clear"),)

    def __init__(self) -> None:
        self._widths = iter(range(17, 100_000))

    def prepare(self, run: ScenarioRun) -> None:
        """Set a limit; there is none by default."""
        run.environment.set(max_renders_per_minute=LIMIT)

    def inject(self, run: ScenarioRun) -> None:
        """Request variants that do not exist yet until the monitor reacts."""
        run.mark("break", f"new variants are requested, more than {LIMIT} a minute")
        self._request_until(run, lambda: self._on(run), ON_WITHIN_S)

    def expect(self, run: ScenarioRun) -> None:
        """Verify that the monitor has switched presets-only on, and that the function refuses other variants."""
        require(self._on(run), "the monitor did not switch presets-only on")
        run.mark("alarm", "the monitor switches presets-only on")
        self._request_until(run, lambda: self._request(run)[0] == 503, REFUSED_WITHIN_S)
        status, after, code = self._request(run)
        require((status, code) == (503, LOAD_SHEDDING) and after, f"{status} {code}, Retry-After {after}")
        run.mark("note", "other variants get 503")
        run.record_fact("variant under load shedding", f"{status} {code}, Retry-After {after}")
        preset = run.environment.view(PRESET).status
        run.record_fact("preset under load shedding", preset)
        require(preset == 200, f"a preset gets {preset}")
        require(run.find_audit_entry("decision", LOAD_SHEDDING), "the audit log has no entry")

    def clear(self, run: ScenarioRun) -> None:
        """Raise the limit."""
        run.environment.set(max_renders_per_minute=0)
        run.mark("clear", "the limit is raised")

    def verify(self, run: ScenarioRun) -> None:
        """Verify that the monitor switches presets-only off, and that all variants are rendered."""
        wait_until(lambda: not self._on(run), "the monitor switches presets-only off", OFF_WITHIN_S)
        run.mark("clear", "the monitor switches presets-only off")
        wait_until(lambda: self._request(run)[0] == 200, "all variants are rendered", REFUSED_WITHIN_S)
        find_audit_entry = run.find_audit_entry("decision", LOAD_SHEDDING) or {}
        run.record_fact("newest entry of the audit log", json.dumps(find_audit_entry.get("facts")))

    def _request_until(self, run: ScenarioRun, over: Callable[[], bool], within_s: float) -> None:
        deadline_s = time.monotonic() + within_s
        while not over() and time.monotonic() < deadline_s:
            for _ in range(5):
                self._request(run)
                time.sleep(PAUSE_S)

    def _request(self, run: ScenarioRun) -> tuple[int, str, str]:
        """Request a variant that does not exist yet. Return status, Retry-After and error code."""
        answer = run.environment.view(f"/samples/chelsea.png?w={next(self._widths)}&h=60&fit=fill", signed=True)
        code = json.loads(answer.data).get("code", "") if answer.status >= 400 else ""
        return answer.status, answer.headers.get("Retry-After", ""), code

    @staticmethod
    def _on(run: ScenarioRun) -> bool:
        switch = run.environment.switch(LOAD_SHEDDING)
        return switch.by == "monitor" and switch.is_on_at(time.time())
