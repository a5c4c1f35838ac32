"""The results of experiments: read from a stack, as lines of text, and as a page with charts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape
from math import ceil, floor, log10
from pathlib import Path
from typing import Any

from cli.terminal import Line, Style
from darkroom.plan.experiments import Experiment
from darkroom.settings import Settings
from darkroom_pipeline.aws.s3 import S3Bucket
from darkroom_pipeline.experiments.check import describe_stop, find_winner
from darkroom_pipeline.experiments.rules import Policy, Stop, VariantReport, is_mismatched, report_variants
from darkroom_pipeline.experiments.runs import Decisions, RunStore, Tally
from darkroom_pipeline.experiments.statistics import bound_rate

STYLE = Path(__file__).with_name("results.css")

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 720, 260, 56, 14, 16, 30


@dataclass(frozen=True, slots=True)
class Results:
    """An experiment with its counts (None before the first access log was read) and decisions."""

    experiment: Experiment
    policy: Policy
    tally: Tally | None
    decisions: Decisions

    @property
    def variants(self) -> list[VariantReport]:
        """Rates of all variants, with bounds."""
        return report_variants(self.experiment, self.tally.counts if self.tally else {}, self.policy)

    @property
    def state(self) -> str:
        """The state in words."""
        if self.decisions.is_final(self.experiment):
            return f"decided: {find_winner(self.experiment, self.decisions)} is shown to all visitors"
        if self.tally is None:
            return "not counted yet"
        if is_mismatched(self.experiment, self.tally.counts, self.decisions.stopped):
            return "no decisions: visitors are not divided by the weights, so a variant may fail to load"
        return f"undecided, {len(self.decisions.stopped)} of {len(self.experiment.presets)} variants stopped"

    @property
    def reasons(self) -> list[str]:
        """A sentence for each decision."""
        return [
            f"{_format_time(one.at_s)}: {describe_stop(Stop(one.preset, one.better, one.ratio), self.policy)}"
            for one in self.decisions.made
        ]


def read_results(media: S3Bucket, settings: Settings) -> list[Results]:
    """Read the results of all experiments of ``settings``. Raises Unavailable."""
    runs, policy = RunStore(media), Policy(settings.experiment_confidence, settings.experiment_visitors)
    return [Results(one, policy, runs.read_tally(one), runs.read_decisions(one)) for one in settings.experiments]


def to_document(results: Results) -> dict[str, Any]:
    """Return the results as JSON values."""
    return {
        "name": results.experiment.name,
        "run": results.experiment.digest,
        "state": results.state,
        "winner": find_winner(results.experiment, results.decisions)
        if results.decisions.is_final(results.experiment)
        else "",
        "since": _format_time(results.tally.began_s) if results.tally else "",
        "requests": results.tally.requests if results.tally else 0,
        "refused": results.tally.refused if results.tally else 0,
        "variants": [
            {
                "preset": one.preset,
                "visitors": one.counts.visitors,
                "clicks": one.counts.clicks,
                "rate": one.counts.rate,
                "at_least": one.bounds.low,
                "at_most": one.bounds.high,
                "stopped": one.preset in results.decisions.stopped,
            }
            for one in results.variants
        ],
        "decisions": results.reasons,
    }


def format_lines(results: Results) -> Iterator[str]:
    """Format the results for a terminal."""
    yield Line((results.experiment.name, Style.HEADING), f": {results.state}")
    yield Line((f"  {'variant':24} {'visitors':>9} {'clicks':>8} {'rate':>8}   bounds", Style.HEADING))
    for one in results.variants:
        bounds = f"{_percent(one.bounds.low)} to {_percent(one.bounds.high)}"
        stopped = "   stopped" if one.preset in results.decisions.stopped else ""
        yield (
            f"  {one.preset:24} {one.counts.visitors:9,} {one.counts.clicks:8,} {_percent(one.counts.rate):>8}   "
            f"{bounds}{stopped}"
        )
    yield from (f"  {reason}" for reason in results.reasons)


def format_page(found: Sequence[Results], now_s: float) -> str:
    """Format a self-contained page."""
    sections = "".join(map(_format_section, found)) or "<p>The settings have no experiments."
    return (
        "<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content='width=device-width'>"
        f"<title>Experiments</title><style>{STYLE.read_text(encoding='utf-8')}</style>"
        f"<h1>Experiments</h1><p class=note>{_format_time(now_s)} UTC. Rates are clicks per visitor. The bounds of all "
        "variants hold at the same time and however often they are read.</p>"
        f"{sections}</html>\n"
    )


def _format_section(results: Results) -> str:
    rows = "".join(_format_row(one, results) for one in results.variants)
    reasons = "".join(f"<li>{escape(reason)}" for reason in results.reasons)
    tally = results.tally
    counted = (
        f"<p class=note>Since {_format_time(tally.began_s)} UTC: {tally.requests:,} delivered images, "
        f"{tally.refused:,} beacons over a limit. {results.policy.percent} % confidence.</p>"
        if tally
        else ""
    )
    return (
        f"<section><h2>{escape(results.experiment.name)}</h2><p class=state>{escape(results.state)}</p>{counted}"
        "<table><tr><th>variant<th class=number>visitors<th class=number>clicks<th class=number>rate"
        f"<th class=number>at least<th class=number>at most<th>{rows}</table>"
        f"{_draw_history(results)}{f'<ul>{reasons}</ul>' if reasons else ''}</section>"
    )


def _format_row(one: VariantReport, results: Results) -> str:
    number = results.experiment.presets.index(one.preset)
    notes = ["control"] if number == 0 else []
    notes += ["stopped"] if one.preset in results.decisions.stopped else []
    figures = (
        f"{one.counts.visitors:,}",
        f"{one.counts.clicks:,}",
        *map(_percent, (one.counts.rate, one.bounds.low, one.bounds.high)),
    )
    cells = "".join(f"<td class=number>{figure}" for figure in figures)
    return f"<tr><td><span class='dot s{number}'></span>{escape(one.preset)}{cells}<td class=note>{', '.join(notes)}"


def _draw_history(results: Results) -> str:
    """Draw the rate of each variant within its bounds, by time."""
    history = results.tally.history if results.tally else ()
    if len(history) < 2:
        return ""
    alpha = results.policy.alpha / len(results.experiment.presets)
    lines = [
        [(at_s, counts[number].rate, bound_rate(counts[number], alpha)) for at_s, counts in history]
        for number in range(len(results.experiment.presets))
    ]
    settled = [bounds.high for line in lines for _, _, bounds in line[len(line) // 4 :]]
    step = _round_up(max(settled) / 4)
    top = ceil(max(settled) / step) * step
    begin_s, end_s = history[0][0], history[-1][0]

    def x(at_s: float) -> float:
        return LEFT + (at_s - begin_s) / max(end_s - begin_s, 1) * (WIDTH - LEFT - RIGHT)

    def y(rate: float) -> float:
        return HEIGHT - BOTTOM - min(rate, top) / top * (HEIGHT - BOTTOM - TOP)

    parts = []
    for number in range(round(top / step) + 1):
        level = y(number * step)
        parts.append(f'<path class="grid" d="M{LEFT} {level:.1f}H{WIDTH - RIGHT}"/>')
        parts.append(f'<text x="{LEFT - 6}" y="{level + 4:.1f}" text-anchor="end">{_percent(number * step)}</text>')
    for at_s, anchor in ((begin_s, "start"), (end_s, "end")):
        parts.append(f'<text x="{x(at_s):.1f}" y="{HEIGHT - 10}" text-anchor="{anchor}">{_format_time(at_s)}</text>')
    parts += [
        f'<path class="decision" d="M{x(one.at_s):.1f} {TOP}V{HEIGHT - BOTTOM}"/>'
        for one in results.decisions.made
        if begin_s <= one.at_s <= end_s
    ]
    for number, line in enumerate(lines):
        upper = "L".join(f"{x(at_s):.1f} {y(bounds.high):.1f}" for at_s, _, bounds in line)
        lower = "L".join(f"{x(at_s):.1f} {y(bounds.low):.1f}" for at_s, _, bounds in reversed(line))
        rates = "L".join(f"{x(at_s):.1f} {y(rate):.1f}" for at_s, rate, _ in line)
        parts.append(
            f'<g class="s{number}"><path class="band" d="M{upper}L{lower}Z"/><path class="rate" d="M{rates}"/></g>'
        )
    title = f"Click rates of {results.experiment.name} with bounds"
    return f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(title)}">{"".join(parts)}</svg>'


def _round_up(value: float) -> float:
    """Round to 1, 2 or 5 times a power of ten."""
    power = 10.0 ** floor(log10(max(value, 1e-6)))
    return next(step * power for step in (1, 2, 5, 10) if step * power >= value)


def _percent(rate: float) -> str:
    return f"{100 * rate:.2f} %"


def _format_time(at_s: float) -> str:
    return f"{datetime.fromtimestamp(at_s, UTC):%Y-%m-%d %H:%M}"
