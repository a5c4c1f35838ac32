"""The bytes of an image, which may still be arriving, or be too many to read whole.

A :class:`Source` lets header parsers read the first bytes and libvips decode while the rest is on its way. Bytes stay
once read, so that seeking back, decoding twice and passing the bytes on unchanged all work. A ranged one keeps little
and reads again (:mod:`.block_cache`).
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from mmap import MAP_ANONYMOUS, MAP_PRIVATE, mmap
from threading import Lock
from typing import TYPE_CHECKING, Any, NamedTuple
from weakref import ref

import pyvips

from ..errors import DamagedSource, OverLimits, Unavailable

if TYPE_CHECKING:
    from .block_cache import BlockCache

HEAD_BYTES = 65_536
"""Enough for the header of nearly every image; parsers that need more read on."""
MAX_WHOLE_BYTES = 128 * 1024 * 1024
"""The most bytes that :meth:`Source.read_all` returns of a source that is read by ranges."""


class Patch(NamedTuple):
    """Bytes that libvips is given instead of those at ``at``."""

    at: int
    body: bytes


def _apply_patches(target: Any, start: int, length: int, patches: Sequence[Patch]) -> None:
    """Write ``patches`` into ``target``, a buffer whose first ``length`` bytes are those from ``start`` on."""
    end = start + length
    for at, body in patches:
        first, last = max(at, start), min(at + len(body), end)
        if first < last:
            target[first - start : last - start] = body[first - at : last - at]


class Source:
    """The ``size_bytes`` bytes of one image. Safe to read from several threads, as libvips does."""

    __slots__ = ("__weakref__", "_arrived", "_blocks", "_chunks", "_data", "_fault", "_lock", "_opened", "size_bytes")

    def __init__(
        self, whole: bytes, chunks: Iterator[bytes] | None, size_bytes: int, blocks: BlockCache | None = None
    ) -> None:
        self._data: bytes | mmap = whole
        self._arrived = len(whole)
        self._chunks = chunks
        self._lock = Lock()
        self._fault: BaseException | None = None
        self._opened: list[pyvips.Source] = []
        self._blocks = blocks
        self.size_bytes = size_bytes

    @classmethod
    def from_bytes(cls, data: bytes) -> Source:
        """A source whose bytes are all here. They are used as they are, without a copy."""
        return cls(data, None, len(data))

    @classmethod
    def from_stream(cls, chunks: Iterator[bytes], size_bytes: int) -> Source:
        """A source whose bytes come from ``chunks``, each read when it is needed.

        More or fewer than ``size_bytes`` are a fault of the stream: Unavailable.
        """
        return cls(b"", chunks, size_bytes)

    @classmethod
    def from_ranges(cls, blocks: BlockCache) -> Source:
        """A source whose bytes are fetched by ranges where they are needed, and never all of them.

        Other sources may read the same ``blocks``: a fault is this one's alone.
        """
        return cls(b"", None, blocks.size_bytes, blocks)

    @property
    def is_ranged(self) -> bool:
        """Return whether any part is had for the price of that part."""
        return self._blocks is not None

    def read_at(self, offset: int, length: int) -> bytes:
        """Bytes ``offset`` to ``offset + length``, fewer at the end; raises what the stream raised."""
        if self._blocks is not None:
            return self._read_blocks(self._blocks, offset, length)
        here = self.wait_for(offset + length)
        return self._data[offset : min(offset + length, here)]

    def read_head(self, length: int = HEAD_BYTES) -> bytes:
        """The first ``length`` bytes, fewer if the image is shorter; raises what the stream raised."""
        return self.read_at(0, length)

    def read_all(self) -> bytes:
        """All bytes; raises what the stream raised, or OverLimits for more than :data:`MAX_WHOLE_BYTES` by ranges."""
        if self._blocks is not None:
            if self.size_bytes > MAX_WHOLE_BYTES:
                raise OverLimits(
                    f"The source is of a type that is read whole, and has {self.size_bytes:,} bytes; "
                    f"the limit is {MAX_WHOLE_BYTES:,}"
                )
            return self._read_blocks(self._blocks, 0, self.size_bytes)
        with self._lock:
            self._fill(None)
            if not isinstance(self._data, bytes):
                self._data = bytes(self._data)
            return self._data

    def open_vips(self, *, whole: bool = False, patches: Sequence[Patch] = ()) -> pyvips.Source:
        """A new libvips source at the first byte, which takes no more than it needs; any number may be open at once.

        ``whole`` is for loaders that take everything before they begin. All are good for as long as this object lives:
        it keeps the Python half of each, where an image holds on to the C half alone. libvips sees a stream's
        fault as an end of file: decode within :meth:`decoding`, which distinguishes both. ``patches`` are for libvips
        alone, and cost a copy where all bytes are here.
        """
        if self._blocks is not None:
            source = _open_memory(self.read_all(), patches) if whole else _open_custom(_RangeCursor(self, patches))
        elif whole or self._chunks is None:
            self.wait_for(None)
            source = _open_memory(self._data, patches)
        else:
            source = _open_custom(_StreamCursor(self, patches))
        self._opened.append(source)
        return source

    def open_rewritten(self, data: bytes) -> pyvips.Source:
        """A new libvips source of ``data``, another file around the same image, which lives as long as this object."""
        source = _open_memory(data, ())
        self._opened.append(source)
        return source

    def wait_for(self, length: int | None) -> int:
        """Wait until the first ``length`` bytes are here, or all; how many are. Raises what the stream raised."""
        with self._lock:
            self._fill(length)
            return self._arrived

    def buffer(self) -> memoryview:
        """Room for all bytes; those that :meth:`wait_for` waited for are there, and stay."""
        with self._lock:
            return self._allocate()

    @contextmanager
    def decoding(self, *, of_source: bool = False) -> Iterator[None]:
        """Around everything that makes libvips read: raises the stream's own fault, or DamagedSource for a libvips
        error.

        ``applies_to_source``: every variant reads the same, so that the damage is that of the source.
        """
        try:
            yield
        except pyvips.Error as error:
            self.raise_fault()
            raise DamagedSource(detail=str(error), applies_to_source=of_source) from error
        except DamagedSource as error:
            error.applies_to_source |= of_source
            raise
        self.raise_fault()

    def raise_fault(self) -> None:
        """Raise the fault of the stream, if it had one."""
        if self._fault is not None:
            raise self._fault

    def _read_blocks(self, blocks: BlockCache, offset: int, length: int) -> bytes:
        self.raise_fault()
        try:
            return blocks.read(offset, length)
        except BaseException as fault:
            self._fault = fault
            raise

    def _fill(self, length: int | None) -> None:
        """Take chunks until ``length`` bytes are here, or all. Holds the lock."""
        self.raise_fault()
        try:
            while self._chunks is not None and (length is None or self._arrived < length):
                chunk = next(self._chunks, None)
                if chunk is None:
                    self._finish()
                elif chunk:
                    self._append(chunk)
        except BaseException as fault:
            self._fault = fault
            self._chunks = None
            raise

    def _append(self, chunk: bytes) -> None:
        start, end = self._arrived, self._arrived + len(chunk)
        if end > self.size_bytes:
            raise self._wrong_length(end)
        self._allocate()[start:end] = chunk
        self._arrived = end

    def _allocate(self) -> memoryview:
        """Where the bytes are to go: mapped, so that a page exists once it is written, and none is left in the heap.

        Kept as they came, chunks leave malloc's heap in pieces: 16 MB more stayed resident over 500 images.
        """
        if len(self._data) < self.size_bytes:
            self._data = mmap(-1, self.size_bytes, flags=MAP_PRIVATE | MAP_ANONYMOUS)
        return memoryview(self._data)

    def _finish(self) -> None:
        self._chunks = None
        if self._arrived != self.size_bytes:
            raise self._wrong_length(self._arrived)

    def _wrong_length(self, sent: int) -> Unavailable:
        return Unavailable(detail=f"the source sent {sent} of {self.size_bytes} bytes")


class RangedBytes:
    """Slices and the length of a source, which is all that readers of metadata use of bytes."""

    def __init__(self, source: Source) -> None:
        self._source = source

    def __len__(self) -> int:
        return self._source.size_bytes

    def __getitem__(self, part: slice) -> bytes:
        start, end, _ = part.indices(len(self))
        return self._source.read_at(start, max(0, end - start))


class _Cursor:
    """The position of one libvips source.

    It refers to the source weakly: cffi's handles hide a cycle from the garbage collector, and every image would stay.
    """

    __slots__ = ("_patches", "_size_bytes", "_source", "position")

    def __init__(self, source: Source, patches: Sequence[Patch] = ()) -> None:
        self._source = ref(source)
        self._patches = patches
        self._size_bytes = source.size_bytes
        self.position = 0

    def seek(self, offset: int, whence: int) -> int:
        """Move the position as in :func:`os.lseek`; return it, -1 before the start."""
        start = {os.SEEK_SET: 0, os.SEEK_CUR: self.position, os.SEEK_END: self._size_bytes}[whence]
        if start + offset < 0:
            return -1
        self.position = start + offset
        return self.position


class _StreamCursor(_Cursor):
    """A position in a stream. libvips reads 4096 bytes at a time, hundreds of times an image: :meth:`read` is short."""

    __slots__ = ("_here", "_patched", "_view")

    def __init__(self, source: Source, patches: Sequence[Patch] = ()) -> None:
        super().__init__(source, patches)
        self._patched = max((at + len(body) for at, body in patches), default=0)
        self._view = source.buffer()
        self._here = 0

    def read(self, wanted: Any) -> int:
        """Fill libvips' buffer ``wanted`` from the front; how many bytes, 0 at the end."""
        start = self.position
        if start >= self._here:
            self._wait()
        piece = self._view[start : min(start + len(wanted), self._here)]
        length = len(piece)
        wanted[:length] = piece
        if start < self._patched:
            _apply_patches(wanted, start, length, self._patches)
        self.position += length
        return length

    def _wait(self) -> None:
        source = self._source()
        # C code calls us: the source keeps the fault, and raises it from `check`.
        with suppress(BaseException):
            if source is not None:
                self._here = source.wait_for(self.position + 1)


class _RangeCursor(_Cursor):
    """A position in a source that is read by ranges."""

    __slots__ = ()

    def read(self, wanted: Any) -> int:
        """Fill libvips' buffer ``wanted`` from the front; how many bytes, 0 at the end."""
        source, piece = self._source(), b""
        # C code calls us: the source keeps the fault, and raises it from `check`.
        with suppress(BaseException):
            if source is not None:
                piece = source.read_at(self.position, len(wanted))
        wanted[: len(piece)] = piece
        _apply_patches(wanted, self.position, len(piece), self._patches)
        self.position += len(piece)
        return len(piece)


def _open_memory(data: bytes | mmap, patches: Sequence[Patch]) -> pyvips.Source:
    if not patches:
        return pyvips.Source.new_from_memory(data)
    changed = bytearray(data)
    _apply_patches(changed, 0, len(changed), patches)
    return pyvips.Source.new_from_memory(changed)


def _open_custom(cursor: _StreamCursor | _RangeCursor) -> pyvips.SourceCustom:
    source = pyvips.SourceCustom()
    source.signal_connect("read", cursor.read)  # `on_read` copies once more
    source.on_seek(cursor.seek)
    return source
