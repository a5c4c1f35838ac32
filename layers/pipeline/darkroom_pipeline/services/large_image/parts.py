"""Parts of a large image in S3 until they are assembled, and documents about them.

A strip is complete once its note exists, which is written last. A repeated step makes the same bytes, and leaves the
existing ones.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, NamedTuple

from darkroom.errors import DarkroomError, ObjectChanged, Unavailable
from darkroom.image_keys import SCENES

from ...aws.s3 import S3Bucket
from ...imaging.pyramid.plan import PyramidPlan
from ...imaging.pyramid.strips import EncodedStrip, TileIndex

_JSON = {"Content-Type": "application/json"}
_BYTES = {"Content-Type": "application/octet-stream"}


class StoredStrip(NamedTuple):
    """A stored strip: the index of its tiles, the ETag of its body, its row of tiles of the next level."""

    tiles: TileIndex
    etag: str
    next_level: bytes


@dataclass(frozen=True)
class PartStore:
    """Parts of the large image ``image_id`` in ``media``. Every method raises Unavailable."""

    media: S3Bucket
    image_id: str

    @property
    def folder(self) -> str:
        """Prefix of the names of all parts."""
        return f"{SCENES}{self.image_id}/"

    @property
    def master(self) -> str:
        """Name of the assembled object."""
        return f"{self.folder}master.tif"

    def body(self, strip: int) -> str:
        """Return the name of the tiles of ``strip``."""
        return f"{self.folder}strips/{strip:05}"

    def get_plan(self) -> PyramidPlan | None:
        """Return the plan, None if there is none yet."""
        found = self._document("plan.json")
        return PyramidPlan.from_document(found) if found is not None else None

    def put_plan(self, plan: PyramidPlan) -> PyramidPlan:
        """Write ``plan`` unless there is one; return the one that is valid."""
        with suppress(ObjectChanged):
            self._put_document("plan.json", plan.to_document(), replaces="")
            return plan
        found = self.get_plan()
        if found is None:
            raise Unavailable(detail=f"the plan of {self.image_id} changed")
        return found

    def has_strip(self, strip: int) -> bool:
        """Whether ``strip`` is complete."""
        return self.media.head(f"{self.folder}notes/{strip:05}.json") is not None

    def put_strip(self, strip: int, cut: EncodedStrip) -> None:
        """Store a strip. Existing objects of the same length stay."""
        etag = self._put_once(self.body(strip), cut.body)
        self._put_once(self._next_level(strip), cut.next_level)
        self._put_document(f"notes/{strip:05}.json", {"facts": cut.index.to_document(), "etag": etag})

    def get_strip(self, strip: int) -> StoredStrip:
        """Return a stored strip; raises Unavailable if it does not exist."""
        note, next_level = self._document(f"notes/{strip:05}.json"), self.media.read(self._next_level(strip))
        if note is None or next_level is None:
            raise Unavailable(detail=f"strip {strip} of {self.image_id} is missing")
        return StoredStrip(TileIndex.from_document(note["facts"]), str(note["etag"]), next_level)

    def put_refusal(self, error: DarkroomError) -> None:
        """Store why the upload is refused."""
        self._put_document("refusal.json", {"code": error.code, "reason": error.message})

    def get_refusal(self) -> tuple[str, str]:
        """Return code and reason of the refusal, empty if there is none."""
        found = self._document("refusal.json") or {}
        return str(found.get("code", "")), str(found.get("reason", ""))

    def delete_all(self) -> int:
        """Delete all parts; return their number."""
        return sum(self.media.delete_many(page) for page in self.media.list_pages(self.folder))

    def _next_level(self, strip: int) -> str:
        return f"{self.folder}shares/{strip:05}"

    def _put_once(self, name: str, body: bytes) -> str:
        with suppress(ObjectChanged):
            return self.media.put(name, body, headers=_BYTES, metadata={}, replaces="")
        existing = self.media.head(name)
        if existing is not None and existing.size_bytes == len(body):
            return existing.etag
        return self.media.put(name, body, headers=_BYTES, metadata={})

    def _put_document(self, name: str, document: Mapping[str, Any], replaces: str | None = None) -> None:
        body = json.dumps(dict(document), separators=(",", ":")).encode()
        self.media.put(self.folder + name, body, headers=_JSON, metadata={}, replaces=replaces)

    def _document(self, name: str) -> dict[str, Any] | None:
        found = self.media.read(self.folder + name)
        return dict(json.loads(found)) if found is not None else None
