"""The bytes of a picture, which may still be arriving.

A :class:`Source` lets header parsers read the first bytes and libvips decode while the rest is on its way. What was
read stays, so that seeking back, decoding twice and passing the bytes on unchanged all work.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
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
        "__weakref__", "_arrived", "_chunks", "_fault", "_lock", "_opened", "_whole", "max_bytes", "size_bytes",
    )  # fmt: skip

    def __init__(self, whole: bytes | None, chunks: Iterator[bytes] | None, size_bytes: int | None) -> None:
        self._whole = whole
        self._chunks = chunks
        self._arrived = bytearray()
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
        if self._whole is not None:
            return self._whole[offset : offset + length]
        with self._lock:
            self._fill(offset + length)
            return bytes((self._whole or self._arrived)[offset : offset + length])

    def head(self, length: int = HEAD_BYTES) -> bytes:
        """The first ``length`` bytes, fewer if the picture is shorter; raises what the stream raised."""
        return self.read_at(0, length)

    def read_all(self) -> bytes:
        """All bytes; raises what the stream raised."""
        with self._lock:
            if self._whole is None:
                self._fill(None)
                self._whole = bytes(self._arrived)
                self._arrived.clear()
            return self._whole

    def vips(self) -> pyvips.Source:
        """A new libvips source at the first byte.

        Each has a position of its own, so any number may be open at once. All are good for as long as this object
        lives: it keeps the Python half of each, where an image holds on to the C half alone. libvips is told of a
        stream's fault as an end of file: decode within :meth:`decoding`, which tells them apart.
        """
        if self._chunks is None:
            return pyvips.Source.new_from_memory(self.read_all())
        cursor = _Cursor(self)
        source = pyvips.SourceCustom()
        source.on_read(cursor.read)
        if self.size_bytes is not None:
            source.on_seek(cursor.seek)
        self._opened.append(source)
        return source

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
            while self._chunks is not None and (length is None or len(self._arrived) < length):
                chunk = next(self._chunks, None)
                if chunk is None:
                    self._end()
                else:
                    self._arrived += chunk
                    self._bound()
        except BaseException as fault:
            self._fault = fault
            self._chunks = None
            raise

    def _end(self) -> None:
        self._chunks = None
        if self.size_bytes is not None and len(self._arrived) != self.size_bytes:
            raise Unavailable(detail=f"the source sent {len(self._arrived)} of {self.size_bytes} bytes")
        self.size_bytes = len(self._arrived)

    def _bound(self) -> None:
        if self.max_bytes is not None and len(self._arrived) > self.max_bytes:
            raise too_many_bytes(len(self._arrived), self.max_bytes)


class _Cursor:
    """The position of one libvips source.

    It refers to the bytes weakly: cffi's handles hide a cycle from the garbage collector, and every picture would stay.
    """

    __slots__ = ("_bytes", "position")

    def __init__(self, source: Source) -> None:
        self._bytes = ref(source)
        self.position = 0

    def read(self, length: int) -> bytes:
        source = self._bytes()
        if source is None:
            return b""
        try:
            data = source.read_at(self.position, length)
        except BaseException:  # C code calls us: the source keeps the fault, and raises it from `check`
            return b""
        self.position += len(data)
        return data

    def seek(self, offset: int, whence: int) -> int:
        source = self._bytes()
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
