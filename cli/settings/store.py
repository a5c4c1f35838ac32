"""The settings document with its history, in the media bucket.

A version is written to ``settings/history/<number>.json`` first, which must be free, and then over
``settings/current.json``, which must be the version it replaces. So no version is lost, and one of two concurrent
writers is refused. A version in the history that no other version names as ``previous``, and that is not the current
one, was never in force: its writer lost, or stopped in between.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from darkroom.errors import ObjectChanged
from darkroom.services.live_settings import CURRENT, HISTORY, history_key
from darkroom.settings import InvalidSettings
from darkroom_pipeline.aws.s3 import S3Bucket

from .validation import validate

JSON_TYPE = {"Content-Type": "application/json"}


@dataclass(frozen=True, slots=True)
class Version:
    """A version. ``at`` is ISO 8601; ``etag`` that of ``settings/current.json``, "" if it is not read from there.

    Number 0 stands for no document: all settings are defaults.
    """

    number: int = 0
    previous: int = 0
    at: str = ""
    by: str = ""
    reason: str = ""
    settings: Mapping[str, Any] | None = None
    etag: str = ""

    @property
    def table(self) -> Mapping[str, Any]:
        """The settings that differ from the defaults, as the user wrote them."""
        return self.settings or {}

    def body(self) -> bytes:
        """Return the stored document."""
        return (json.dumps(self._document(), ensure_ascii=False, indent=2) + "\n").encode()

    def _document(self) -> dict[str, Any]:
        head = {"number": self.number, "previous": self.previous, "at": self.at, "by": self.by, "reason": self.reason}
        return head | {"settings": dict(self.table)}


@dataclass(frozen=True)
class SettingsStore:
    """The store of the document in the bucket ``media``. Raises Unavailable."""

    media: S3Bucket
    clock: Callable[[], float] = time.time

    def current(self) -> Version:
        """Read the version in force. Raises InvalidSettings for an invalid document."""
        return self._read(CURRENT) or Version()

    def replaced(self) -> Version:
        """Return the version that the next one replaces: the one in force, even if its document is invalid.

        That one has an ETag without settings, and the newest number of the history.
        """
        try:
            return self.current()
        except InvalidSettings:
            found = self._body(CURRENT)
            number = max((version.number for version in self.history()), default=0)
            return Version(number, etag=found[1] if found else "")

    def version(self, number: int) -> Version | None:
        """Return version ``number`` of the history, None if it does not exist."""
        return self._read(history_key(number))

    def history(self) -> Iterator[Version]:
        """Yield all versions, oldest first, including those that were never in force."""
        for page in self.media.list_pages(HISTORY):
            for listed in page:
                if (version := self._read(listed.key)) is not None:
                    yield version

    def write(self, settings: Mapping[str, Any], *, replaces: Version, by: str, reason: str = "") -> Version:
        """Write the next version. Raises InvalidSettings, Changed if ``replaces`` is no longer in force.

        An interrupted call may be repeated: that leaves at most one version that was never in force.
        """
        validate(settings)
        at = datetime.fromtimestamp(self.clock(), UTC).isoformat(timespec="seconds")
        number = replaces.number + 1
        while True:
            version = Version(number, replaces.number, at, by, reason, settings)
            try:
                self._put(history_key(number), version.body(), "")
                break
            except ObjectChanged:
                number += 1
        etag = self._put(CURRENT, version.body(), replaces.etag)
        return Version(number, replaces.number, at, by, reason, settings, etag)

    def _put(self, key: str, body: bytes, replaces: str) -> str:
        try:
            return self.media.put(key, body, headers=JSON_TYPE, metadata={}, replaces=replaces)
        except ObjectChanged:
            found = self._body(key)
            if found is not None and found[0] == body:  # this write, whose response was lost
                return found[1]
            raise

    def _body(self, key: str) -> tuple[bytes, str] | None:
        found = self.media.open(key)
        if found is None:
            return None
        with found.body as body:
            return body.read(), found.head.etag

    def _read(self, key: str) -> Version | None:
        found = self._body(key)
        if found is None:
            return None
        body, etag = found
        try:
            document = json.loads(body)
            head = (int(document["number"]), int(document["previous"]))
            at, by, reason = (str(document[name]) for name in ("at", "by", "reason"))
            return Version(*head, at, by, reason, dict(document["settings"]), etag if key == CURRENT else "")
        except (ValueError, TypeError, KeyError) as error:
            raise InvalidSettings([f"{key} is not a settings document: {error!r}"]) from error


def was_in_force(history: Mapping[int, Version], current: Version) -> set[int]:
    """Return the numbers in ``history`` that are or were in force: the current one, its predecessor, and so on."""
    found, number = set[int](), current.number
    while number and number not in found:
        found.add(number)
        number = history[number].previous if number in history else 0
    return found
