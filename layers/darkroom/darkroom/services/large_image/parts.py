"""Where the parts of a scene are until it is one object, and what is written down about them.

A strip counts as made once its note is there, which is written last. Whoever makes it again makes the same bytes, and
leaves those that are there.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, NamedTuple

from ...aws.s3 import S3Bucket
from ...errors import DarkroomError, ObjectChanged, Unavailable
from ...imaging.pyramid.plan import PyramidPlan
from ...imaging.pyramid.strips import EncodedStrip, TileIndex
from ..s3_keys import SCENES

_JSON = {"Content-Type": "application/json"}
_BYTES = {"Content-Type": "application/octet-stream"}


class StoredStrip(NamedTuple):
    """A strip that is there: what binding has to know of it, the entity tag of its body, its share of the crown."""

    facts: TileIndex
    etag: str
    share: bytes


@dataclass(frozen=True)
class PartStore:
    """The parts of the scene with the id ``scene`` in ``media``. Every method raises Unavailable."""

    media: S3Bucket
    scene: str

    @property
    def folder(self) -> str:
        """What all of their names begin with."""
        return f"{SCENES}{self.scene}/"

    @property
    def master(self) -> str:
        """The name of what they are bound to."""
        return f"{self.folder}master.tif"

    def body(self, strip: int) -> str:
        """The name of the tiles of a strip."""
        return f"{self.folder}strips/{strip:05}"

    def get_plan(self) -> PyramidPlan | None:
        """How it is cut, None if nobody has planned that yet."""
        found = self._document("plan.json")
        return PyramidPlan.from_document(found) if found is not None else None

    def put_plan(self, scene: PyramidPlan) -> PyramidPlan:
        """Write the plan down, unless there is one; the one that holds."""
        with suppress(ObjectChanged):
            self._put_document("plan.json", scene.to_document(), replaces="")
            return scene
        found = self.get_plan()
        if found is None:
            raise Unavailable(detail=f"the plan of {self.scene} does not hold still")
        return found

    def has_strip(self, strip: int) -> bool:
        """Whether that strip has been made."""
        return self.media.head(f"{self.folder}notes/{strip:05}.json") is not None

    def put_strip(self, strip: int, cut: EncodedStrip) -> None:
        """Put a strip down. What is there of it already stays, if it is as long."""
        etag = self._put_once(self.body(strip), cut.body)
        self._put_once(self._share(strip), cut.next_level)
        self._put_document(f"notes/{strip:05}.json", {"facts": cut.index.to_document(), "etag": etag})

    def get_strip(self, strip: int) -> StoredStrip:
        """What was put down of it; Unavailable if it has gone."""
        note, share = self._document(f"notes/{strip:05}.json"), self._read(self._share(strip))
        if note is None or share is None:
            raise Unavailable(detail=f"strip {strip} of {self.scene} is not there")
        return StoredStrip(TileIndex.from_document(note["facts"]), str(note["etag"]), share)

    def put_refusal(self, error: DarkroomError) -> None:
        """Write down why the upload is not to be taken in."""
        self._put_document("refusal.json", {"code": error.code, "reason": error.message})

    def get_refusal(self) -> tuple[str, str]:
        """Code and reason of the refusal, empty if there is none."""
        found = self._document("refusal.json") or {}
        return str(found.get("code", "")), str(found.get("reason", ""))

    def delete_all(self) -> int:
        """Delete all of it; how many objects there were."""
        return sum(self.media.delete_many(page) for page in self.media.list_pages(self.folder))

    def _share(self, strip: int) -> str:
        return f"{self.folder}shares/{strip:05}"

    def _put_once(self, name: str, body: bytes) -> str:
        with suppress(ObjectChanged):
            return self.media.put(name, body, headers=_BYTES, metadata={}, replaces="")
        there = self.media.head(name)
        if there is not None and there.size_bytes == len(body):
            return there.etag
        return self.media.put(name, body, headers=_BYTES, metadata={})

    def _put_document(self, name: str, document: Mapping[str, Any], replaces: str | None = None) -> None:
        body = json.dumps(dict(document), separators=(",", ":")).encode()
        self.media.put(self.folder + name, body, headers=_JSON, metadata={}, replaces=replaces)

    def _document(self, name: str) -> dict[str, Any] | None:
        found = self._read(self.folder + name)
        return dict(json.loads(found)) if found is not None else None

    def _read(self, name: str) -> bytes | None:
        opened = self.media.open(name)
        if opened is None:
            return None
        with opened.body as body:
            return body.read()
