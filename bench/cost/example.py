"""The example of README's first lines, from the tables of docs/explanation/cost.md: a shop's month, then misses."""

from __future__ import annotations

from itertools import takewhile

TABLE = "### 12 MP JPEG to 800 px WebP: USD for a million misses"
MONTH = "| a month in the cheapest way, USD |"
OURS, THEIRS = "Darkroom", "AWS's own"


def read_misses(page: str) -> dict[str, dict[str, float]]:
    """Return the costs in US dollars by how often each image is missed, and by service. Raises ValueError."""
    lines = takewhile(lambda line: line.startswith("|"), page.partition(TABLE)[2].strip().splitlines())
    head, _, *rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    columns = {name: head.index(name) for name in (OURS, THEIRS)}
    return {row[0]: {name: float(row[index]) for name, index in columns.items()} for row in rows}


def read_month(page: str) -> dict[str, float]:
    """Return the costs of the worked example's month in US dollars by service. Raises ValueError."""
    _, found, rows = page.partition(MONTH)
    lines = [line for line in rows.splitlines() if line.startswith("| **together**")]
    if not found or not lines:
        raise ValueError("The page has no month of AWS's own solution")
    ours, theirs = lines[0].strip("| ").split("|")[1:3]
    return {OURS: float(ours), THEIRS: float(theirs)}


def format_cost_example(page: str) -> str:
    """Return the sentence for README, which says where Darkroom costs more."""
    month, costs = read_month(page), read_misses(page)
    once, often = costs["once"], costs["5 times"]
    difference = 100 * (month[OURS] / month[THEIRS] - 1)
    compared = f"{abs(difference):.0f} % {'more' if difference > 0 else 'less'} than"
    return (
        f"a shop with 2 million images and 50 million views pays {month[OURS]:,.0f} USD a month,\n"
        f"  {compared} with AWS Dynamic Image Transformation. A million misses of 12 MP photographs as 800 px WebP\n"
        f"  cost {once[OURS]:.2f} USD if each image is missed once (AWS's {once[THEIRS]:.2f}), "
        f"and {often[OURS]:.2f} USD if each is missed five times"
    )
