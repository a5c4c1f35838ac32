"""The bytes of a picture, which may still be arriving.

A :class:`Source` lets header parsers read the first bytes and libvips decode while the rest is on its way. What was
read stays, so that seeking back, decoding twice and passing the bytes on unchanged all work.
"""

from __future__ import annotations

import os
from bisect import bisect_right
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Lock
from typing import Any
from weakref import ref

import pyvips

from ..errors import Damaged, DarkroomError, OverLimits, Unavailable

HEAD_BYTES = 65_536
"""Enough for the header of nearly every picture; parsers that need more read on."""


class Source:
    """The bytes of one picture. Safe to read from several threads, as libvips does.

    ``size_bytes`` is None while it is unknown. ``max_bytes`` bounds what is taken from a stream.
    """

    __slots__ = (
        "__weakref__",
        "_arrived",
        "_chunks",
        "_fault",
        "_lock",
        "_opened",
        "_parts",
        "_starts",
        "max_bytes",
        "size_bytes",
    )

    def __init__(self, whole: bytes | None, chunks: Iterator[bytes] | None, size_bytes: int | None) -> None:
        # Parts stay as they came, each with its offset: bytes that nobody joins are not copied.
        self._parts = [] if whole is None else [whole]
        self._starts = [] if whole is None else [0]
        self._arrived = 0 if whole is None else len(whole)
        self._chunks = chunks
        self._lock = Lock()
        self._fault: BaseException | None = None
        self._opened: list[pyvips.Source] = []
        self.size_bytes = size_bytes
        self.max_bytes: int | None = None

    @classmethod
    def of(cls, data: bytes) -> Source:
        """A source whose bytes are all here. They are used as they are, without a copy."""
        return cls(data, None, len(data))

    @classmethod
    def streamed(cls, chunks: Iterator[bytes], size_bytes: int | None) -> Source:
        """A source whose bytes come from ``chunks``, each taken when it is needed; ``size_bytes`` may be unknown."""
        return cls(None, chunks, size_bytes)

    def read_at(self, offset: int, length: int) -> bytes:
        """Bytes ``offset`` to ``offset + length``, fewer at the end; raises what the stream raised."""
        with self._lock:
            self._fill(offset + length)
            end, first = offset + length, max(0, bisect_right(self._starts, offset) - 1)
            cut = []
            for start, part in zip(self._starts[first:], self._parts[first:], strict=True):
                if start >= end:
                    break
                cut.append(bytes(part[max(0, offset - start) : end - start]))
            return cut[0] if len(cut) == 1 else b"".join(cut)

    def head(self, length: int = HEAD_BYTES) -> bytes:
        """The first ``length`` bytes, fewer if the picture is shorter; raises what the stream raised."""
        return self.read_at(0, length)

    def read_all(self) -> bytes:
        """All bytes; raises what the stream raised."""
        with self._lock:
            self._fill(None)
            if len(self._parts) != 1 or not isinstance(self._parts[0], bytes):
                self._parts, self._starts = [b"".join(self._parts)], [0]
            return self._parts[0]

    def vips(self, *, whole: bool = False) -> pyvips.Source:
        """A new libvips source at the first byte, which takes no more than it needs; any number may be open at once.

        ``whole`` is for loaders that take everything before they begin. All are good for as long as this object lives:
        it keeps the Python half of each, where an image holds on to the C half alone. libvips is told of a stream's
        fault as an end of file: decode within :meth:`decoding`, which tells them apart.
        """
        if whole or self._chunks is None:
            return pyvips.Source.new_from_memory(self.read_all())
        cursor = _Cursor(self)
        source = pyvips.SourceCustom()
        source.signal_connect("read", cursor.read)  # `on_read` copies once more
        if self.size_bytes is not None:
            source.on_seek(cursor.seek)
        self._opened.append(source)
        return source

    def part_at(self, offset: int) -> tuple[int, memoryview]:
        """The part that holds the byte ``offset``, and where it starts, once it is here; empty at the end."""
        with self._lock:
            self._fill(offset + 1)
            if offset >= self._arrived:
                return offset, memoryview(b"")
            number = bisect_right(self._starts, offset) - 1
            return self._starts[number], memoryview(self._parts[number])

    @contextmanager
    def decoding(self) -> Iterator[None]:
        """Around everything that makes libvips read: raises the stream's own fault, or Damaged for a libvips error."""
        try:
            yield
        except pyvips.Error as error:
            self.check()
            raise Damaged(detail=str(error)) from error
        self.check()

    def check(self) -> None:
        """Raise the fault of the stream, if it had one."""
        if self._fault is not None:
            raise self._fault

    def _fill(self, length: int | None) -> None:
        """Take chunks until ``length`` bytes are here, or all. Holds the lock."""
        self.check()
        try:
            while self._chunks is not None and (length is None or self._arrived < length):
                chunk = next(self._chunks, None)
                if chunk is None:
                    self._end()
                elif chunk:
                    self._take(chunk)
        except BaseException as fault:
            self._fault = fault
            self._chunks = None
            raise

    def _take(self, chunk: bytes) -> None:
        self._parts.append(chunk)
        self._starts.append(self._arrived)
        self._arrived += len(chunk)
        if self.max_bytes is not None and self._arrived > self.max_bytes:
            raise too_many_bytes(self._arrived, self.max_bytes)

    def _end(self) -> None:
        self._chunks = None
        if self.size_bytes is not None and self._arrived != self.size_bytes:
            raise Unavailable(detail=f"the source sent {self._arrived} of {self.size_bytes} bytes")
        self.size_bytes = self._arrived


class _Cursor:
    """The position of one libvips source, and the part that it is in.

    libvips asks for 4096 bytes at a time, some hundred times a picture, so :meth:`read` does little. It refers to the
    source weakly: cffi's handles hide a cycle from the garbage collector, and every picture would stay.
    """

    __slots__ = ("_part", "_source", "_start", "position")

    def __init__(self, source: Source) -> None:
        self._source = ref(source)
        self._part = memoryview(b"")
        self._start = 0
        self.position = 0

    def read(self, wanted: Any) -> int:
        """Fill libvips' buffer ``wanted`` from the front; how many bytes, 0 at the end."""
        at = self.position - self._start
        if not 0 <= at < len(self._part):
            self._turn()
            at = self.position - self._start
        piece = self._part[at : at + len(wanted)]
        length = len(piece)
        wanted[:length] = piece
        self.position += length
        return length

    def _turn(self) -> None:
        source = self._source()
        self._start, self._part = self.position, memoryview(b"")
        # C code calls us: the source keeps the fault, and raises it from `check`.
        with suppress(BaseException):
            if source is not None:
                self._start, self._part = source.part_at(self.position)

    def seek(self, offset: int, whence: int) -> int:
        source = self._source()
        if source is None or source.size_bytes is None:
            return -1
        start = {os.SEEK_SET: 0, os.SEEK_CUR: self.position, os.SEEK_END: source.size_bytes}[whence]
        if start + offset < 0:
            return -1
        self.position = start + offset
        return self.position


def too_many_bytes(size_bytes: int, max_bytes: int) -> DarkroomError:
    """The refusal of a source that is too long."""
    return OverLimits(f"The source has {size_bytes:,} bytes; the limit is {max_bytes:,}")
