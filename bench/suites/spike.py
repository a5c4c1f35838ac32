"""Traffic spikes: 200 simultaneous cache misses of different images or of one, with limited concurrency."""

from __future__ import annotations

import os
from collections.abc import Sequence
from statistics import quantiles

from ..environment import describe_size
from ..goals import Rounds, Section
from ..images import make_images
from ..machine import describe_processor
from ..paths import WORK
from ..spike.run import KINDS, WIDTHS, Outcome, run_spike
from ..spike.server_log import max_concurrent
from ..spike.stack import start_stack
from ..spike.viewers import MAX_ATTEMPTS
from ..tables import Table
from . import Progress

IMAGE = "2mp.jpg"
VIEWERS = {"full": 200, "quick": 40}
AT_ONCE = 4
"""Reserved concurrency, low enough that a machine with few cores refuses most viewers."""

HEADINGS = (
    "",
    "first responses",
    "renders",
    "at a time",
    "objects",
    "versions",
    "first ms p50",
    "p95",
    "most requests",
    "image ms p95",
)


def measure(rounds: Rounds, progress: Progress) -> Section:
    """Measure all kinds of spikes on a stack of their own. Raises OSError if it does not start."""
    load = os.getloadavg()[0]
    [file] = [file for file in make_images() if file.name == IMAGE]
    progress("starting a stack")
    outcomes = []
    with start_stack(WORK / "spike") as stack:
        stack.clear_refine_queue()
        stack.keep_versions()
        for kind in KINDS:
            progress(kind.name)
            outcomes.append(run_spike(stack, kind, VIEWERS[rounds], AT_ONCE, file.read_bytes()))
    held = [
        f"{describe_processor()}, all cores for the local stack and the viewers; {describe_size(file)}, "
        f"as WebP of {WIDTHS[0]} to "
        f"{WIDTHS[-1]} px; reserved concurrency {AT_ONCE}; load average before: {load:.1f}."
    ]
    return Section("\n\n".join([table(outcomes).markdown(), "\n".join(f"- {line}" for line in [*NOTES, *held])]))


NOTES = (
    "First responses: statuses of the simultaneous first requests of all viewers. Renders and their "
    "concurrency: by the function's log, which has the end and the duration of each.",
    f"Refused viewers retry after one to two times `Retry-After`, {MAX_ATTEMPTS} requests at most. Image ms: from "
    "the first request to the image, with all waits.",
    "Objects and versions: in the bucket afterwards, with versioning, so that a second write would be visible. "
    "If renders race for one object, one conditional write succeeds; the others return its object.",
    "The renders of the first spike are cold starts.",
)


def table(outcomes: Sequence[Outcome]) -> Table:
    """Format a row for each spike, and whether all are without faults."""
    faults = [f"**{outcome.kind.name}: {fault}.**" for outcome in outcomes for fault in outcome.faults()]
    verdict = (
        f"All spikes: never more than {AT_ONCE} renders at a time; one object, written once, for each image; "
        "only 200, 429 and 503, the latter with `Retry-After`; every viewer gets an image; equal requests "
        "have equal responses."
    )
    rows = [row(outcome) for outcome in outcomes]
    return Table(f"{len(outcomes[0].viewers)} simultaneous misses", HEADINGS, rows, faults or [verdict])


def row(outcome: Outcome) -> list[str]:
    """Return an outcome's cells."""
    first = [viewer.answers[0].took_ms for viewer in outcome.viewers]
    images_ms = [viewer.after_ms for viewer in outcome.viewers]
    return [
        outcome.kind.name,
        ", ".join(f"{count} × {status}" for status, count in sorted(outcome.first.items())),
        str(len(outcome.renders)),
        str(max_concurrent(outcome.renders)),
        str(len(outcome.stored)),
        str(sum(outcome.stored.values())),
        f"{percentile(first, 50):.0f}",
        f"{percentile(first, 95):.0f}",
        f"{outcome.rounds}×",
        f"{percentile(images_ms, 95):.0f}",
    ]


def percentile(values: Sequence[float], share: int) -> float:
    """Return the value that ``share`` percent of at least two ``values`` do not exceed."""
    return quantiles(values, n=100, method="inclusive")[share - 1]
