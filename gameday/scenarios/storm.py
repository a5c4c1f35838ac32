"""Somebody asks for ever new variants, more than is to be paid for."""

from __future__ import annotations

import json
import time
from collections.abc import Callable

from darkroom.aws.cloudwatch import MetricStat
from darkroom.aws.switches import LOAD_SHEDDING

from ..environment import NAMESPACE
from ..scenario_run import Phase, ScenarioRun, Shown
from ..wait_for import require, wait_until

LIMIT = 20
"""Renders a minute: fewer than any machine asks for."""

PAUSE_S = 0.2
ON_WITHIN_S, REFUSED_WITHIN_S, OFF_WITHIN_S = 900.0, 300.0, 600.0
_OF = {"service": "transform", "function": "transform"}
PRESET = "/samples/chelsea.png?preset=w320"


class TrafficSpike:
    """The monitor leaves the presets, and ends that when the limit is raised (or after 15 quiet minutes)."""

    name = "storm"
    title = "A storm of misses"
    after: tuple[tuple[str, Phase], ...] = (("throttle", "clear"),)
    shown = (
        Shown(
            "Renders, and what was refused for the storm",
            "a minute",
            {
                "Rendered": MetricStat(NAMESPACE, "Rendered", _OF),
                "presets-only": MetricStat(NAMESPACE, "Errors", _OF | {"code": LOAD_SHEDDING}),
            },
            LIMIT,
        ),
    )

    def __init__(self) -> None:
        self._widths = iter(range(17, 100_000))

    def prepare(self, play: ScenarioRun) -> None:
        """Set a limit, of which there is none by default."""
        play.world.set(max_renders_per_minute=LIMIT)

    def break_(self, play: ScenarioRun) -> None:
        """Ask without end for what nobody has asked for."""
        play.mark("break", f"ever new variants are asked for, more than {LIMIT} a minute")
        self._ask_until(play, lambda: self._on(play), ON_WITHIN_S)

    def expect(self, play: ScenarioRun) -> None:
        """The monitor has switched presets-only on, and the function heeds it."""
        require(self._on(play), "the monitor did not switch presets-only on")
        play.mark("alarm", "the monitor switches presets-only on")
        self._ask_until(play, lambda: self._ask(play)[0] == 503, REFUSED_WITHIN_S)
        status, after, code = self._ask(play)
        require((status, code) == (503, LOAD_SHEDDING) and after, f"{status} {code}, Retry-After {after}")
        play.mark("note", "other variants are answered 503")
        play.fact("a variant while it is on", f"{status} {code}, Retry-After {after}")
        preset = play.world.view(PRESET).status
        play.fact("a preset while it is on", preset)
        require(preset == 200, f"a preset is answered {preset}")
        require(play.noted("decision", LOAD_SHEDDING), "the audit log does not know of it")

    def clear(self, play: ScenarioRun) -> None:
        """A higher limit: what is asked for is wanted."""
        play.world.set(max_renders_per_minute=0)
        play.mark("clear", "the limit is raised")

    def verify(self, play: ScenarioRun) -> None:
        """The monitor ends it by itself, and all is rendered again."""
        wait_until(lambda: not self._on(play), "the monitor switches presets-only off", OFF_WITHIN_S)
        play.mark("clear", "the monitor switches presets-only off")
        wait_until(lambda: self._ask(play)[0] == 200, "all is rendered again", REFUSED_WITHIN_S)
        noted = play.noted("decision", LOAD_SHEDDING) or {}
        play.fact("newest entry of the audit log", json.dumps(noted.get("facts")))

    def _ask_until(self, play: ScenarioRun, over: Callable[[], bool], within_s: float) -> None:
        deadline_s = time.monotonic() + within_s
        while not over() and time.monotonic() < deadline_s:
            for _ in range(5):
                self._ask(play)
                time.sleep(PAUSE_S)

    def _ask(self, play: ScenarioRun) -> tuple[int, str, str]:
        """Status, Retry-After and the code of an error, of a variant that nobody has asked for."""
        answer = play.world.view(f"/samples/chelsea.png?w={next(self._widths)}&h=60&fit=fill", signed=True)
        code = json.loads(answer.data).get("code", "") if answer.status >= 400 else ""
        return answer.status, answer.headers.get("Retry-After", ""), code

    @staticmethod
    def _on(play: ScenarioRun) -> bool:
        switch = play.world.switch(LOAD_SHEDDING)
        return switch.by == "monitor" and switch.is_on_at(time.time())
