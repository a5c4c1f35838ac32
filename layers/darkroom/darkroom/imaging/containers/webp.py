"""WebP: the chunks of a RIFF file (RFC 9649)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple


class Chunk(NamedTuple):
    """One chunk: ``size`` bytes from ``body``; the whole of it, with its padding, is ``start`` to ``end``."""

    name: bytes
    start: int
    body: int
    size: int
    end: int


def chunks(read_at: Callable[[int, int], bytes]) -> Iterator[Chunk]:
    """The chunks of a WebP in order; raises ValueError where the data ends before the RIFF size says."""
    last = 8 + int.from_bytes(read_at(4, 4), "little")
    at = 12
    while at + 8 <= last:
        opening = read_at(at, 8)
        size = int.from_bytes(opening[4:], "little")
        end = at + 8 + size + (size & 1)
        if len(opening) < 8 or not read_at(at + 7 + size, 1):
            raise ValueError("the data ends in a chunk")
        yield Chunk(opening[:4], at, at + 8, size, end)
        at = end
