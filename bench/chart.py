"""Line charts as SVG, for pages: a few series over the same named points, legible on light and dark backgrounds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from math import ceil

WIDTH_PX, HEIGHT_PX = 720, 320
LEFT_PX, RIGHT_PX, TOP_PX, BOTTOM_PX = 50, 190, 34, 44
"""Margins: numbers, names of the series, the title, names of the points."""

COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#8a8a8a")
"""Colours that also people with colour blindness can distinguish (Okabe and Ito, 2008), and grey."""
TEXT, LINE = "#808080", "#80808040"
LEAST_GAP_PX = 15
"""Between names of series, whose lines may end beside each other."""


@dataclass(frozen=True, slots=True)
class Chart:
    """``series`` are values by name, one for each of ``points``; the axis begins at 0."""

    title: str
    axis: str
    points: Sequence[str]
    series: Mapping[str, Sequence[float]]

    def svg(self) -> str:
        """Draw the chart."""
        top = _round_up(max(max(values) for values in self.series.values()))
        drawn = [
            _text(LEFT_PX, 20, self.title, "start"),
            *(self._draw_tick(top, number) for number in range(5)),
            *(_text(self._x(at), HEIGHT_PX - 24, name) for at, name in enumerate(self.points)),
            _text((LEFT_PX + WIDTH_PX - RIGHT_PX) / 2, HEIGHT_PX - 6, self.axis),
        ]
        places = _spread([self._y(values[-1], top) for values in self.series.values()])
        for (name, values), colour, y in zip(self.series.items(), COLOURS, places, strict=False):
            line = " ".join(f"{self._x(at):.1f},{self._y(value, top):.1f}" for at, value in enumerate(values))
            drawn.append(f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="2.5"/>')
            drawn.append(_text(WIDTH_PX - RIGHT_PX + 8, y + 4, name, "start", colour))
        size = f'width="{WIDTH_PX}" height="{HEIGHT_PX}" viewBox="0 0 {WIDTH_PX} {HEIGHT_PX}"'
        style = 'font-family="sans-serif" font-size="12"'
        body = "\n".join(drawn)
        return f'<svg xmlns="http://www.w3.org/2000/svg" {size} {style} role="img">\n{body}\n</svg>\n'

    def _draw_tick(self, top: float, number: int) -> str:
        value = top * number / 4
        y = self._y(value, top)
        line = f'<path d="M{LEFT_PX} {y:.1f}H{WIDTH_PX - RIGHT_PX}" stroke="{LINE}"/>'
        return line + _text(LEFT_PX - 6, y + 4, f"{value:g}", "end")

    def _x(self, at: int) -> float:
        return LEFT_PX + (WIDTH_PX - LEFT_PX - RIGHT_PX) * at / max(1, len(self.points) - 1)

    def _y(self, value: float, top: float) -> float:
        return HEIGHT_PX - BOTTOM_PX - (HEIGHT_PX - TOP_PX - BOTTOM_PX) * value / top


def _round_up(value: float) -> float:
    """Return the next multiple of 0.4, 4, 40, … so that four ticks are short numbers."""
    step = 0.4
    while value > 10 * step:
        step *= 10
    return ceil(round(value / step, 6)) * step


def _spread(places: Sequence[float]) -> list[float]:
    """Return ``places`` moved down, where names would touch."""
    found, least = dict[int, float](), 0.0
    for at in sorted(range(len(places)), key=lambda at: places[at]):
        found[at] = max(places[at], least)
        least = found[at] + LEAST_GAP_PX
    return [found[at] for at in range(len(places))]


def _text(x: float, y: float, text: str, anchor: str = "middle", colour: str = TEXT) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}">{escape(text)}</text>'
