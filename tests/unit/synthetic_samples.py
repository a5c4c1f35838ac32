"""Random samples of images, from a seed."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

from darkroom.findings import ENDPOINT, FACES, MODERATION
from darkroom_analysis.mlops.sample import Sample, TaskSummary, quantise

DIMENSIONS = 32
FORMATS = {"jpeg": 0.7, "heic": 0.2, "png": 0.08, "webp": 0.02}
SIZES_PX = (12_000_000, 12_000_000, 8_000_000, 2_000_000, 48_000_000)

type Change = Callable[[random.Random, dict[str, object]], dict[str, object]]


def usual(chance: random.Random, fields: dict[str, object]) -> dict[str, object]:
    return fields


def samples(seed: int, count: int, change: Change = usual, by: str = ENDPOINT) -> list[Sample]:
    """Images as phones and others make them. ``change`` moves the fields of each."""
    chance = random.Random(seed)
    return [_sample(chance, f"{seed}/{number}.jpg", change, by) for number in range(count)]


def _sample(chance: random.Random, key: str, change: Change, by: str) -> Sample:
    phones = chance.random() < 0.6
    fields: dict[str, object] = {
        "format": chance.choices([*FORMATS], [*FORMATS.values()])[0],
        "pixels": chance.choice(SIZES_PX) if phones else chance.randrange(10**5, 10**7),
        "brightness": chance.betavariate(4, 4),
        "tasks": {
            MODERATION: TaskSummary(chance.betavariate(8, 1), False),
            FACES: TaskSummary(chance.betavariate(5, 2), False) if chance.random() < 0.5 else TaskSummary(None, True),
        },
        "embedding": quantise(direction(chance)),
    }
    return Sample(key=key, source_etag="e", at_s=0.0, by=by, **change(chance, fields))  # type: ignore[arg-type]


def direction(chance: random.Random, towards: Sequence[float] = ()) -> list[float]:
    """One as embeddings are: anywhere, as likely as anywhere else; or rather ``towards`` somewhere."""
    return [chance.gauss(towards[at] if towards else 0.0, 1) for at in range(DIMENSIONS)]
