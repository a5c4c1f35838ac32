"""What misses cost by AWS's price list, from what the part ``requests`` has measured: Darkroom beside AWS's own."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from darkroom.operations.cost_model import (
    FULL_CORE_MB,
    MEMORY_MARGIN,
    MEMORY_MB,
    PriceTable,
    RenderTime,
    ServiceDesign,
    billed_ms,
    billed_start_ms,
    cheapest_mb,
    load_prices,
    misses_cost,
    with_misses,
)

from ..compare import OURS, STORED
from ..competitors.dit import NAME as DIT
from ..competitors.model import MissingCompetitor
from ..report import MEASURED
from ..tables import Table

SIZES = ", ".join(map(str, MEMORY_MB))

LOOKS = 3
"""What a render of ours asks S3 for besides its source: is the picture there, is there a marker of a refusal, and has
the source changed meanwhile."""

LOOKS_WITHOUT_STORING = 1

DIT_MEMORY_MB = 1024
"""Of AWS's own solution: its stack sets it, and has no parameter for it (back-end-construct.ts of its repository)."""

REFINING = {"lambda-requests": 1, "events": 2, "sqs-requests": 3, "s3-gets": 3, "s3-puts": 1}
"""What refining one picture is charged for, besides the time of the function that does it. Both PUTs of the picture
make an event; a message is sent, received and deleted."""

REFINED = 0.1
"""Share of a picture's bytes that refining saves, for an example."""

COLD = 0.01
"""Share of renders that start a process, where nothing else is said."""

COLDS = (0.001, 0.01, 0.1)

TIMES = 5
"""How often the CDN misses a picture in a month, for the goal. Each of CloudFront's thirteen regional caches asks for
itself, so that is a picture which viewers near five of them look at, and which none of these drops."""

ALL_TIMES = (1, 2, 5, 10, 20)


@dataclass(frozen=True, slots=True)
class Priced:
    """A design with its memory: that which its misses cost least with, or what its template sets."""

    design: ServiceDesign
    peak_mb: float
    memory_mb: int

    def dollars(self, prices: PriceTable, architecture: str, times: float = TIMES) -> float:
        """For a million misses, each picture missed so many ``times`` in a month."""
        design = with_misses(self.design, times)
        return sum(misses_cost(prices, design, self.memory_mb, architecture=architecture).values())

    def cold(self, share: float) -> Priced:
        """With another share of cold starts."""
        return replace(self, design=replace(self.design, cold_share=share))


@dataclass(frozen=True, slots=True)
class Rivals:
    """Darkroom as deployed and storing nothing, and AWS's own solution with its API Gateway and without."""

    ours: Priced
    unstored: Priced
    theirs: Priced
    bare: Priced


def read_prices() -> PriceTable:
    """AWS's, as the monitor has it."""
    return load_prices()


def read_rivals(title: str, prices: PriceTable, architecture: str, measured: Path = MEASURED) -> Rivals:
    """Of the case ``title``; raises Missing where that was not measured with both."""
    try:
        found: Mapping[str, Mapping[str, float]] = json.loads(measured.read_text(encoding="utf-8"))[title]
        stored, nothing, theirs = (found[name] for name in (STORED, OURS, DIT))
    except (FileNotFoundError, KeyError) as error:
        raise MissingCompetitor(f"Costs: the part `requests` has left no figures of {error}") from error

    def priced(of: Mapping[str, float], design: ServiceDesign, memory_mb: int = 0) -> Priced:
        peak_mb = of["peak_mb"]
        return Priced(design, peak_mb, memory_mb or cheapest_mb(prices, design, peak_mb, architecture))

    ours = ServiceDesign(_work(stored), int(stored["picture_bytes"]), stores=True, extra_gets=LOOKS, cold_share=COLD)
    unstored = ServiceDesign(
        _work(nothing), int(nothing["picture_bytes"]), extra_gets=LOOKS_WITHOUT_STORING, cold_share=COLD
    )
    bare = ServiceDesign(_work(theirs), int(theirs["picture_bytes"]), cold_share=COLD)
    return Rivals(
        priced(stored, ours),
        priced(nothing, unstored),
        priced(theirs, replace(bare, rest_api=True), DIT_MEMORY_MB),
        priced(theirs, bare, DIT_MEMORY_MB),
    )


def compute_ratio(found: Rivals, prices: PriceTable, architecture: str, times: float = TIMES) -> float:
    """What ours costs, of what AWS's own does."""
    ours, theirs = (one.dollars(prices, architecture, times) for one in (found.ours, found.theirs))
    return ours / theirs


