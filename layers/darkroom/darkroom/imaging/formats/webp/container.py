"""WebP: the chunks of a RIFF file (RFC 9649)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

MAX_CHUNKS = 100_000
"""Two a frame of an animation would be usual."""

type ReadAt = Callable[[int, int], bytes]


class Chunk(NamedTuple):
    """One chunk: ``size`` bytes from ``body``; the whole of it, with its padding, is ``start`` to ``end``."""

    name: bytes
    start: int
    body: int
    size: int
    end: int


def iter_chunks(read_at: ReadAt) -> Iterator[Chunk]:
    """Yield the chunks of a WebP in order; raise ValueError where the data ends before the RIFF size."""
    return _iter_between(read_at, 12, 8 + int.from_bytes(read_at(4, 4), "little"))


def iter_subchunks(data: bytes, start: int, end: int) -> Iterator[Chunk]:
    """The chunks within a frame's chunk; raises ValueError where they do not fit."""
    for found in _iter_between(lambda at, length: data[at : at + length], start, end):
        if found.body + found.size > end:
            raise ValueError("a chunk is longer than its frame")
        yield found


def build_chunk(name: bytes, body: bytes) -> bytes:
    """A chunk that carries ``body``."""
    return name + len(body).to_bytes(4, "little") + body + b"\0" * (len(body) & 1)


def _iter_between(read_at: ReadAt, start: int, end: int) -> Iterator[Chunk]:
    at = start
    for _ in range(MAX_CHUNKS):
        if at + 8 > end:
            return
        opening = read_at(at, 8)
        size = int.from_bytes(opening[4:], "little")
        if len(opening) < 8 or (size and not read_at(at + 7 + size, 1)):
            raise ValueError("the data ends in a chunk")
        following = at + 8 + size + (size & 1)
        yield Chunk(opening[:4], at, at + 8, size, following)
        at = following
    raise ValueError("too many chunks")
