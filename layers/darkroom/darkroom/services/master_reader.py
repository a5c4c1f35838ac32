"""Read a master: as a stream, or, if it is a large pyramid, by the ranges that a request needs.

Blocks of the last few pyramids are cached between requests: a deep-zoom viewer requests many tiles of one image, and
each needs the same directories.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import chain
from typing import TYPE_CHECKING

from ..aws.s3_fast import FastBucket, StoredObject
from ..errors import ObjectChanged, Unavailable

if TYPE_CHECKING:
    from ..imaging.block_cache import BlockCache
    from ..imaging.source import Source

TIFF = "image/tiff"
STREAMED_BYTES = 8_000_000
"""A smaller master is read as one stream: at 85 MB/s that takes 94 ms, as long as four range requests."""
TIFF_SUFFIXES = (".tif", ".tiff")
"""Suffixes of keys of which only the first bytes are requested: S3 sends 2 MB and more before a stream is closed."""
FIRST_BYTES = 128 * 1024
"""The directories of two gigapixels."""
CACHED_MASTERS = 4
CACHE_BYTES_PER_MASTER = 16 * 1024 * 1024
"""The directories of a gigapixel, and the tiles of about forty requests."""


class MasterReader:
    """Opens masters as sources, and caches blocks of those that were last read by ranges, by their names."""

    def __init__(self) -> None:
        self._kept: dict[str, tuple[StoredObject, BlockCache]] = {}

    def open(self, bucket: FastBucket, name: str) -> StoredObject | None:
        """Open the object ``name``, without a stream if some of its blocks are cached. Raises Unavailable."""
        known = self._kept.get(name)
        if known is None or bucket.etag(name) != known[0].etag:
            return bucket.open(name, _first_bytes(name)) if _first_bytes(name) else bucket.open(name)
        return known[0]

    @contextmanager
    def source(self, bucket: FastBucket, name: str, master: StoredObject) -> Iterator[Source]:
        """Yield ``master``, which was opened as ``name``, as a source. Reads raise Unavailable if it changed."""
        from ..imaging.source import Source

        blocks = self._blocks(bucket, name, master)
        if isinstance(blocks, Iterator):
            yield Source.from_stream(blocks, master.size_bytes)
            return
        try:
            yield Source.from_ranges(blocks)
        finally:
            blocks.close()

    def _blocks(self, bucket: FastBucket, name: str, master: StoredObject) -> BlockCache | Iterator[bytes]:
        """Return blocks of a pyramid to be read by ranges, otherwise the stream."""
        known = self._kept.pop(name, None)
        if known is not None and known[0].etag == master.etag:
            self._kept[name] = known  # the most recently used
            return known[1]
        if master.attributes.get("Content-Type") != TIFF or master.size_bytes <= STREAMED_BYTES:
            return master.chunks
        first = next(master.chunks, b"")
        while len(first) < _first_bytes(name) and (chunk := next(master.chunks, b"")):
            first += chunk
        stream = chain([first], master.chunks)
        if not _is_pyramid(first):
            return stream
        blocks = self._of(bucket, name, master, first, stream)
        self._kept[name] = (replace(master, chunks=iter(())), blocks)
        for oldest in list(self._kept)[:-CACHED_MASTERS]:
            del self._kept[oldest]
        return blocks

    def _of(
        self, bucket: FastBucket, name: str, master: StoredObject, first: bytes, stream: Iterator[bytes]
    ) -> BlockCache:
        """Return its blocks; ``first`` is read already. A stream of the whole object is used where it fits."""
        from ..imaging.block_cache import BlockCache

        def fetch(start: int, end: int) -> bytes:
            try:
                return bucket.read_range(name, start, end, master.etag)
            except ObjectChanged as error:
                raise Unavailable("The source changed while it was rendered", detail=error.detail) from error

        if _first_bytes(name):
            return BlockCache(fetch, master.size_bytes, prefix=first, capacity_bytes=CACHE_BYTES_PER_MASTER)
        front = _close_with(stream, master.chunks)
        return BlockCache(fetch, master.size_bytes, stream=front, capacity_bytes=CACHE_BYTES_PER_MASTER)


def _first_bytes(name: str) -> int:
    """Return how many bytes of the object ``name`` are requested first, 0 for all."""
    return FIRST_BYTES if name.lower().endswith(TIFF_SUFFIXES) else 0


def _is_pyramid(first: bytes) -> bool:
    """Whether it is a pyramid as ingest assembles them, with its directories first. Others are streamed."""
    from ..imaging.formats.tiff.container import SUB_DIRECTORIES, TiffReader

    try:
        tiff = TiffReader(lambda at, length: first[at : at + length])
        return SUB_DIRECTORIES in tiff.read_directory(tiff.first).entries
    except ValueError:
        return False


def _close_with(stream: Iterator[bytes], opened: Iterator[bytes]) -> Iterator[bytes]:
    """Yield ``stream``, and close ``opened`` with it."""
    try:
        yield from stream
    finally:
        close = getattr(opened, "close", None)
        if close is not None:
            close()
