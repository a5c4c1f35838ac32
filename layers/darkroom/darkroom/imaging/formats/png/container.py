"""PNG: its chunks (W3C PNG, third edition)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple
from zlib import crc32

SIGNATURE_BYTES = 8
MAX_CHUNKS = 100_000
"""Encoders cut pixels into chunks of 8 KB and more."""


class Chunk(NamedTuple):
    """One chunk, ``start`` to ``end``, with its length, name and checksum; what it carries begins at ``body``."""

    name: bytes
    start: int
    body: int
    end: int


def iter_chunks(data: bytes) -> Iterator[Chunk]:
    """The chunks up to IEND; raises ValueError where the data ends in one."""
    at = SIGNATURE_BYTES
    for _ in range(MAX_CHUNKS):
        if at + 12 > len(data):
            return
        size, name = int.from_bytes(data[at : at + 4]), data[at + 4 : at + 8]
        end = at + 12 + size
        if end > len(data):
            raise ValueError("the data ends in a chunk")
        yield Chunk(name, at, at + 8, end)
        if name == b"IEND":
            return
        at = end
    raise ValueError("too many chunks")


def build_chunk(name: bytes, body: bytes) -> bytes:
    """A chunk that carries ``body``."""
    return len(body).to_bytes(4) + name + body + crc32(name + body).to_bytes(4)
