"""Measure the gain of batches: the same images through a server with batches and one without, in turn."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from PIL import Image

from ..images import make_images
from ..measure import Progress, order_turns
from ..statistics import Spread
from ..tables import Table
from .server import ServerResult, send_images, serve

SIDE_PX = 2048
QUALITY = 90
"""JPEG quality of prepared images, as the infer function sends them."""

AT_ONCE = 16
TASKS = ("similarity", "moderation", "faces", "faces,moderation,similarity")
"""Tasks, without text, which is read one image at a time."""

SERVERS: Mapping[str, Mapping[str, str]] = {"batches": {}, "one by one": {"BATCH_SIZE": "1"}}
"""Environment of each server, the baseline last."""

HEADINGS = ("", "images/s", "ratio", "ms", "together")


@dataclass(frozen=True, slots=True)
class Measured:
    """Results of one server and set of tasks by turn."""

    answers: Sequence[ServerResult]

    @property
    def per_s(self) -> Spread:
        """Images per second."""
        return Spread.of(answer.per_s for answer in self.answers)


@dataclass(frozen=True, slots=True)
class Findings:
    """All results by tasks and server."""

    results: Mapping[tuple[str, str], Measured]
    conditions: Sequence[str]


def measure_batches(count: int, rounds: int, conditions: Sequence[str], progress: Progress) -> Findings:
    """Measure ``count`` images for each set of tasks, ``rounds`` times in turn. Raises ServeError."""
    prints = prepare_images(count)
    found: dict[tuple[str, str], list[ServerResult]] = {}
    with serve("batches", **SERVERS["batches"]) as batched, serve("single", **SERVERS["one by one"]) as single:
        ports = dict(zip(SERVERS, (batched, single), strict=True))
        for tasks in TASKS:
            for turn in range(-1, rounds):
                progress(f"{tasks}: {turn + 1}/{rounds}")
                for index in order_turns(len(ports), turn):
                    name = list(ports)[index]
                    answered = send_images(ports[name], prints if turn >= 0 else prints[:AT_ONCE], tasks, AT_ONCE)
                    if turn >= 0:
                        found.setdefault((tasks, name), []).append(answered)
    return Findings({key: Measured(answers) for key, answers in found.items()}, conditions)


def prepare_images(count: int) -> list[bytes]:
    """Prepare JPEGs of one size from different parts of a photograph."""
    photograph = Image.open(make_images()[0]).convert("RGB")
    size = (SIDE_PX, SIDE_PX * 3 // 4)
    found = []
    for number in range(count):
        out = io.BytesIO()
        box = (
            number * 7,
            number * 5,
            photograph.width - 7 * (count - number),
            photograph.height - 5 * (count - number),
        )
        photograph.resize(size, Image.Resampling.BILINEAR, box, reducing_gap=1.5).save(out, "JPEG", quality=QUALITY)
        found.append(out.getvalue())
    return found


def tables(findings: Findings) -> list[Table]:
    """Return a row for each server and set of tasks."""
    return [
        Table(tasks.replace(",", ", "), HEADINGS, [_row(findings, tasks, name) for name in SERVERS])
        for tasks in dict.fromkeys(tasks for tasks, _ in findings.results)
    ]


def _row(findings: Findings, tasks: str, name: str) -> tuple[str, ...]:
    one, base = findings.results[tasks, name], findings.results[tasks, list(SERVERS)[-1]]
    return (
        name,
        f"{one.per_s.median:.1f} ({one.per_s.low:.1f}–{one.per_s.high:.1f})",
        f"{one.per_s.ratio_to(base.per_s):.2f}",
        f"{fmean(answer.ms for answer in one.answers):,.0f}",
        f"{fmean(answer.batch for answer in one.answers):.1f}",
    )


def format_page(findings: Findings) -> str:
    """Return the generated part of docs/explanation/performance.md."""
    return "\n\n".join(
        [*(table.markdown() for table in tables(findings)), "\n".join(f"- {line}" for line in findings.conditions)]
    )
