"""Storms of cache misses: 200 viewers at once, for as many pictures or for one, over a stack that may render few."""

from __future__ import annotations

import os
from collections.abc import Sequence
from statistics import quantiles

from ..environment import describe_size
from ..goals import Rounds, Section
from ..machine import describe_processor
from ..paths import WORK
from ..pictures import make_images
from ..storm.server_log import max_concurrent
from ..storm.spike import KINDS, WIDTHS, Outcome, run_spike
from ..storm.stack import start_stack
from ..storm.viewers import PATIENCE
from ..tables import Table
from . import Progress

PICTURE = "2mp.jpg"
VIEWERS = {"full": 200, "quick": 40}
AT_ONCE = 4
"""Reserved concurrency: few, so that most viewers are refused, on a machine of few cores."""

HEADINGS = (
    "",
    "first answers",
    "renders",
    "at a time",
    "objects",
    "versions",
    "first ms p50",
    "p95",
    "asked at most",
    "picture ms p95",
)


def measure(rounds: Rounds, progress: Progress) -> Section:
    """All kinds of storms, one after the other, over a stack of their own; raises OSError if it does not start."""
    load = os.getloadavg()[0]
    [file] = [file for file in make_images() if file.name == PICTURE]
    progress("starting a stack")
    outcomes = []
    with start_stack(WORK / "storm") as stage:
        stage.forget()
        stage.keep_versions()
        for kind in KINDS:
            progress(kind.name)
            outcomes.append(run_spike(stage, kind, VIEWERS[rounds], AT_ONCE, file.read_bytes()))
    held = [
        f"{describe_processor()}, all cores for the local stack and the viewers; {describe_size(file)}, "
        f"as WebP of {WIDTHS[0]} to "
        f"{WIDTHS[-1]} px; reserved concurrency {AT_ONCE}; load average before: {load:.1f}."
    ]
    return Section("\n\n".join([table(outcomes).markdown(), "\n".join(f"- {line}" for line in [*NOTES, *held])]))


NOTES = (
    "First answers: how many of each status all viewers got who asked at the same moment. Renders and how many of them "
    "went on at a time: by the function's own log, which has the end and the duration of each.",
    f"Who is refused asks again after one to two times the `Retry-After`, {PATIENCE} times at most. Picture ms: from "
    "the first question to the picture, all waits included.",
    "Objects and versions of them: in the store afterwards, with versioning on, so that a second write could be seen. "
    "Of renders that race for one object the conditional write lets one win; the others answer what it stored.",
    "The first storm meets a function that has not started, so its renders are cold.",
)


def table(outcomes: Sequence[Outcome]) -> Table:
    """A row a storm, and in words whether all is as it should be."""
    faults = [f"**{outcome.kind.name}: {fault}.**" for outcome in outcomes for fault in outcome.faults()]
    verdict = (
        f"In all of them: never more than {AT_ONCE} renders at a time; one object, written once, for each picture; "
        "nothing but 200, 429 and 503, these with `Retry-After`; everybody has a picture in the end; equal requests "
        "have equal answers."
    )
    rows = [row(outcome) for outcome in outcomes]
    return Table(f"{len(outcomes[0].viewers)} misses at once", HEADINGS, rows, faults or [verdict])


def row(outcome: Outcome) -> list[str]:
    """An outcome's cells."""
    first = [viewer.answers[0].took_ms for viewer in outcome.viewers]
    pictures_ms = [viewer.after_ms for viewer in outcome.viewers]
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
        f"{percentile(pictures_ms, 95):.0f}",
    ]


def percentile(values: Sequence[float], share: int) -> float:
    """The value that ``share`` percent of at least two ``values`` do not exceed."""
    return quantiles(values, n=100, method="inclusive")[share - 1]
