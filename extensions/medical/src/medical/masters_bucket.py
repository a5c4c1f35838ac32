"""The bucket of masters: find what is stored of an instance, store it, and delete what it replaces.

Uploads of one instance can be ingested at the same time. So a document is written only in place of the one that was
found before, and the objects of that one are deleted by the ingest that replaced it: no other knows that nothing names
them.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from darkroom_pipeline.aws.s3 import S3Bucket

from .instance import Instance, State
from .master import MEDIA_TYPE, write_master, write_overlay
from .process import PAGES, overlay_file
from .store import document_name, instance_prefix, overlay_name

ABANDONED_S = 3600
"""Age of objects that no document names, from which on they are of an ingest that ended early, not of one that runs:
a function runs for 900 s at most (AWS Lambda developer guide, "Lambda quotas")."""

_JSON = {"Content-Type": "application/json"}


class Stored(NamedTuple):
    """What is stored of an instance: its document, and the entity tag of that, "" without one.

    ``instance`` is None without a document, and for one that cannot be read.
    """

    etag: str = ""
    instance: Instance | None = None


@dataclass(frozen=True)
class Masters:
    """The bucket ``name``. ``s3`` is a boto3 client for S3."""

    s3: Any
    name: str
    clock: Callable[[], float] = time.time

    @cached_property
    def _bucket(self) -> S3Bucket:
        return S3Bucket(self.s3, self.name)

    def find(self, instance: Instance) -> Stored:
        """Return what is stored under the UIDs of ``instance``. Raises Unavailable."""
        opened = self._bucket.open(_document_name(instance))
        if opened is None:
            return Stored()
        with opened.body as body:
            try:
                return Stored(opened.head.etag, Instance.from_json(body.read()))
            except (ValueError, KeyError, TypeError):
                return Stored(opened.head.etag)

    def store(self, instance: Instance, folder: Path, replaces: Stored) -> Instance:
        """Write master, overlays, and then the document that names them; delete the objects of ``replaces``.

        ``folder`` has the decoded pages and overlays; the pages are deleted. Returns the instance as it is stored.
        Raises Unavailable, or ObjectChanged if another document was written after ``replaces`` was found.
        """
        pages, target = folder / PAGES, folder / "master.tif"
        size = {"width": instance.width, "height": instance.height, "count": instance.pages}
        levels = write_master(pages, target, colour=instance.colour, **size)
        pages.unlink()
        with target.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()[:32]
        stored = replace(instance, state="ready", levels=levels, master=f"{_prefix(instance)}master-{digest}.tif")
        self.s3.upload_file(str(target), self.name, stored.master, {"ContentType": MEDIA_TYPE})
        for number in range(len(stored.overlays)):
            overlay = write_overlay(overlay_file(folder, number), stored.width, stored.height)
            name = overlay_name(stored.master, number)
            self._bucket.put(name, overlay, headers={"Content-Type": "image/png"}, metadata={})
        self._put_document(stored, replaces)
        self._delete_unused(stored, replaces)
        return stored

    def store_state(self, instance: Instance, state: State, replaces: Stored) -> None:
        """Store ``instance`` without pixels, unless ``replaces`` has some. Raises as :meth:`store`."""
        if replaces.instance is None or replaces.instance.state != "ready":
            self._put_document(replace(instance, state=state, overlays=()), replaces)

    def _put_document(self, instance: Instance, replaces: Stored) -> None:
        body = instance.to_json()
        self._bucket.put(_document_name(instance), body, headers=_JSON, metadata={}, replaces=replaces.etag)

    def _delete_unused(self, stored: Instance, replaces: Stored) -> None:
        kept = {_document_name(stored), *_list_objects(stored)}
        unused = set(_list_objects(replaces.instance)) if replaces.instance else set()
        oldest_s = self.clock() - ABANDONED_S
        for page in self._bucket.list_pages(_prefix(stored)):
            others = [one for one in page if one.key not in kept]
            self._bucket.delete_many([one for one in others if one.key in unused or one.modified_s < oldest_s])


def _prefix(instance: Instance) -> str:
    return instance_prefix(instance.study, instance.series, instance.instance)


def _document_name(instance: Instance) -> str:
    return document_name(instance.study, instance.series, instance.instance)


def _list_objects(instance: Instance) -> list[str]:
    """Return the names of the objects that a document names."""
    overlays = [overlay_name(instance.master, number) for number in range(len(instance.overlays))]
    return [instance.master, *overlays] if instance.master else []
