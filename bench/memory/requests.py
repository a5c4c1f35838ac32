"""Which pictures are asked for, and as what: the same 500 requests each time, mixed evenly."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from .sources import DEMANDING, MIXED, Source

SEED = 500
COUNT = 500
SOON = 40
"""How many requests it takes until all there is has been asked for once."""

OUTPUTS = {
    "w-320.webp": 10,
    "w-640.webp": 16,
    "w-800.webp": 16,
    "w-1280.webp": 13,
    "w-640.avif": 10,
    "w-960.avif": 6,
    "w-1280.avif": 4,
    "w-640.jpeg": 6,
    "w-1280.jpeg": 4,
    "w-480.png": 4,
    "fit-cover_g-attention_h-300_w-300.webp": 6,
    "fit-cover_h-200_w-200.webp": 6,
    "full.json": 4,
    "full.thumbhash": 2,
}
"""The last parts of canonical paths, and how often each is asked for, among the others' weights."""


@dataclass(frozen=True, slots=True)
class MemoryRequest:
    """One request: ``output`` is the last part of the canonical path."""

    source: Source
    output: str

    def path(self, number: int) -> str:
        """The canonical path for the copy ``number`` of the source."""
        return f"/{number}/{self.source.name}/_/{self.output}"


ALONE = {
    "jpeg-24.jpg": "w-1920.avif",
    "alpha-2.png": "w-1280.avif",
    "alpha-8.png": "w-1280.avif",
    "progressive-12.jpg": "w-1280.webp",
    "webp-12.webp": "w-1280.webp",
    "avif-3.avif": "w-800.webp",
    "avif-12.avif": "w-800.webp",
    "tiff-12.tif": "w-1280.webp",
}
"""Requests that take more than those of the mix: the source's name, and the output."""


def list_demanding() -> Sequence[MemoryRequest]:
    """The requests of :data:`ALONE`."""
    named = {source.name: source for source in (*MIXED, *DEMANDING)}
    return [MemoryRequest(named[name], output) for name, output in ALONE.items()]


def draw_requests(count: int = COUNT) -> Sequence[MemoryRequest]:
    """``count`` requests, the same each time. Sources and outputs are drawn apart, each in proportion to its weight."""
    random = Random(SEED)
    sources = _drawn({source: source.weight for source in MIXED}, count, random)
    outputs = _drawn(OUTPUTS, count, random)
    return [MemoryRequest(source, output) for source, output in zip(sources, outputs, strict=True)]


def _drawn[Item](weights: dict[Item, int], count: int, random: Random) -> list[Item]:
    """``count`` items in an even order: in any stretch each is there about as often as its weight says.

    Each item's times lie at equal distances, from a first one at random, which is among the first :data:`SOON`.
    """
    total = sum(weights.values())
    placed: list[tuple[float, int, Item]] = []
    for index, (item, weight) in enumerate(weights.items()):
        times = count * weight / total
        first = random.random() * min(1, times * SOON / count)
        placed += [((first + time) / times, index, item) for time in range(round(times) + 1)]
    return [item for _, _, item in sorted(placed, key=lambda entry: entry[:2])][:count]
