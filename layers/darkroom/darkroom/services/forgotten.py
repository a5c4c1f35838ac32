"""What was removed of a key that is to be forgotten, and what remains."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

from ..aws.record import REMOVED, Record
from ..aws.telemetry import log
from ..errors import DarkroomError

AGAIN_IN_S = 60
"""When to run it again where it could not end."""

LEFT = {
    "copies in viewers' browsers": "BrowserMaxAge after they were fetched",
    "log lines that name the key": "the end of their retention, LogDays",
    "access logs of the CDN, where they are on": "AccessLogDays",
    "manifests for retraining that name the key": "30 days after they were written",
    "messages that name the key, in queues and dead letters": "14 days",
    "backups of the index (point-in-time recovery)": "35 days",
}
"""What nothing of ours can remove, and until when it lasts."""


@dataclass
class Report:
    """``removed`` counts versions and delete markers by place; ``failed`` has the code of what went wrong, by place.

    ``invalidation`` is that of the CDN, empty if it is queued. ``same_bytes`` are other keys of the same picture, which
    stay: each is a picture of its own. ``remains`` says until when what is left lasts.
    """

    key: str
    removed: dict[str, int] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)
    invalidation: str = ""
    same_bytes: list[str] = field(default_factory=list)
    remains: dict[str, str] = field(default_factory=lambda: dict(LEFT))

    @property
    def complete(self) -> bool:
        """Whether all of it is done."""
        return not self.failed

    @contextmanager
    def trying(self, place: str) -> Iterator[None]:
        """Write down a failure at ``place`` rather than end by it; that it went well there after all, too."""
        try:
            yield
        except DarkroomError as error:
            log("ERROR", "not forgotten everywhere", place=place, code=error.code, detail=error.detail)
            self.failed[place] = error.code
        else:
            self.failed.pop(place, None)

    def buried(self, known: Record | None, tombstone: Record) -> None:
        """Ingest has put ``tombstone`` in the place of what was ``known``."""
        self.removed["index"] = int(known is not None and known.state != REMOVED)
        until = datetime.fromtimestamp(tombstone.expires_at_s, UTC)
        self.remains["the key in the index, with the time of its deletion"] = until.isoformat(timespec="minutes")

    def document(self) -> dict[str, object]:
        """The answer in JSON values."""
        return {
            "key": self.key,
            "complete": self.complete,
            "again_in_s": 0 if self.complete else AGAIN_IN_S,
            "removed": self.removed,
            "failed": self.failed,
            "invalidation": self.invalidation or "queued",
            "same_bytes": self.same_bytes,
            "remains": [{"what": what, "until": until} for what, until in self.remains.items()],
        }
