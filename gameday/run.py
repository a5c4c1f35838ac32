"""All chosen scenarios, beside each other as far as they do not get into each other's way."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable, Sequence
from threading import Event, Thread

from .environment import Environment
from .scenario_run import PHASES, Phase, Scenario, ScenarioRun
from .wait_for import WaitTimeout

type Gates = dict[tuple[str, Phase], Event]


def run(world: Environment, scenarios: Sequence[Scenario], say: Callable[[str], None]) -> list[ScenarioRun]:
    """Play ``scenarios`` to their ends, each in a thread; how each went, in the same order."""
    gates: Gates = {(one.name, phase): Event() for one in scenarios for phase in PHASES}
    plays = [ScenarioRun(world, one.title, say) for one in scenarios]
    threads = [
        Thread(target=_play, args=(one, play, gates), daemon=True) for one, play in zip(scenarios, plays, strict=True)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return plays


def _play(scenario: Scenario, play: ScenarioRun, gates: Gates) -> None:
    for gate in scenario.after:
        if gate in gates:  # else that scenario is not played
            gates[gate].wait()
    play.begun_s = time.time()
    steps = dict(zip(PHASES, (getattr(scenario, name) for name in _METHODS), strict=True))
    for phase, step in steps.items():
        if not play.fault or phase == "clear":
            _attempt(play, step)
        gates[scenario.name, phase].set()
    play.ended_s = time.time()
    play.say(f"{play.title}: {'as it should be' if not play.fault else 'FAILED, ' + play.fault}")


_METHODS = ("prepare", "break_", "expect", "clear", "verify")


def _attempt(play: ScenarioRun, step: Callable[[ScenarioRun], None]) -> None:
    try:
        step(play)
    except WaitTimeout as error:
        play.fault = play.fault or str(error)
    except Exception as error:  # a scenario that cannot be played has failed, and the others go on
        play.fault = play.fault or f"{error!r}\n{traceback.format_exc()}"
