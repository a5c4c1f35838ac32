"""How a master is read: as a stream, or, where it is a large pyramid, by the ranges that a request needs of it.

What was read of the last few pyramids stays between requests: whoever looks at a scene asks for one tile after the
other, and each begins with the same directories.
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
"""What has no more comes in one stream: at 85 MB/s that takes 94 ms, as long as four requests of their own."""
TIFF_SUFFIXES = (".tif", ".tiff")
"""Of such a key little is asked for at first: what S3 sends before a stream is given up is 2 MB and more."""
FIRST_BYTES = 128 * 1024
"""The directories of two gigapixels."""
CACHED_MASTERS = 4
CACHE_BYTES_PER_MASTER = 16 * 1024 * 1024
"""Of each that is kept: the directories of a gigapixel, and the tiles of some forty requests."""


class MasterReader:
    """Masters as sources, and the blocks of those that were read by ranges last, by their names."""

    def __init__(self) -> None:
        self._kept: dict[str, tuple[StoredObject, BlockCache]] = {}

    def open(self, bucket: FastBucket, name: str) -> StoredObject | None:
        """The object ``name``, without a stream where some of its bytes are here already. Raises Unavailable."""
        known = self._kept.get(name)
        if known is None or bucket.etag(name) != known[0].etag:
            return bucket.open(name, _first_bytes(name)) if _first_bytes(name) else bucket.open(name)
        return known[0]

    @contextmanager
    def source(self, bucket: FastBucket, name: str, master: StoredObject) -> Iterator[Source]:
        """The bytes of ``master``, which was opened as ``name``; its source raises Unavailable if it has changed."""
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
        """Blocks where it is to be read by ranges, else its stream."""
        known = self._kept.pop(name, None)
        if known is not None and known[0].etag == master.etag:
            self._kept[name] = known  # the last one to go
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
        """Its blocks; ``first`` is here already. Where all is on its way, the stream is read as far as it serves."""
        from ..imaging.block_cache import BlockCache

        def fetch(start: int, end: int) -> bytes:
            try:
                return bucket.read_range(name, start, end, master.etag)
            except ObjectChanged as error:
                raise Unavailable("The source changed while its picture was made", detail=error.detail) from error

        if _first_bytes(name):
            return BlockCache(fetch, master.size_bytes, prefix=first, capacity_bytes=CACHE_BYTES_PER_MASTER)
        front = _close_with(stream, master.chunks)
        return BlockCache(fetch, master.size_bytes, stream=front, capacity_bytes=CACHE_BYTES_PER_MASTER)


def _first_bytes(name: str) -> int:
    """How much of the object ``name`` is asked for at first, 0 for all of it."""
    return FIRST_BYTES if name.lower().endswith(TIFF_SUFFIXES) else 0


def _is_pyramid(first: bytes) -> bool:
    """Whether it is a TIFF as ingest binds them, with its directories first. Others are read from end to end."""
    from ..imaging.formats.tiff.container import SUB_DIRECTORIES, TiffReader

    try:
        tiff = TiffReader(lambda at, length: first[at : at + length])
        return SUB_DIRECTORIES in tiff.read_directory(tiff.first).entries
    except ValueError:
        return False


def _close_with(stream: Iterator[bytes], opened: Iterator[bytes]) -> Iterator[bytes]:
    """``stream``, with which ``opened`` ends, closed together with it."""
    try:
        yield from stream
    finally:
        close = getattr(opened, "close", None)
        if close is not None:
            close()
