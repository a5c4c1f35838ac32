"""The example of README's first lines: the cost of misses, from the measured table of docs/explanation/cost.md."""

from __future__ import annotations

from itertools import takewhile

TABLE = "### 12 MP JPEG to 800 px WebP: USD for a million misses"
OURS, THEIRS = "Darkroom", "AWS's own"


def read_misses(page: str) -> dict[str, dict[str, float]]:
    """Return the costs in US dollars by how often each image is missed, and by service. Raises ValueError."""
    lines = takewhile(lambda line: line.startswith("|"), page.partition(TABLE)[2].strip().splitlines())
    head, _, *rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    columns = {name: head.index(name) for name in (OURS, THEIRS)}
    return {row[0]: {name: float(row[index]) for name, index in columns.items()} for row in rows}


def format_cost_example(page: str) -> str:
    """Return the sentence for README: where an image is missed once, Darkroom may cost more."""
    costs = read_misses(page)
    once, often = costs["once"], costs["5 times"]
    difference = 100 * (once[OURS] / once[THEIRS] - 1)
    compared = f"{abs(difference):.0f} % {'more' if difference > 0 else 'less'} than"
    return (
        f"a million misses of 12 MP photographs as 800 px WebP cost {once[OURS]:.2f} USD\n"
        f"  if each image is missed once, {compared} AWS Dynamic Image Transformation on the\n"
        f"  same measurements ({once[THEIRS]:.2f} USD), and {often[OURS]:.2f} USD if each is missed five times"
    )
