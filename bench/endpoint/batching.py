"""Measure the gain of batches: the same images through a server with batches and one without, in turn."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import cycle, islice
from statistics import fmean

import skimage.data
from PIL import Image

from ..measure import Progress, order_turns
from ..photographs.sources import list_photographs
from ..statistics import Spread
from ..tables import Table
from .server import ServerResult, send_images, serve

SIDE_PX = 2048
QUALITY = 90
"""JPEG quality of prepared images, as the infer function sends them."""

AT_ONCE = 16
TASKS = ("similarity", "moderation", "faces", "text", "faces,text,moderation,similarity")

SAMPLES = ("page", "text", "astronaut", "coffee")
"""Images of scikit-image: a page and handwriting, a face, and a photograph without either."""

SERVERS: Mapping[str, Mapping[str, str]] = {"batches": {}, "one by one": {"BATCH_SIZE": "1"}}
"""Environment of each server, the baseline last."""

HEADINGS = ("", "images/s", "ratio", "ms", "together", "CPU s an image")


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
        servers = dict(zip(SERVERS, (batched, single), strict=True))
        for tasks in TASKS:
            for turn in range(-1, rounds):
                progress(f"{tasks}: {turn + 1}/{rounds}")
                for index in order_turns(len(servers), turn):
                    name = list(servers)[index]
                    answered = send_images(servers[name], prints if turn >= 0 else prints[:AT_ONCE], tasks, AT_ONCE)
                    if turn >= 0:
                        found.setdefault((tasks, name), []).append(answered)
    return Findings({key: Measured(answers) for key, answers in found.items()}, conditions)


def prepare_images(count: int) -> list[bytes]:
    """Prepare JPEGs as the infer function sends them: photographs by cameras, and images of scikit-image, in turn.

    Raises PackageUnavailable.
    """
    photographs = [Image.open(path) for path in list_photographs()]
    samples = [Image.fromarray(getattr(skimage.data, name)()) for name in SAMPLES]
    return [_prepare(image) for image in islice(cycle((*photographs, *samples)), count)]


def _prepare(image: Image.Image) -> bytes:
    scale = SIDE_PX / max(image.size)
    size = round(image.width * scale), round(image.height * scale)
    out = io.BytesIO()
    image.convert("RGB").resize(size, Image.Resampling.BILINEAR, reducing_gap=1.5).save(out, "JPEG", quality=QUALITY)
    return out.getvalue()


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
        f"{fmean(answer.cpu_ms for answer in one.answers) / 1000:.2f}",
    )


def format_page(findings: Findings) -> str:
    """Return the generated part of docs/explanation/performance.md."""
    return "\n\n".join(
        [*(table.markdown() for table in tables(findings)), "\n".join(f"- {line}" for line in findings.conditions)]
    )
