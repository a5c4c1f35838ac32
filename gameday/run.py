"""Run scenarios concurrently, except those that have to wait for others."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable, Sequence
from threading import Event, Thread

from .environment import Environment
from .scenario_run import PHASES, Phase, Scenario, ScenarioRun
from .wait_for import WaitTimeout

type Gates = dict[tuple[str, Phase], Event]


def run_scenarios(
    environment: Environment, scenarios: Sequence[Scenario], log: Callable[[str], None]
) -> list[ScenarioRun]:
    """Run each scenario in a thread. Return their runs in the same order."""
    gates: Gates = {(one.name, phase): Event() for one in scenarios for phase in PHASES}
    scenario_runs = [ScenarioRun(environment, one.title, log) for one in scenarios]
    threads = [
        Thread(target=_run_scenario, args=(one, scenario_run, gates), daemon=True)
        for one, scenario_run in zip(scenarios, scenario_runs, strict=True)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return scenario_runs


def _run_scenario(scenario: Scenario, scenario_run: ScenarioRun, gates: Gates) -> None:
    for gate in scenario.after:
        if gate in gates:  # otherwise that scenario does not run
            gates[gate].wait()
    scenario_run.begun_s = time.time()
    steps = dict(zip(PHASES, (getattr(scenario, name) for name in _METHODS), strict=True))
    for phase, step in steps.items():
        if not scenario_run.fault or phase == "clear":
            _attempt(scenario_run, step)
        gates[scenario.name, phase].set()
    scenario_run.ended_s = time.time()
    scenario_run.log(f"{scenario_run.title}: {'passed' if not scenario_run.fault else 'FAILED, ' + scenario_run.fault}")


_METHODS = ("prepare", "inject", "expect", "clear", "verify")


def _attempt(scenario_run: ScenarioRun, step: Callable[[ScenarioRun], None]) -> None:
    try:
        step(scenario_run)
    except WaitTimeout as error:
        scenario_run.fault = scenario_run.fault or str(error)
    except Exception as error:  # an unexpected error fails this scenario only
        scenario_run.fault = scenario_run.fault or f"{error!r}\n{traceback.format_exc()}"
