"""Simulated experiments: visitors who click with given probabilities, and the monitor's rule after each batch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import pi, sin
from random import Random

from darkroom.plan.experiments import Experiment
from darkroom_pipeline.experiments.check import find_winner
from darkroom_pipeline.experiments.rules import Policy, find_stops
from darkroom_pipeline.experiments.runs import Decision, Decisions, Tally
from darkroom_pipeline.experiments.statistics import Counts

from .results import Results

BATCH = 500
"""Visitors between two looks."""

DAY = 10_000
"""Visitors of a simulated day."""


@dataclass(frozen=True, slots=True)
class Simulated:
    """A simulated run: its results, the visitors until its end, and the winner ("" while several variants are left).

    A second of its times is a visitor.
    """

    results: Results
    visitors: int

    @property
    def stopped(self) -> tuple[str, ...]:
        """The stopped variants, in order."""
        return self.results.decisions.stopped

    @property
    def winner(self) -> str:
        """The variant that is left, "" if there are several."""
        decisions, experiment = self.results.decisions, self.results.experiment
        return find_winner(experiment, decisions) if decisions.is_final(experiment) else ""


def simulate(
    experiment: Experiment,
    rates: Mapping[str, float],
    policy: Policy,
    *,
    visitors: int,
    seed: int,
    swing: float = 0.0,
) -> Simulated:
    """Simulate at most ``visitors``, until one variant is left. ``rates`` vary by ``swing`` of themselves in a day."""
    random = Random(seed)  # noqa: S311 - a simulation
    tally, decisions = Tally(0, 0, dict.fromkeys(experiment.presets, Counts())), Decisions()
    for seen in range(BATCH, visitors + 1, BATCH):
        level = 1 + swing * sin(2 * pi * seen / DAY)
        running = [(preset, weight) for preset, weight in experiment.weights if preset not in decisions.stopped]
        counts = dict(tally.counts)
        for preset, visits in _divide(random, running):
            count, clicks = counts[preset], random.binomialvariate(visits, level * rates[preset])
            counts[preset] = Counts(count.visitors + visits, count.clicks + clicks)
        tally = tally.with_counts(counts, seen, requests=BATCH, refused=0)
        stops = find_stops(experiment, counts, policy, decisions.stopped)
        made = tuple(Decision(stop.preset, stop.better, seen, stop.ratio, counts) for stop in stops)
        decisions = Decisions(decisions.made + made, len(decisions.made) + len(made))
        if decisions.is_final(experiment):
            return Simulated(Results(experiment, policy, tally, decisions), seen)
    return Simulated(Results(experiment, policy, tally, decisions), visitors)


def _divide(random: Random, weights: Sequence[tuple[str, int]]) -> Iterator[tuple[str, int]]:
    """Divide a batch at random."""
    left, total = BATCH, sum(weight for _, weight in weights)
    for preset, weight in weights:
        visits = random.binomialvariate(left, weight / total)
        yield preset, visits
        left, total = left - visits, total - weight
