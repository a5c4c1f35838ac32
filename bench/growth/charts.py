"""Draw the charts of docs/explanation/growth.md."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from itertools import pairwise
from math import log10

from ..chart import WIDTH_PX
from ..paths import ROOT
from .figures import DrainFigures, MissFigures

FOLDER = ROOT / "docs" / "images"
MISSES_CHART, DRAIN_CHART, YEAR_CHART = (FOLDER / f"growth-{name}.svg" for name in ("misses", "drain", "year"))

PANEL_PX, LEFT_PX, TOP_PX, BOTTOM_PX = 320, 56, 40, 44
HEIGHT_PX = 330
LEGEND_PX = 18
COLOURS = 4

STYLE = """
text { font: 12.5px system-ui, sans-serif; fill: #202124 }
.paper { fill: #ffffff } .quiet { fill: #5f6368 } .grid { stroke: #dadce0 } .axis { stroke: #5f6368 }
.s0 { stroke: #1967d2 } .s1 { stroke: #188038 } .s2 { stroke: #c5221f } .s3 { stroke: #9334e6 }
path.line { fill: none; stroke-width: 2 } path.dashed { stroke-dasharray: 5 4 }
@media (prefers-color-scheme: dark) {
  text { fill: #e8eaed } .paper { fill: #0d1117 } .quiet { fill: #9aa0a6 } .grid { stroke: #30363d }
  .axis { stroke: #9aa0a6 } .s0 { stroke: #8ab4f8 } .s1 { stroke: #57ab5a } .s2 { stroke: #f47067 }
  .s3 { stroke: #d7aefb }
}
"""


@dataclass(frozen=True, slots=True)
class Axis:
    """An axis from ``low`` to ``high`` with labelled ``ticks``; ``logarithmic`` by powers of ten."""

    title: str
    ticks: Sequence[float]
    low: float
    high: float
    logarithmic: bool = False

    def place(self, value: float) -> float:
        """Return the position of ``value`` as a share of the axis."""
        if self.logarithmic:
            return log10(value / self.low) / log10(self.high / self.low)
        return (value - self.low) / (self.high - self.low)


@dataclass(frozen=True, slots=True)
class Line:
    """A line through ``points``; ``modelled`` ones are dashed."""

    name: str
    points: Sequence[tuple[float, float]]
    modelled: bool = False


@dataclass(frozen=True, slots=True)
class Panel:
    """A diagram of several lines."""

    title: str
    across: Axis
    up: Axis
    lines: Sequence[Line]


def draw(label: str, panels: Sequence[Panel]) -> str:
    """Draw ``panels`` beside each other."""
    size = f'width="{WIDTH_PX}" height="{HEIGHT_PX}" viewBox="0 0 {WIDTH_PX} {HEIGHT_PX}"'
    width = PANEL_PX if len(panels) > 1 else WIDTH_PX - LEFT_PX - 24
    step = WIDTH_PX // len(panels)
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" aria-label="{escape(label)}">',
            f"<style>{STYLE}</style>",
            '<rect class="paper" width="100%" height="100%"/>',
            *(part for at, panel in enumerate(panels) for part in _panel(panel, LEFT_PX + at * step, width)),
            *(part for at, panel in enumerate(panels) for part in _legend(panel.lines, LEFT_PX + at * step, width)),
            "</svg>",
            "",
        ]
    )


def _panel(panel: Panel, left: float, width: float) -> Iterator[str]:
    height = HEIGHT_PX - TOP_PX - BOTTOM_PX - LEGEND_PX
    bottom = TOP_PX + height
    yield f'<text x="{left}" y="20">{escape(panel.title)}</text>'
    for tick in panel.up.ticks:
        y = bottom - panel.up.place(tick) * height
        yield f'<path class="grid" d="M{left} {y:.1f}h{width}"/>'
        yield f'<text class="quiet" x="{left - 6}" y="{y + 4:.1f}" text-anchor="end">{tick:,g}</text>'
    for tick in panel.across.ticks:
        x = left + panel.across.place(tick) * width
        yield f'<text class="quiet" x="{x:.1f}" y="{bottom + 16}" text-anchor="middle">{tick:,g}</text>'
    yield f'<path class="axis" d="M{left} {bottom}h{width}"/>'
    title = escape(panel.across.title)
    yield f'<text class="quiet" x="{left + width / 2:.1f}" y="{bottom + 32}" text-anchor="middle">{title}</text>'
    for number, line in enumerate(panel.lines):
        points = [(left + panel.across.place(x) * width, bottom - panel.up.place(y) * height) for x, y in line.points]
        kind = "line dashed" if line.modelled else "line"
        yield f'<path class="{kind} s{number % COLOURS}" d="M{" L".join(f"{x:.1f} {y:.1f}" for x, y in points)}"/>'


def _legend(lines: Sequence[Line], left: float, width: float) -> Iterator[str]:
    y = HEIGHT_PX - 8
    for number, line in enumerate(lines):
        x = left + number * (width + 20) / len(lines)
        kind = "line dashed" if line.modelled else "line"
        yield f'<path class="{kind} s{number % COLOURS}" d="M{x:.0f} {y - 4}h16"/>'
        yield f'<text x="{x + 20:.0f}" y="{y}">{escape(line.name)}</text>'


def choose_ticks(most: float, count: int = 5) -> list[float]:
    """Return round ticks from 0 that reach ``most``: steps of 1, 2 or 5 times a power of ten."""
    power = 10.0 ** int(log10(most / count) // 1)
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor * count >= most)
    ticks = [step * number for number in range(count + 1)]
    return [ticks[0], *(high for low, high in pairwise(ticks) if low < most)]


def draw_misses(figures: MissFigures) -> str:
    """Draw time and memory by megapixels, a line for each output."""
    outputs: Mapping[str, str] = {
        one.output: f"{one.output} px" if one.output.isdigit() else f"{one.output} px".replace(" AVIF px", " px AVIF")
        for one in figures.misses
    }
    across = Axis("source, megapixels (logarithmic)", (1, 2, 5, 12, 24, 48, 120), 1, 120, logarithmic=True)

    def panel(title: str, value: str) -> Panel:
        lines = [
            Line(name, [(one.megapixels, getattr(one, value)) for one in figures.as_deployed if one.output == output])
            for output, name in outputs.items()
        ]
        ticks = choose_ticks(max(y for line in lines for _, y in line.points))
        return Panel(title, across, Axis("", ticks, 0, ticks[-1]), lines)

    panels = [panel("CPU time of a miss, ms", "cpu_ms"), panel("Peak memory of a miss, MB", "peak_mb")]
    return draw("CPU time and memory of a miss by megapixels of the source and output size", panels)


def draw_drains(figures: DrainFigures, modelled: Sequence[tuple[int, float]]) -> str:
    """Draw minutes of 5,000 uploads by workers."""
    measured = [(one.workers, one.elapsed_s / one.uploads * 5000 / 60) for one in figures.drains]
    ticks = choose_ticks(max(minutes for _, minutes in [*measured, *modelled]))
    across = Axis("workers", [count for count, _ in modelled], 0.5, modelled[-1][0] + 0.5)
    lines = [
        Line("on Lambda, modelled", modelled, modelled=True),
        Line("on the busy machine, measured", measured),
    ]
    panel = Panel("Minutes to drain 5,000 uploads", across, Axis("", ticks, 0, ticks[-1]), lines)
    return draw("Minutes to drain 5,000 uploads by number of workers", [panel])


def draw_year(hits: Sequence[Line], bill: Sequence[Line]) -> str:
    """Draw shares of hits and the bill by month."""
    across = Axis("month", range(1, 13), 0.5, 12.5)
    ticks = choose_ticks(max(y for line in bill for _, y in line.points))
    panels = [
        Panel("Share of requests, %", across, Axis("", (0, 20, 40, 60, 80, 100), 0, 100), hits),
        Panel("USD a month", across, Axis("", ticks, 0, ticks[-1]), bill),
    ]
    return draw("Hit ratios, slow misses and bill of a simulated year", panels)
