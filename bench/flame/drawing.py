"""Draw a flame graph as SVG: callers above callees, width is time. No scripts; adapts to dark mode."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from html import escape

from .tree import Node

WIDTH_PX = 1200
MARGIN_PX = 10
TOP_PX = 40
ROW_PX = 19
LEAST_PX = 0.7
"""Narrower boxes are omitted."""

CHARACTER_PX = 6.7
"""Largest width of a character of the font."""

COLOURS = {"imaging": "#f4a261", "S3": "#8ecae6", "rest": "#cbd5a7", "runtime": "#d3d3dd"}
"""Colours by kind of code, light enough for black text."""

STYLE = (
    "text{font:11px ui-monospace,Menlo,Consolas,monospace;fill:#111}"
    ".title{font:600 14px system-ui,sans-serif}"
    ".title,.key{fill:#202124}"
    "@media(prefers-color-scheme:dark){.title,.key{fill:#e8eaed}}"
)

type Kind = Callable[[Node], str]
"""Returns a box's key of COLOURS."""


def draw(tree: Node, title: str, ms_per_sample: float, kind: Kind) -> str:
    """Draw ``tree``. A box shows its function; its tooltip has the milliseconds."""
    px = (WIDTH_PX - 2 * MARGIN_PX) / tree.count
    placed = [entry for entry in tree.walk() if entry[0].count * px >= LEAST_PX]
    height = TOP_PX + ROW_PX * (1 + max(depth for _, depth, _ in placed)) + MARGIN_PX
    boxes = (_box(node, depth, start, px, ms_per_sample, kind) for node, depth, start in placed)
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH_PX}" height="{height}" '
            f'viewBox="0 0 {WIDTH_PX} {height}">',
            f"<style>{STYLE}</style>",
            f'<text class="title" x="{MARGIN_PX}" y="24">{escape(title)}</text>',
            *_key(),
            *boxes,
            "</svg>",
            "",
        ]
    )


def _key() -> Iterator[str]:
    x = WIDTH_PX - MARGIN_PX - 110 * len(COLOURS)
    for name, colour in COLOURS.items():
        x += 110
        yield f'<rect x="{x - 80}" y="13" width="13" height="13" rx="2" fill="{colour}"/>'
        yield f'<text class="key" x="{x - 62}" y="24">{name}</text>'


def _box(node: Node, depth: int, start: int, px: float, ms_per_sample: float, kind: Kind) -> str:
    x, y, width = MARGIN_PX + start * px, TOP_PX + depth * ROW_PX, node.count * px
    tip = escape(f"{node.key.name} {node.key.file}: {node.count * ms_per_sample:.1f} ms")
    shape = f'x="{x:.1f}" y="{y}" width="{max(width - 0.4, 0.4):.1f}" height="{ROW_PX - 1}" rx="2"'
    label = escape(_fitting(node, width - 6))
    text = f'<text x="{x + 3:.1f}" y="{y + 13}">{label}</text>' if label else ""
    return f'<g><title>{tip}</title><rect {shape} fill="{COLOURS[kind(node)]}"/>{text}</g>'


def _fitting(node: Node, width_px: float) -> str:
    """Return as much of the function's name and file as fits."""
    room = int(width_px / CHARACTER_PX)
    whole = f"{node.key.name}  {node.key.file}".rstrip()
    if len(whole) <= room:
        return whole
    if len(node.key.name) <= room:
        return node.key.name
    return f"{node.key.name[: room - 1]}…" if room >= 4 else ""
