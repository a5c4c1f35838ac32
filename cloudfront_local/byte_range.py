"""Byte ranges, cut from the whole answer: an origin is always asked for all of it."""

from __future__ import annotations

import re
from typing import NamedTuple

_SPEC = re.compile(r"bytes=(\d*)-(\d*)")


class ByteRange(NamedTuple):
    """From ``first`` to ``last`` byte, both included."""

    first: int
    last: int


class Unsatisfiable(ValueError):
    """No byte of the range exists."""


def parse_range(header: str, size_bytes: int) -> ByteRange | None:
    """The one range that ``header`` asks for of an answer of ``size_bytes``.

    None where the header is to be ignored (another unit, several ranges, nonsense); raises Unsatisfiable where the
    range lies outside.
    """
    found = _SPEC.fullmatch(header.replace(" ", ""))
    if found is None or found[0] == "bytes=-":
        return None
    start, end = found[1], found[2]
    if not start:
        first, last = max(0, size_bytes - int(end)), size_bytes - 1
    else:
        first, last = int(start), min(int(end), size_bytes - 1) if end else size_bytes - 1
        if end and int(end) < first:
            return None
    if first > last:
        raise Unsatisfiable(header)
    return ByteRange(first, last)