def compute_lower_bound(found: Rivals, prices: PriceTable, architecture: str, times: float = TIMES) -> float:
    """The ratio if rendering took no time: requests and storage alone."""
    parts = misses_cost(prices, with_misses(found.ours.design, times), found.ours.memory_mb, architecture=architecture)
    return (sum(parts.values()) - parts["compute"]) / found.theirs.dollars(prices, architecture, times)


def tabulate_by_misses(title: str, found: Rivals, prices: PriceTable, architecture: str) -> Table:
    """US dollars for a million misses, a row for how often each picture is missed."""
    headings = (
        "missed",
        "Darkroom",
        "ratio",
        "storing nothing",
        "ratio",
        "AWS's own",
        "without API Gateway",
        "ratio",
    )

    def row(times: int) -> Sequence[str]:
        ours, unstored, theirs, bare = (
            one.dollars(prices, architecture, times) for one in (found.ours, found.unstored, found.theirs, found.bare)
        )
        return (
            *(_times(times), f"{ours:.2f}", f"{ours / theirs:.2f}", f"{unstored:.2f}", f"{unstored / theirs:.2f}"),
            *(f"{theirs:.2f}", f"{bare:.2f}", f"{ours / bare:.2f}"),
        )

    return Table(f"{title}: USD for a million misses", headings, [row(times) for times in ALL_TIMES])


def tabulate_by_cold_starts(title: str, found: Rivals, prices: PriceTable, architecture: str) -> Table:
    """The same for pictures that are missed :data:`TIMES` times, a row for each share of cold starts."""
    headings = ("cold starts", "Darkroom", "AWS's own", "ratio")

    def row(share: float) -> Sequence[str]:
        ours, theirs = (one.cold(share).dollars(prices, architecture) for one in (found.ours, found.theirs))
        return (f"{share:.1%}", f"{ours:.2f}", f"{theirs:.2f}", f"{ours / theirs:.2f}")

    return Table(f"{title}: by cold starts, each image missed {_times(TIMES)}", headings, [row(one) for one in COLDS])


def describe_memory(found: Rivals) -> list[str]:
    """With which memory each was priced, and what it is billed there."""
    return [
        f"{name}: {one.memory_mb} MB, {billed_ms(one.design.render, one.memory_mb):,} ms a render, and "
        f"{billed_start_ms(one.design.render, one.memory_mb):,} ms more for one that starts a process, which was seen "
        f"to need {one.peak_mb:.0f} MB."
        for name, one in (("Darkroom", found.ours), ("AWS's own", found.theirs))
    ]


def describe_re_encoding(found: Rivals, prices: PriceTable) -> str:
    """Format the cost of re-encoding an image, and the number of views after which it is recovered."""
    each = sum(prices.cost(REFINING).values())
    saved = found.ours.design.picture_bytes * REFINED / 1e9 * prices.prices["cdn-gb"].usd_per_unit
    return (
        f"Re-encoding (`Refine`) is separate: ${each * 1e6:.2f} for a million images, and a background render "
        f"for each. Where it saves {REFINED:.0%} of the bytes, the CDN's delivery recovers it after "
        f"{each / saved:.0f} views of an image."
    )


def describe_rules(prices: PriceTable, architecture: str) -> list[str]:
    """What the tables hold for."""
    return [
        f"Darkroom at the memory that is cheapest of those that its template has ({SIZES} MB) and that hold it, "
        f"{MEMORY_MARGIN - 1:.0%} more than its process was seen to need; AWS's own at the {DIT_MEMORY_MB} MB that its "
        f"template sets. Below {FULL_CORE_MB} MB, one core's worth, computing takes longer in proportion, waiting does "
        "not.",
        f"Billed are the render and, since August 2025, starting the process, in {COLD:.0%} of renders unless it says "
        "otherwise; Lambda's and API Gateway's requests; S3's GET, HEAD and PUT; a month of storage. The CDN's own "
        "charges are the same for both.",
        "**missed**: how often the CDN misses each image within a month. Darkroom renders and stores it once, then "
        "S3 answers; AWS's own renders each time. **storing nothing**: with `store_derivatives = false`.",
        f"Prices of us-east-1, on demand, {architecture}, as read on {prices.read_on.isoformat()}.",
    ]


def _times(times: int) -> str:
    return "once" if times == 1 else f"{times} times"


def _work(measured: Mapping[str, float]) -> RenderTime:
    """A cold start is all that its first answer took beyond a warm one."""
    start_ms = max(0.0, (measured["cold_ms"] or 0.0) - measured["warm_ms"])
    return RenderTime(measured["warm_ms"], measured["cpu_ms"], start_ms)
