"""The bars of docs/images/performance.svg."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from html import escape

from .statistics import Spread
from .trial import Case, Result

WIDTH_PX = 760
LABEL_PX = 130
VALUE_PX = 150
BAR_PX = 16
ROW_PX = 24
GROUP_PX = 34
OURS = "Darkroom"
COLOURS = {True: "#b3261e", False: "#9aa0a6"}


def chart(found: Mapping[Case, Sequence[Result]]) -> str:
    """An SVG with a group of bars for cold and one for warm, of every case. A thin line is the spread."""
    rows: list[str] = []
    top = 12
    for case, results in found.items():
        cold = [(result.contender.name, result.cold_ms) for result in results]
        warm = [(result.contender.name, result.warm_ms) for result in results]
        for title, bars in ((f"{case.title}: cold start to first answer", cold), (f"{case.title}: warm", warm)):
            rows += _group(f"{title}, ms", bars, top)
            top += GROUP_PX + ROW_PX * len(bars)
    size = f'width="{WIDTH_PX}" height="{top}" viewBox="0 0 {WIDTH_PX} {top}"'
    style = 'font-family="system-ui, sans-serif" font-size="13" fill="#202124"'
    background = '<rect width="100%" height="100%" fill="#ffffff"/>'
    return "\n".join([f'<svg xmlns="http://www.w3.org/2000/svg" {size} {style}>', background, *rows, "</svg>", ""])


def _group(title: str, bars: Sequence[tuple[str, Spread]], top: int) -> Iterator[str]:
    longest = max(spread.high for _, spread in bars)
    px_per_ms = (WIDTH_PX - LABEL_PX - VALUE_PX) / longest
    yield f'<text x="12" y="{top + 16}" font-weight="600">{escape(title)}</text>'
    for index, (name, spread) in enumerate(bars):
        y = top + GROUP_PX - 8 + index * ROW_PX
        middle = y + BAR_PX / 2
        low, high = LABEL_PX + spread.low * px_per_ms, LABEL_PX + spread.high * px_per_ms
        width = spread.median * px_per_ms
        yield f'<text x="12" y="{y + 13}">{escape(name)}</text>'
        yield f'<rect x="{LABEL_PX}" y="{y}" width="{width:.1f}" height="{BAR_PX}" fill="{COLOURS[name == OURS]}"/>'
        yield f'<path d="M{low:.1f} {middle}H{high:.1f}" stroke="#202124"/>'
        yield f'<text x="{high + 8:.1f}" y="{y + 13}">{spread.median:.0f}</text>'
