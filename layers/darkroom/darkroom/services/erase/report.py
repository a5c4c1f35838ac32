"""What was removed of a key that is to be forgotten, and what remains."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

from ...aws.erasures import COMPLETE, DONE, FAILED, PENDING, PENDING_INVALIDATION, Erasure
from ...aws.record import REMOVED, Record
from ...aws.telemetry import log
from ...errors import DarkroomError

RETRY_IN_S = 60
"""When to run it again where it could not end."""

CHECK_IN_S = 120
"""When the CDN is likely to have completed both invalidations: the second pass begins after 60 s."""

UNKNOWN = "unknown"
"""The status of a key for which no erasure is known."""

REFUSED, UNAVAILABLE = "refused", "unavailable"
"""The status of a request that was not carried out: its event has no valid key, or the state could not be read."""

REMAINING = {
    "copies in viewers' browsers": "browser_max_age_s after they were fetched",
    "log lines that name the key": "the end of their retention, RetentionDays",
    "access logs of the CDN, where they are on": "AccessLogDays",
    "manifests for retraining that name the key": "30 days after they were written",
    "messages that name the key, in queues and dead letters": "14 days",
    "backups of the index (point-in-time recovery)": "35 days",
}
"""What nothing of ours can remove, and until when it lasts."""


@dataclass
class ErasureReport:
    """``removed`` counts versions and delete markers by place; ``failed`` has the code of what went wrong, by place.
    ``erasure`` is the id of this one.

    ``invalidation`` is that of the CDN, empty if it is queued. ``cdn`` is the state of that half: done at once where
    the CDN cannot hold the key. ``same_bytes`` are other keys of the same picture, which stay: each is a picture of its
    own. ``remains`` says until when what is left lasts.
    """

    key: str
    erasure: str = ""
    removed: dict[str, int] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)
    invalidation: str = ""
    cdn: str = PENDING
    same_bytes: list[str] = field(default_factory=list)
    remains: dict[str, str] = field(default_factory=lambda: dict(REMAINING))

    @property
    def status(self) -> str:
        """``failed`` if something is left; else the CDN has still to complete its invalidations, if it needs any."""
        return FAILED if self.failed else COMPLETE if self.cdn == DONE else PENDING_INVALIDATION

    @contextmanager
    def record_failures(self, place: str) -> Iterator[None]:
        """Write down a failure at ``place`` rather than end by it; that it went well there after all, too."""
        try:
            yield
        except DarkroomError as error:
            log("ERROR", "not forgotten everywhere", place=place, code=error.code, detail=error.detail)
            self.failed[place] = error.code
        else:
            self.failed.pop(place, None)

    def record_tombstone(self, known: Record | None, tombstone: Record) -> None:
        """Ingest has put ``tombstone`` in the place of what was ``known``."""
        self.removed["index"] = int(known is not None and known.state != REMOVED)
        until = datetime.fromtimestamp(tombstone.expires_at_s, UTC)
        self.remains["the key in the index, with the time of its deletion"] = until.isoformat(timespec="minutes")

    def to_document(self) -> dict[str, object]:
        """The answer in JSON values."""
        return {
            "key": self.key,
            "status": self.status,
            "erasure": self.erasure,
            "again_in_s": RETRY_IN_S if self.failed else 0,
            "check_in_s": CHECK_IN_S if self.status == PENDING_INVALIDATION else 0,
            "removed": self.removed,
            "failed": self.failed,
            "invalidation": self.invalidation or ("none" if self.cdn == DONE else "queued"),
            "same_bytes": self.same_bytes,
            "remains": [{"what": what, "until": until} for what, until in self.remains.items()],
        }


def state_document(key: str, erasure: Erasure | None) -> dict[str, object]:
    """The answer to a caller that checks an erasure, in JSON values."""
    if erasure is None:
        return {"key": key, "status": UNKNOWN}
    return {
        "key": key,
        "status": erasure.status,
        "erasure": erasure.id,
        "started": datetime.fromtimestamp(erasure.started_s, UTC).isoformat(timespec="seconds"),
        "stored": erasure.stored,
        "cdn": erasure.cdn,
        "invalidation": erasure.invalidation,
        "check_in_s": 0 if erasure.status in (COMPLETE, FAILED) else CHECK_IN_S,
    }


def rejection_document(key: object, error: DarkroomError) -> dict[str, object]:
    """The answer to a request that raised ``error``, in JSON values."""
    status = REFUSED if error.status < 500 else UNAVAILABLE
    return {"key": key, "status": status, "code": error.code, "reason": error.message}
