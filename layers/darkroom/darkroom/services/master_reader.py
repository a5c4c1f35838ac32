"""Read a master: as a stream, or, if it is a large pyramid, by the ranges that a request needs; or its mezzanine.

Blocks of the last few pyramids are cached between requests: a deep-zoom viewer requests many tiles of one image, and
each needs the same directories.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import chain
from typing import TYPE_CHECKING

from ..aws.s3_fast import FastBucket, StoredObject
from ..errors import ObjectChanged, OverLimits, Unavailable
from .caching import MASTER_HEADER, MASTER_RIGHTS, SOURCE_ETAG

if TYPE_CHECKING:
    from ..findings import Findings
    from ..imaging.block_cache import BlockCache
    from ..imaging.formats.image_format import Header
    from ..imaging.source import Source
    from ..plan.limits import Limits
    from ..plan.model import Plan

TIFF = "image/tiff"
STREAMED_BYTES = 8_000_000
"""A smaller master is read as one stream: at 85 MB/s that takes 94 ms, as long as four range requests."""
TIFF_SUFFIXES = (".tif", ".tiff")
"""Suffixes of keys of which only the first bytes are requested: S3 sends 2 MB and more before a stream is closed."""
FIRST_BYTES = 128 * 1024
"""The directories of two gigapixels."""
_WITHOUT_GAIN_MAP = frozenset({"webp", "avif", "auto-webp", "auto-avif"})
"""Outputs that never have the gain map of their master, which mezzanines lack."""
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


@dataclass(frozen=True, slots=True)
class Mezzanine:
    """A mezzanine to render from, and the header of its master."""

    stored: StoredObject
    header: Header


def open_mezzanine(media: FastBucket, name: str) -> StoredObject | None:
    """Open the mezzanine ``name``; None if there is none, or S3 fails: the master replaces it."""
    try:
        return media.open(name)
    except Unavailable:
        return None


def choose_mezzanine(
    plan: Plan,
    master: StoredObject,
    findings: Findings | None,
    opened: Iterable[tuple[int, StoredObject | None]],
    limits: Limits,
) -> Mezzanine | None:
    """Return the first of ``opened``, by their longer sides, that ``plan`` can be rendered from; close the others.

    None if each is missing, of another master, or has too few pixels, or if the master is over ``limits``, or must be
    read for its rights, which mezzanines lack. Raises BadOption if the master has no such crop.
    """
    chosen: Mezzanine | None = None
    needs_master = plan.rights and not _has_rights(master)
    for side_px, found in opened:
        if found is None:
            continue
        header = None if chosen or needs_master else _read_master_header(found, master, limits)
        if header is not None and _suffices(plan, header, findings, side_px):
            chosen = Mezzanine(found, header)
        else:
            found.close()
    return chosen


def _has_rights(master: StoredObject) -> bool:
    """Whether the metadata of ``master`` has its rights: ingest has written both."""
    from ..imaging.formats.metadata.rights import Rights

    return Rights.parse(master.attributes.get(MASTER_RIGHTS, "")) is not None


def _read_master_header(mezzanine: StoredObject, master: StoredObject, limits: Limits) -> Header | None:
    """Return the header of ``master`` that is stored with a mezzanine of it, unless it is over ``limits``."""
    from ..imaging.formats.probe import Header, check_still

    if mezzanine.attributes.get(SOURCE_ETAG) != master.etag.strip('"'):
        return None
    try:
        header = Header.parse(mezzanine.attributes.get(MASTER_HEADER, ""))
        check_still(header, master.size_bytes, limits)
    except (ValueError, LookupError, OverLimits):
        return None
    return header


def _suffices(plan: Plan, header: Header, findings: Findings | None, side_px: int) -> bool:
    from ..imaging.render.pipeline import resolve_geometry  # loaded while S3 responds
    from ..plan.geometry.mezzanines import is_mezzanine_sufficient, list_mezzanine_sizes

    if header.gain_map and plan.format not in _WITHOUT_GAIN_MAP:
        return False
    geometry = resolve_geometry(plan, header, findings)
    size = list_mezzanine_sizes(geometry.stored).get(side_px)
    return size is not None and is_mezzanine_sufficient(geometry, size)


def _first_bytes(name: str) -> int:
    """Return how many bytes of the object ``name`` are requested first, 0 for all."""
    return FIRST_BYTES if name.lower().endswith(TIFF_SUFFIXES) else 0


def _is_pyramid(first: bytes) -> bool:
    """Whether it is a pyramid as ingest assembles them, with its directories first. Others are streamed."""
    from ..imaging.formats.tiff.container import Tag, TiffReader

    try:
        tiff = TiffReader(lambda at, length: first[at : at + length])
        return Tag.SUB_DIRECTORIES in tiff.read_directory(tiff.first).entries
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
