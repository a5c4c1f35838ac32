"""Draw docs/images/performance.svg: a bar for each goal of the last full run, and a line for the goal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from html import escape

from .goals import Figure, Goal
from .runs import Run

WIDTH_PX = 830
LABEL_PX = 250
VALUE_PX = 200
BAR_PX = 14
ROW_PX = 26
TOP_PX = 44
GOAL_AT = 0.72
"""Position of the goal line, as a share of the width for bars."""

STYLE = """
text { font: 12.5px system-ui, sans-serif; fill: #202124 }
.paper { fill: #ffffff } .met { fill: #188038 } .missed { fill: #c5221f } .spread { stroke: #202124; opacity: .55 }
.goal { stroke: #5f6368; stroke-dasharray: 4 3 } .quiet { fill: #5f6368 }
@media (prefers-color-scheme: dark) {
  text { fill: #e8eaed } .paper { fill: #0d1117 } .met { fill: #57ab5a } .missed { fill: #f47067 }
  .spread { stroke: #e8eaed } .goal { stroke: #9aa0a6 } .quiet { fill: #9aa0a6 }
}
"""


def draw_chart(goals: Mapping[str, Goal], runs: Sequence[Run]) -> str:
    """Draw the last of ``runs``: each bar is a share of its goal, a thin line its spread."""
    figures = runs[-1].figures if runs else {}
    found = [(goal, figures[goal.id]) for goal in goals.values() if goal.limit is not None and goal.id in figures]
    height = TOP_PX + ROW_PX * len(found) + 10
    size = f'width="{WIDTH_PX}" height="{height}" viewBox="0 0 {WIDTH_PX} {height}"'
    line = LABEL_PX + _px(1)
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" aria-label="Figures as shares of their goals">',
            f"<style>{STYLE}</style>",
            '<rect class="paper" width="100%" height="100%"/>',
            f'<text class="quiet" x="{line:.1f}" y="18" text-anchor="middle">goal</text>',
            f'<path class="goal" d="M{line:.1f} 24V{height - 8}"/>',
            *(row for at, (goal, figure) in enumerate(found) for row in _row(goal, figure, TOP_PX + ROW_PX * at)),
            "</svg>",
            "",
        ]
    )


def _row(goal: Goal, figure: Figure, top: int) -> Iterator[str]:
    middle = top + BAR_PX / 2
    low, high = (LABEL_PX + _px(goal.share(value)) for value in (figure.least, figure.most))
    kind = "met" if goal.met_by(figure) else "missed"
    text = f"{goal.format_value(figure.value)} ({goal.format_limit})"
    yield f'<text x="{LABEL_PX - 10}" y="{top + 11.5}" text-anchor="end">{escape(goal.label)}</text>'
    width = _px(goal.share(figure.value))
    yield f'<rect class="{kind}" x="{LABEL_PX}" y="{top}" width="{width:.1f}" height="{BAR_PX}" rx="2"/>'
    yield f'<path class="spread" d="M{low:.1f} {middle}H{high:.1f}"/>'
    yield f'<text x="{WIDTH_PX - VALUE_PX + 20}" y="{top + 11.5}">{escape(text)}</text>'


def _px(share: float) -> float:
    """Return the length of a share of a goal, limited by the chart's edges."""
    room = WIDTH_PX - LABEL_PX - VALUE_PX
    return min(max(share * GOAL_AT, 0.0), 1.0) * room
