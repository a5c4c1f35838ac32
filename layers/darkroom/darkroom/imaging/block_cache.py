"""Bytes of an object that is too large to be read whole: fetched by ranges, in blocks that stay while there is room.

What follows on what was fetched last is fetched with more and more of what comes after it; what lies elsewhere comes
alone. So a decoder that reads on from tile to tile waits seldom, and one that jumps brings little that nobody wants.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from threading import Lock

from ..errors import Unavailable

type Fetch = Callable[[int, int], bytes]
"""Bytes from a first one to before a last one."""

BLOCK_BYTES = 65_536
ROOM_BYTES = 32 * 1024 * 1024
MOST_AHEAD_BYTES = 1024 * 1024
FRONT_REACH_BYTES = 512 * 1024
"""How far behind its place a stream that is open is read on rather than given up: at 85 MB/s that takes 6 ms, a new
request 25."""


class Blocks:
    """Blocks of one object's ``size_bytes``, by their numbers. Safe to read from several threads.

    At most ``room_bytes`` stay, those that were read last, and ``ahead_bytes`` are fetched ahead; a block has
    ``block_bytes``, more where most of an object is going to be read. ``front`` is the object's bytes from the first
    one on, where a stream of them is open: it is read for as long as what is asked for lies ahead of it, and not far.
    ``first`` is the object's beginning where that is here already. ``requests`` and ``fetched_bytes`` count what came,
    by whichever way.
    """

    def __init__(
        self,
        fetch: Fetch,
        size_bytes: int,
        *,
        front: Iterator[bytes] | None = None,
        first: bytes = b"",
        room_bytes: int = ROOM_BYTES,
        ahead_bytes: int = MOST_AHEAD_BYTES,
        block_bytes: int = BLOCK_BYTES,
    ) -> None:
        self.size_bytes = size_bytes
        self.requests = 1 if front or first else 0
        self.fetched_bytes = len(first)
        self._block = block_bytes
        self._fetch = fetch
        self._front = _Front(front, block_bytes) if front else None
        self._room = max(1, room_bytes // self._block)
        self._most_ahead = ahead_bytes // self._block
        self._ahead = 0
        self._following = -1
        self._kept = _blocks(first, 0, block_bytes)
        if len(first) < size_bytes and len(first) % block_bytes:
            del self._kept[len(first) // block_bytes]  # which is not whole
        self._forget()
        self._lock = Lock()

    @property
    def kept_bytes(self) -> int:
        """How much is here now."""
        return sum(map(len, self._kept.values()))

    def read(self, offset: int, length: int) -> bytes:
        """Bytes ``offset`` to ``offset + length``, fewer at the end. Raises what fetching them raised, or Unavailable
        where fewer came than were asked for; the next call tries again."""
        end = min(offset + length, self.size_bytes)
        if offset >= end:
            return b""
        first, last = offset // self._block, (end - 1) // self._block
        with self._lock:
            if first == last and (block := self._kept.pop(first, None)) is not None:  # as a parser's reads are
                self._kept[first] = block
                pieces = [block]
            else:
                pieces = self._pieces(first, last)
        start = offset - first * self._block
        whole = pieces[0] if len(pieces) == 1 else b"".join(pieces)
        return whole[start : start + end - offset]

    def close(self) -> None:
        """Give up the stream, if one is open."""
        with self._lock:
            self._end_front()

    def _pieces(self, first: int, last: int) -> list[bytes]:
        """The blocks ``first`` to ``last``. Holds the lock."""
        found: dict[int, bytes] = {}
        at = first
        while at <= last:
            if (block := self._kept.pop(at, None)) is not None:
                self._kept[at] = found[at] = block  # the last one to go
                at += 1
                continue
            end = next((number for number in range(at, last + 1) if number in self._kept), last + 1)
            found.update(self._brought(at, end))
            at = end
        self._forget()
        return [found[number] for number in range(first, last + 1)]

    def _brought(self, first: int, end: int) -> dict[int, bytes]:
        """The blocks ``first`` to before ``end``, which are not here."""
        if self._front is not None and self._front.reaches(first):
            return self._streamed(first, end)
        self._end_front()
        self._ahead = min(max(1, 2 * self._ahead), self._most_ahead) if first == self._following else 0
        stop = next((number for number in range(end, end + self._ahead) if number in self._kept), end + self._ahead)
        start_byte, end_byte = first * self._block, min(stop * self._block, self.size_bytes)
        body = self._fetch(start_byte, end_byte)
        self.requests += 1
        self.fetched_bytes += len(body)
        if len(body) != end_byte - start_byte:
            raise Unavailable(detail=f"{len(body)} of {end_byte - start_byte} bytes came")
        self._following = stop
        blocks = _blocks(body, first, self._block)
        self._kept |= blocks
        return blocks

    def _streamed(self, first: int, end: int) -> dict[int, bytes]:
        """The same, by the stream, which may bring others on its way."""
        assert self._front is not None
        before = self._front.taken_bytes
        try:
            blocks = self._front.until(min(end * self._block, self.size_bytes))
        except BaseException:
            self._end_front()
            raise
        self.fetched_bytes += self._front.taken_bytes - before
        self._kept |= blocks
        return {number: blocks[number] for number in range(first, end)}

    def _end_front(self) -> None:
        front, self._front = self._front, None
        if front is not None:
            front.close()

    def _forget(self) -> None:
        if (spare := len(self._kept) - self._room) > 0:
            for number in list(self._kept)[:spare]:
                del self._kept[number]


def _blocks(body: bytes, first: int, block_bytes: int) -> dict[int, bytes]:
    """``body`` cut into blocks, from the number ``first`` on."""
    places = range(0, len(body), block_bytes)
    return {first + place // block_bytes: body[place : place + block_bytes] for place in places}


class _Front:
    """A stream of an object's bytes, cut into blocks."""

    def __init__(self, chunks: Iterator[bytes], block_bytes: int) -> None:
        self._chunks = chunks
        self._block = block_bytes
        self._rest = bytearray()
        self._next = 0
        self.taken_bytes = 0

    def reaches(self, block: int) -> bool:
        """Whether ``block`` is still to come, and soon."""
        return self._next <= block and block * self._block <= self.taken_bytes + FRONT_REACH_BYTES

    def until(self, end_byte: int) -> dict[int, bytes]:
        """All blocks up to ``end_byte``, the end of one or of the object; raises Unavailable if it ends before."""
        while self.taken_bytes < end_byte:
            chunk = next(self._chunks, None)
            if chunk is None:
                raise Unavailable(detail=f"the source sent {self.taken_bytes} of {end_byte} bytes")
            self._rest += chunk
            self.taken_bytes += len(chunk)
        blocks: dict[int, bytes] = {}
        while self._next * self._block < end_byte:
            blocks[self._next] = bytes(self._rest[: self._block])
            del self._rest[: self._block]
            self._next += 1
        return blocks

    def close(self) -> None:
        """Let the connection go."""
        close = getattr(self._chunks, "close", None)
        if close is not None:
            close()
