"""Mutated image files: each is rendered, or refused by an error for viewers; none is a fault or ends the process.

Files of every kind that is accepted are changed by a seeded generator: bits, lengths, chunks, and cuts. What ingest and
the pipeline do with single kinds of damage is in ``tests/component/imaging`` (``test_pipeline_damage.py``,
``test_series_damage.py``).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from random import Random

import pytest

from darkroom.errors import DarkroomError
from darkroom.imaging.formats.probe import probe
from darkroom.imaging.render.pipeline import render
from darkroom.imaging.source import Source
from darkroom.plan.canonical import build_plan
from darkroom.plan.limits import Limits
from tests.images.sources import sources
from tests.tally import Tally

FILES_PER_KIND = 60
LIMITS = Limits(max_pixels=4_000_000, max_frames=100)
PLANS = ({"w": 64, "f": "webp"}, {"w": 32, "f": "auto-avif"}, {"f": "json"}, {"page": 1, "f": "png"})


def mutated(data: bytes, seed: int) -> Iterator[bytes]:
    """Yield changed copies of ``data``: most changes are in the first kilobyte, where headers are."""
    random = Random(seed)
    for _ in range(FILES_PER_KIND):
        changed = bytearray(data)
        for _ in range(random.choice((1, 1, 2, 5))):
            _change(random, changed)
        yield bytes(changed)


def _change(random: Random, data: bytearray) -> None:
    end = len(data) if random.random() < 0.3 else min(len(data), 1024)
    at = random.randrange(4, end - 8)
    match random.randrange(6):
        case 0:
            data[at] ^= 1 << random.randrange(8)
        case 1:
            data[at] = random.choice((0, 1, 0x7F, 0x80, 0xFF))
        case 2:
            data[at : at + 4] = struct.pack(">I", random.choice((0, 1, 0x7FFFFFFF, 0xFFFFFFFF, len(data))))
        case 3:
            data[at : at + 4] = struct.pack("<I", random.choice((0, 1, 0x7FFFFFFF, 0xFFFFFFFF, len(data))))
        case 4:
            length = random.randrange(1, 64)
            data[at:at] = data[at : at + length]
        case _:
            del data[max(at, random.randrange(at, len(data))) :]
            data += bytes(16)


@pytest.mark.parametrize("kind", sorted(sources()))
def test_a_mutated_file_is_rendered_or_refused(kind: str, tally: Tally) -> None:
    for number, data in enumerate(mutated(sources()[kind], 656)):
        tally.add("files")
        options = PLANS[number % len(PLANS)]
        try:
            probe(Source.from_bytes(data), LIMITS)
            render(build_plan("a", options), Source.from_bytes(data), limits=LIMITS)
            tally.add("rendered")
        except DarkroomError as error:
            assert error.status in (400, 413, 415, 422), (kind, number, error, error.detail)
            tally.add("refused")
