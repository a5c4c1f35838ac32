"""Sources that are read from S3 by ranges, whatever their size."""

from __future__ import annotations

from darkroom.imaging.block_cache import BLOCK_BYTES, BlockCache
from darkroom.imaging.source import Source
from darkroom.services.master_reader import STREAMED_BYTES, TIFF

from ..aws.s3 import S3Bucket
from ..aws.s3_objects import ObjectHead

LARGE_BLOCK_BYTES = 1024 * 1024
"""Block size for sources that are read nearly whole: 1.2 gigapixels are 210 requests, with 64 KiB 3,548."""


def open_ranges(bucket: S3Bucket, head: ObjectHead, block_bytes: int = BLOCK_BYTES) -> Source:
    """Open the object of ``head``. Reading raises ObjectChanged if it was replaced or deleted, or Unavailable."""

    def fetch(start: int, end: int) -> bytes:
        return bucket.read_range(head.key, start, end, etag=head.etag)

    return Source.from_ranges(BlockCache(fetch, head.size_bytes, block_bytes=block_bytes))


def is_large_pyramid(head: ObjectHead) -> bool:
    """Whether small derivatives of a master can be rendered from ranges, much less than all of it."""
    return head.headers.get("Content-Type") == TIFF and head.size_bytes > STREAMED_BYTES
