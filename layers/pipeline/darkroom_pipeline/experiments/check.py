"""The monitor's check of experiments: stops losers and promotes winners.

A decision is stored before it is carried out. The next run completes an interrupted one and repeats at most its steps:
the edge's entry, the audit entry and the event.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256

from darkroom.aws.telemetry import Observer
from darkroom.plan.experiments import Experiment

from ..aws.audit import DECISION, AuditLog
from ..aws.edge_store import EdgeStore
from ..aws.eventbridge import EventBus
from ..operations.switch_controller import ACTOR
from ..plan.edge_settings import EXPERIMENT_PREFIX
from .rules import Policy, Stop, find_stops, is_mismatched, report_variants
from .runs import Decision, Decisions, RunStore, Tally

EVENT = "ExperimentDecided"
"""Detail type of the event, and metric."""

STOP, PROMOTE = "stop", "promote"


@dataclass(frozen=True)
class ExperimentCheck:
    """Decides about ``experiments`` by ``policy``, unless it only ``reports``."""

    runs: RunStore
    edge: EdgeStore
    audit: AuditLog
    bus: EventBus
    observer: Observer
    experiments: Sequence[Experiment]
    policy: Policy
    reports: bool = False

    def run(self, now_s: float) -> Mapping[str, object]:
        """Complete decisions and make new ones; return the state of each experiment.

        Raises Unavailable and ObjectChanged; the next run continues.
        """
        return {one.name: self._check(one, now_s) for one in self.experiments}

    def _check(self, experiment: Experiment, now_s: float) -> Mapping[str, object]:
        decisions = self._execute(experiment, self.runs.read_decisions(experiment), now_s)
        tally = self.runs.read_tally(experiment)
        if tally is not None and not decisions.is_final(experiment):
            decisions = self._decide(experiment, decisions, tally, now_s)
        found: dict[str, object] = {"run": experiment.digest, "stopped": list(decisions.stopped)}
        if decisions.is_final(experiment):
            return found | {"winner": find_winner(experiment, decisions)}
        if tally is None:
            return found
        return found | {
            "visitors": sum(count.visitors for count in tally.counts.values()),
            "clicks": sum(count.clicks for count in tally.counts.values()),
            "mismatched": is_mismatched(experiment, tally.counts, decisions.stopped),
        }

    def _decide(self, experiment: Experiment, decisions: Decisions, tally: Tally, now_s: float) -> Decisions:
        stops = find_stops(experiment, tally.counts, self.policy, decisions.stopped)
        if not stops or self.reports:
            return decisions
        made = tuple(Decision(stop.preset, stop.better, now_s, stop.ratio, tally.counts) for stop in stops)
        stored = self.runs.write_decisions(experiment, replace(decisions, made=decisions.made + made))
        return self._execute(experiment, stored, now_s)

    def _execute(self, experiment: Experiment, decisions: Decisions, now_s: float) -> Decisions:
        """Carry out what is not done. The edge first: its entry has all stops."""
        if decisions.done == len(decisions.made):
            return decisions
        self.edge.put({EXPERIMENT_PREFIX + experiment.name: experiment.format_entry(decisions.stopped)})
        made = (replace(one, applied_s=now_s) if one.applied_s is None else one for one in decisions.made)
        decisions = self.runs.write_decisions(experiment, replace(decisions, made=tuple(made)))
        while decisions.done < len(decisions.made):
            detail = self._describe(experiment, decisions, decisions.done)
            facts = {name: value for name, value in detail.items() if name not in ("id", "experiment")}
            self.audit.write(DECISION, f"experiment:{experiment.name}", ACTOR, **facts)
            self.bus.publish(EVENT, detail)
            self.observer.count(EVENT)
            self.observer.log("WARNING", "experiment decided", experiment=experiment.name, reason=detail["reason"])
            decisions = self.runs.write_decisions(experiment, replace(decisions, done=decisions.done + 1))
        return decisions

    def _describe(self, experiment: Experiment, decisions: Decisions, number: int) -> dict[str, object]:
        """Return the detail of the event about a decision."""
        one = decisions.made[number]
        is_last = number + 1 == len(experiment.presets) - 1
        variants = [
            {
                "preset": report.preset,
                "visitors": report.counts.visitors,
                "clicks": report.counts.clicks,
                "rate": round(report.counts.rate, 6),
                "at_least": round(report.bounds.low, 6),
                "at_most": round(report.bounds.high, 6),
            }
            for report in report_variants(experiment, one.counts, self.policy)
        ]
        return {
            "id": sha256(f"{experiment.name}\n{experiment.digest}\n{number}".encode()).hexdigest()[:32],
            "experiment": experiment.name,
            "run": experiment.digest,
            "action": PROMOTE if is_last else STOP,
            "stopped": one.preset,
            "winner": find_winner(experiment, decisions) if is_last else "",
            "control": experiment.presets[0],
            "reason": describe_stop(Stop(one.preset, one.better, one.ratio), self.policy),
            "variants": variants,
        }


def find_winner(experiment: Experiment, decisions: Decisions) -> str:
    """Return the variant that is left of an experiment with a final decision."""
    return next(preset for preset in experiment.presets if preset not in decisions.stopped)


def describe_stop(stop: Stop, policy: Policy) -> str:
    """Describe why a variant is stopped, in a sentence for operators."""
    low, high = 100 * (1 - stop.ratio.high), 100 * (1 - stop.ratio.low)
    return (
        f"{stop.preset} has {low:.1f} to {high:.1f} % fewer clicks per visitor than {stop.better}, with "
        f"{policy.percent} % confidence at all times"
    )
