"""Which master of a key is the present one: that which is served, or a newer one that waits for moderation."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from ...aws.s3 import S3Bucket
from ...aws.s3_objects import ObjectHead
from ...errors import ObjectChanged
from ...imaging.source import Source
from ..ingest.claims import SEQUENCER, SHA256, VERSION_ID
from ..range_source import is_large_pyramid, open_ranges
from ..s3_keys import HELD_MASTERS, ObjectNames


@dataclass(frozen=True, slots=True)
class CurrentMaster:
    """A master where it lies. ``etag`` has no quotes.

    ``behind``: it is held, and an earlier one goes on being served. What pictures are made with stays that one's.
    """

    key: str
    bucket: S3Bucket
    head: ObjectHead
    is_replacement: bool = False

    @property
    def etag(self) -> str:
        """The entity tag by which findings name their master."""
        return self.head.etag.strip('"')

    @property
    def sequencer(self) -> str:
        """Of the event that it was made for; "" for one that was put there by hand."""
        return self.head.metadata.get(SEQUENCER, "")

    @property
    def sha256(self) -> str:
        """Of the upload that it was made of, "" if that is not known."""
        return self.head.metadata.get(SHA256, "")

    @property
    def version_id(self) -> str:
        """Of that upload."""
        return self.head.metadata.get(VERSION_ID, "")

    @property
    def is_held(self) -> bool:
        """Whether it waits for moderation."""
        return self.head.key == HELD_MASTERS.name(self.key)

    @contextmanager
    def open_source(self) -> Iterator[Source]:
        """Its bytes: as they come, or of a large pyramid by the ranges that are read.

        Raises Changed if it has gone meanwhile, or another is there; or Unavailable.
        """
        if is_large_pyramid(self.head):
            yield open_ranges(self.bucket, self.head)
            return
        opened = self.bucket.open(self.head.key)
        if opened is None:
            raise ObjectChanged(detail=f"{self.head.key} has gone")
        with opened.body as body:
            if opened.head.etag != self.head.etag:
                raise ObjectChanged(detail=f"{self.head.key} is {opened.head.etag}")
            yield Source.from_stream(iter(body), opened.head.size_bytes)


@dataclass(frozen=True)
class Masters:
    """Masters in ``source`` by ``names``; those that are held in ``media``."""

    source: S3Bucket
    names: ObjectNames
    media: S3Bucket

    def find_current(self, key: str) -> CurrentMaster | None:
        """The newest master of ``key``, None if there is none. Raises Unavailable."""
        places = ((self.source, self.names), (self.media, HELD_MASTERS))
        heads = [(place, place.head(names.name(key))) for place, names in places]
        found = [CurrentMaster(key, place, head) for place, head in heads if head is not None]
        newest = max(found, key=lambda one: one.sequencer, default=None)
        return (
            replace(newest, is_replacement=True) if newest is not None and newest.is_held and len(found) > 1 else newest
        )
