"""Byte ranges, cut from the whole response: origins always receive requests without ranges."""

from __future__ import annotations

import re
from typing import NamedTuple

_SPEC = re.compile(r"bytes=(\d*)-(\d*)")


class ByteRange(NamedTuple):
    """A range from byte ``first`` to byte ``last``, inclusive."""

    first: int
    last: int


class Unsatisfiable(ValueError):
    """No byte of the range exists."""


def parse_range(header: str, size_bytes: int) -> ByteRange | None:
    """Parse the range in ``header`` for a response of ``size_bytes``.

    Returns None if the header is to be ignored (another unit, several ranges, invalid syntax). Raises Unsatisfiable if
    the range is outside the response.
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
