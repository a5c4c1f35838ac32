"""Objects of a vault as sources that are read by ranges, so that their size is no matter."""

from __future__ import annotations

from ..aws.s3 import S3Bucket
from ..aws.s3_objects import ObjectHead
from ..imaging.block_cache import BLOCK_BYTES, BlockCache
from ..imaging.source import Source
from .master_reader import STREAMED_BYTES, TIFF

LARGE_BLOCK_BYTES = 1024 * 1024
"""A block of what is read nearly whole: the strips of 1.2 gigapixels are 210 requests, where 64 KiB make 3,548."""


def open_ranges(vault: S3Bucket, kept: ObjectHead, block_bytes: int = BLOCK_BYTES) -> Source:
    """What ``kept`` is the head of. Reading it raises Changed if another is there by now, or none; or Unavailable."""

    def fetch(start: int, end: int) -> bytes:
        return vault.read_range(kept.key, start, end, etag=kept.etag)

    return Source.from_ranges(BlockCache(fetch, kept.size_bytes, block_bytes=block_bytes))


def is_large_pyramid(kept: ObjectHead) -> bool:
    """Whether it is a master of which small pictures are had by ranges, for much less than all of it."""
    return kept.headers.get("Content-Type") == TIFF and kept.size_bytes > STREAMED_BYTES
