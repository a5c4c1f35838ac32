"""Bytes of an object that is too large to be read whole: fetched by ranges, in blocks that stay while there is room.

Sequential reads fetch ever more ahead, other reads only what they need. So a decoder that reads from tile to tile
waits seldom, and one that jumps fetches little in vain.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from threading import Lock

from ..errors import Unavailable

type Fetch = Callable[[int, int], bytes]
"""Bytes from a first one to before a last one."""

BLOCK_BYTES = 65_536
CAPACITY_BYTES = 32 * 1024 * 1024
MAX_READAHEAD_BYTES = 1024 * 1024
STREAM_REACH_BYTES = 512 * 1024
"""How far behind its position an open stream is read on rather than closed: at 85 MB/s that takes 6 ms, a new
request 25."""


class BlockCache:
    """Blocks of one object's ``size_bytes``, by their numbers. Safe to read from several threads.

    The cache holds the most recently read ``capacity_bytes`` and reads ahead at most ``max_readahead_bytes``. Pass a
    larger ``block_bytes`` where most of an object is read. ``stream`` is an open stream of the object from its first
    byte: it is read on while the requested bytes lie a short way ahead of it. ``prefix`` holds first bytes that were
    fetched before. ``requests`` and ``fetched_bytes`` count both ways of reading.
    """

    def __init__(
        self,
        fetch: Fetch,
        size_bytes: int,
        *,
        stream: Iterator[bytes] | None = None,
        prefix: bytes = b"",
        capacity_bytes: int = CAPACITY_BYTES,
        max_readahead_bytes: int = MAX_READAHEAD_BYTES,
        block_bytes: int = BLOCK_BYTES,
    ) -> None:
        self.size_bytes = size_bytes
        self.requests = 1 if stream or prefix else 0
        self.fetched_bytes = len(prefix)
        self._block = block_bytes
        self._fetch = fetch
        self._stream = _Stream(stream, block_bytes) if stream else None
        self._max_blocks = max(1, capacity_bytes // self._block)
        self._max_readahead = max_readahead_bytes // self._block
        self._readahead = 0
        self._next_block = -1
        self._cached = _split_blocks(prefix, 0, block_bytes)
        if len(prefix) < size_bytes and len(prefix) % block_bytes:
            del self._cached[len(prefix) // block_bytes]  # which is not whole
        self._evict()
        self._lock = Lock()

    @property
    def cached_bytes(self) -> int:
        """Return how many bytes are cached."""
        return sum(map(len, self._cached.values()))

    def read(self, offset: int, length: int) -> bytes:
        """Bytes ``offset`` to ``offset + length``, fewer at the end. Raises what fetching them raised, or Unavailable
        where fewer came than requested; the next call tries again."""
        end = min(offset + length, self.size_bytes)
        if offset >= end:
            return b""
        first, last = offset // self._block, (end - 1) // self._block
        with self._lock:
            if first == last and (block := self._cached.pop(first, None)) is not None:  # as a parser's reads are
                self._cached[first] = block
                pieces = [block]
            else:
                pieces = self._get_blocks(first, last)
        start = offset - first * self._block
        whole = pieces[0] if len(pieces) == 1 else b"".join(pieces)
        return whole[start : start + end - offset]

    def close(self) -> None:
        """Close the stream, if one is open."""
        with self._lock:
            self._close_stream()

    def _get_blocks(self, first: int, last: int) -> list[bytes]:
        """The blocks ``first`` to ``last``. Holds the lock."""
        found: dict[int, bytes] = {}
        at = first
        while at <= last:
            if (block := self._cached.pop(at, None)) is not None:
                self._cached[at] = found[at] = block  # the last one to go
                at += 1
                continue
            end = next((number for number in range(at, last + 1) if number in self._cached), last + 1)
            found.update(self._fetch_blocks(at, end))
            at = end
        self._evict()
        return [found[number] for number in range(first, last + 1)]

    def _fetch_blocks(self, first: int, end: int) -> dict[int, bytes]:
        """The blocks ``first`` to before ``end``, which are not here."""
        if self._stream is not None and self._stream.is_near(first):
            return self._stream_blocks(first, end)
        self._close_stream()
        self._readahead = min(max(1, 2 * self._readahead), self._max_readahead) if first == self._next_block else 0
        stop = next(
            (number for number in range(end, end + self._readahead) if number in self._cached), end + self._readahead
        )
        start_byte, end_byte = first * self._block, min(stop * self._block, self.size_bytes)
        body = self._fetch(start_byte, end_byte)
        self.requests += 1
        self.fetched_bytes += len(body)
        if len(body) != end_byte - start_byte:
            raise Unavailable(detail=f"{len(body)} of {end_byte - start_byte} bytes came")
        self._next_block = stop
        blocks = _split_blocks(body, first, self._block)
        self._cached |= blocks
        return blocks

    def _stream_blocks(self, first: int, end: int) -> dict[int, bytes]:
        """The same, by the stream, which may bring others on its way."""
        assert self._stream is not None
        before = self._stream.read_bytes
        try:
            blocks = self._stream.read_until(min(end * self._block, self.size_bytes))
        except BaseException:
            self._close_stream()
            raise
        self.fetched_bytes += self._stream.read_bytes - before
        self._cached |= blocks
        return {number: blocks[number] for number in range(first, end)}

    def _close_stream(self) -> None:
        front, self._stream = self._stream, None
        if front is not None:
            front.close()

    def _evict(self) -> None:
        if (spare := len(self._cached) - self._max_blocks) > 0:
            for number in list(self._cached)[:spare]:
                del self._cached[number]


def _split_blocks(body: bytes, first: int, block_bytes: int) -> dict[int, bytes]:
    """``body`` cut into blocks, from the number ``first`` on."""
    places = range(0, len(body), block_bytes)
    return {first + place // block_bytes: body[place : place + block_bytes] for place in places}


class _Stream:
    """A stream of an object's bytes, cut into blocks."""

    def __init__(self, chunks: Iterator[bytes], block_bytes: int) -> None:
        self._chunks = chunks
        self._block = block_bytes
        self._rest = bytearray()
        self._next = 0
        self.read_bytes = 0

    def is_near(self, block: int) -> bool:
        """Return whether ``block`` is still to come, and soon."""
        return self._next <= block and block * self._block <= self.read_bytes + STREAM_REACH_BYTES

    def read_until(self, end_byte: int) -> dict[int, bytes]:
        """All blocks up to ``end_byte``, the end of one or of the object; raises Unavailable if it ends before."""
        while self.read_bytes < end_byte:
            chunk = next(self._chunks, None)
            if chunk is None:
                raise Unavailable(detail=f"the source sent {self.read_bytes} of {end_byte} bytes")
            self._rest += chunk
            self.read_bytes += len(chunk)
        blocks: dict[int, bytes] = {}
        while self._next * self._block < end_byte:
            blocks[self._next] = bytes(self._rest[: self._block])
            del self._rest[: self._block]
            self._next += 1
        return blocks

    def close(self) -> None:
        """Close the connection."""
        close = getattr(self._chunks, "close", None)
        if close is not None:
            close()
