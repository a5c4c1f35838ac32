"""Draw the diagram of docs/explanation/architecture.md, whose nodes are links, from ``tools/diagram.toml``.

The site contains the file's text instead of an image (``tools/site.py``), so that the links work.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from html import escape
from pathlib import Path
from typing import Any

from tools.generated_blocks import ROOT

FILE = ROOT / "docs" / "images" / "architecture.svg"
PAGE = ROOT / "docs" / "explanation" / "architecture.md"
SOURCE = Path(__file__).with_name("diagram.toml")

COLUMN_PX, ROW_PX = 218, 88
WIDTH_PX, HEIGHT_PX = 140, 52
MARGIN_PX = 6
LINE_PX = 15
"""Height of a line of text."""

STYLE = """\
.diagram { font: 14px system-ui, sans-serif; fill: #222; min-width: 600px; }
.diagram rect { stroke: #607d8b; rx: 6px; }
.diagram .function { fill: #d9ecf2; }
.diagram .store { fill: #f6ead2; }
.diagram .aws { fill: #eceff1; }
.diagram .client { fill: #fff; }
.diagram tspan + tspan { font-size: 12px; fill: #455a64; }
.diagram path { stroke: #607d8b; fill: none; }
.diagram marker path { fill: #607d8b; stroke: none; }
.diagram .label { font-size: 12px; fill: #37474f; stroke: #fff; stroke-width: 4px; paint-order: stroke; }
.diagram a:hover rect, .diagram a:focus rect { stroke-width: 3px; }
@media (prefers-color-scheme: dark) {
  .diagram { fill: #eee; }
  .diagram .function { fill: #1f4351; }
  .diagram .store { fill: #4a3d22; }
  .diagram .aws { fill: #37434a; }
  .diagram .client { fill: #1e2129; }
  .diagram tspan + tspan { fill: #cfd8dc; }
  .diagram .label { fill: #cfd8dc; stroke: #1e2129; }
}
"""

ARROW = (
    '<defs><marker id="arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8"'
    ' orient="auto-start-reverse"><path d="M0 0 8 4 0 8z"/></marker></defs>'
)


@dataclass(frozen=True, slots=True)
class Node:
    """A box at a column and a row, ``rows`` high, whose first line of text is its name."""

    at: tuple[int, int]
    text: str
    kind: str
    link: str
    rows: int = 1

    @property
    def left(self) -> float:
        """Return the left side in px."""
        return MARGIN_PX + self.at[0] * COLUMN_PX

    @property
    def top(self) -> float:
        """Return the upper side in px."""
        return MARGIN_PX + self.at[1] * ROW_PX

    @property
    def height(self) -> float:
        """Return the height in px."""
        return HEIGHT_PX + (self.rows - 1) * ROW_PX

    def find_anchor(self, other: Node) -> tuple[float, float]:
        """Return the point of the node that a line to ``other`` leads to: its centre, in the row of ``other``."""
        nearest = min(max(other.at[1], self.at[1]), self.at[1] + self.rows - 1)
        return self.left + WIDTH_PX / 2, MARGIN_PX + nearest * ROW_PX + HEIGHT_PX / 2


@cache
def read_nodes() -> dict[str, Node]:
    """Read the nodes by their names in the file."""
    return {name: Node(**{**row, "at": tuple(row["at"])}) for name, row in _read()["nodes"].items()}


@cache
def _read() -> dict[str, Any]:
    return tomllib.loads(SOURCE.read_text(encoding="utf-8"))


def draw() -> str:
    """Return the text of the file."""
    nodes = read_nodes()
    width = max(node.left for node in nodes.values()) + WIDTH_PX + MARGIN_PX
    height = max(node.top + node.height for node in nodes.values()) + MARGIN_PX
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" class="diagram" viewBox="0 0 {width:g} {height:g}" role="group"'
        ' aria-label="Components of Darkroom, and what they send each other">',
        f"<style>\n{STYLE}</style>",
        ARROW,
        *(_draw_edge(nodes, edge) for edge in _read()["edges"]),
        *map(_draw_node, nodes.values()),
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def _draw_edge(nodes: dict[str, Node], edge: dict[str, Any]) -> str:
    first, last = (nodes[name] for name in edge["between"])
    one, other = first.find_anchor(last), last.find_anchor(first)
    start, end = _clip(one, other), _clip(other, one)
    both = ' marker-start="url(#arrow)"' if edge.get("both") else ""
    path = f'<path d="M{start[0]:.0f} {start[1]:.0f} {end[0]:.0f} {end[1]:.0f}" marker-end="url(#arrow)"{both}/>'
    share = edge.get("label_at", 0.5)
    x, y = start[0] + share * (end[0] - start[0]), start[1] + share * (end[1] - start[1]) - 3
    label = f'<text class="label" x="{x:.0f}" y="{y:.0f}" text-anchor="middle">{escape(edge.get("text", ""))}</text>'
    return path + (label if "text" in edge else "")


def _clip(inside: tuple[float, float], other: tuple[float, float]) -> tuple[float, float]:
    """Return where the line from the anchor ``inside`` of a node to ``other`` leaves a box around the anchor."""
    across, down = other[0] - inside[0], other[1] - inside[1]
    share = min(WIDTH_PX / 2 / abs(across) if across else 1, HEIGHT_PX / 2 / abs(down) if down else 1)
    return inside[0] + share * across, inside[1] + share * down


def _draw_node(node: Node) -> str:
    lines = node.text.split("\n")
    x = node.left + WIDTH_PX / 2
    first = node.top + node.height / 2 - LINE_PX * (len(lines) - 1) / 2 + 4
    spans = "".join(
        f'<tspan x="{x:g}" y="{first + LINE_PX * number:g}">{escape(line)}</tspan>' for number, line in enumerate(lines)
    )
    return (
        f'<a href="{node.link.replace(".md", ".html")}"><rect class="{node.kind}" x="{node.left:g}" y="{node.top:g}"'
        f' width="{WIDTH_PX}" height="{node.height:g}"/><text text-anchor="middle">{spans}</text></a>'
    )
