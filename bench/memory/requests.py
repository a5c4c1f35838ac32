"""Draw the same evenly mixed 500 requests in each run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from .sources import MIXED, Source

SEED = 500
COUNT = 500
SOON = 40
"""Number of requests within which each item occurs once."""

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
"""Last parts of canonical paths, and their weights."""


@dataclass(frozen=True, slots=True)
class MemoryRequest:
    """A request. ``output`` is the last part of the canonical path."""

    source: Source
    output: str

    def path(self, number: int) -> str:
        """Return the canonical path for copy ``number`` of the source."""
        return f"/{number}/{self.source.name}/_/{self.output}"


def draw_requests(count: int = COUNT) -> Sequence[MemoryRequest]:
    """Draw ``count`` requests, equal in each run.

    Sources and outputs are drawn separately, in proportion to their weights.
    """
    random = Random(SEED)
    sources = _drawn({source: source.weight for source in MIXED}, count, random)
    outputs = _drawn(OUTPUTS, count, random)
    return [MemoryRequest(source, output) for source, output in zip(sources, outputs, strict=True)]


def _drawn[Item](weights: dict[Item, int], count: int, random: Random) -> list[Item]:
    """Draw ``count`` items evenly: in any section, each occurs in proportion to its weight.

    An item's positions have equal distances, from a random first one within :data:`SOON`.
    """
    total = sum(weights.values())
    placed: list[tuple[float, int, Item]] = []
    for index, (item, weight) in enumerate(weights.items()):
        times = count * weight / total
        first = random.random() * min(1, times * SOON / count)
        placed += [((first + time) / times, index, item) for time in range(round(times) + 1)]
    return [item for _, _, item in sorted(placed, key=lambda entry: entry[:2])][:count]
