"""Price a million misses from the figures of the suite ``requests``."""

from __future__ import annotations

from darkroom_pipeline.operations.cost_model import load_prices

from ..cases import WEBP_2MP, WEBP_12MP
from ..compare import measure_cases
from ..competitors.darkroom import darkroom, darkroom_unstored
from ..competitors.dit import dit
from ..competitors.model import MissingCompetitor
from ..cost.pricing import (
    TIMES,
    CostComparison,
    compute_chance_ratio,
    compute_lower_bound,
    compute_ratio,
    read_comparison,
    tabulate_by_misses,
)
from ..goals import Figure, Rounds, Section
from ..machine import architecture
from ..measure import Counts
from ..report import MEASURED, write_measured
from . import Progress

NOTE = "By memory and for smaller images, and rules: [cost](cost.md#measured-and-priced)."
CASES = (WEBP_12MP, WEBP_2MP)
WHO = (darkroom_unstored, darkroom, dit)
COUNTS = {"full": Counts(cold=5, warm=15), "quick": Counts(cold=2, warm=5)}


def measure(rounds: Rounds, progress: Progress) -> Section:
    """Price the figures of ``requests``; measure a short run of them if there are none."""
    if not MEASURED.exists():
        measure_requests(rounds, progress)
    prices, processor = load_prices(), architecture()
    try:
        found = read_comparison(WEBP_12MP.title, prices, processor)
    except MissingCompetitor as reason:
        return Section("", missing=[f"{reason}."])
    table = tabulate_by_misses(WEBP_12MP.title, found, prices, processor)
    return Section(f"{table.markdown()}\n\n{NOTE}", figures(found))


def measure_requests(rounds: Rounds, progress: Progress) -> None:
    """Measure both handlers as the suite ``requests`` does."""
    write_measured(measure_cases(dict.fromkeys(CASES, WHO), dict.fromkeys(CASES, COUNTS[rounds]), progress))


def figures(found: CostComparison) -> list[Figure]:
    """Return the figures of images missed TIMES times, once, and once if they are stored by chance."""
    prices, processor = load_prices(), architecture()
    put = prices.prices["s3-puts"].usd_per_unit * 1e6
    theirs = found.theirs.dollars(prices, processor, 1)
    whys = {
        "million-misses": (TIMES, f"for images missed {TIMES} times"),
        "million-misses-once": (1, f"the PUTs alone cost ${put:.2f}, AWS's own in all ${theirs:.2f}"),
    }
    by_chance, unstored = compute_chance_ratio(found, prices, processor)
    renders = "the floor is that of the renders alone, with all reads"
    return [
        *(
            Figure(goal, value, value, value, compute_lower_bound(found, prices, processor, times), why)
            for goal, (times, why) in whys.items()
            for value in (compute_ratio(found, prices, processor, times),)
        ),
        Figure("million-misses-once-auto", by_chance, by_chance, by_chance, unstored, renders),
    ]
