"""The report of an erasure: what was removed and what remains."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

from darkroom.aws.telemetry import log
from darkroom.errors import DarkroomError

from ...aws.erasures import COMPLETE, DONE, FAILED, PENDING, PENDING_INVALIDATION, Erasure
from ...aws.record import REMOVED, Record

RETRY_IN_S = 60
"""Time after which to retry an erasure that failed."""

CHECK_IN_S = 120
"""Time after which the CDN has probably completed both invalidations: the second pass begins after 60 s."""

UNKNOWN = "unknown"
"""Status of a key without a known erasure."""

KNOWN = "known"
"""Status of a key whose data was found, before an erasure."""

REFUSED, UNAVAILABLE = "refused", "unavailable"
"""Status of a rejected request: its event has no valid key, or the state could not be read."""

REMAINING = {
    "copies in viewers' browsers": "browser_max_age_s after they were fetched",
    "log lines that name the key": "the end of their retention, RetentionDays",
    "access logs of the CDN, where they are on": "AccessLogDays",
    "manifests for retraining that name the key": "30 days after they were written",
    "messages that name the key, in queues and dead letters": "14 days",
    "backups of the index (point-in-time recovery)": "35 days",
}
"""Traces that Darkroom cannot remove, and until when they last."""


@dataclass
class ErasureReport:
    """The report. ``removed`` counts versions and delete markers by place; ``failed`` has the error code by place.

    ``erasure`` is its id. ``invalidation`` is the CDN's, empty if it is queued. ``cdn`` is the state of that half: done
    at once if the CDN cannot cache the key. ``same_bytes`` are other keys of the same image, which are kept.
    ``remains`` lists what is left, and until when.
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
        """``failed`` if something is left, else the state of the CDN's half."""
        return FAILED if self.failed else COMPLETE if self.cdn == DONE else PENDING_INVALIDATION

    @contextmanager
    def record_failures(self, place: str) -> Iterator[None]:
        """Record a failure at ``place`` instead of raising it, or clear an earlier one."""
        try:
            yield
        except DarkroomError as error:
            log("ERROR", "erasure step failed", place=place, code=error.code, detail=error.detail)
            self.failed[place] = error.code
        else:
            self.failed.pop(place, None)

    def record_tombstone(self, known: Record | None, tombstone: Record) -> None:
        """Record that ingest has replaced the record ``known`` by ``tombstone``."""
        self.removed["index"] = int(known is not None and known.state != REMOVED)
        until = datetime.fromtimestamp(tombstone.expires_at_s, UTC)
        self.remains["the key in the index, with the time of its deletion"] = until.isoformat(timespec="minutes")

    def to_document(self) -> dict[str, object]:
        """Return the report in JSON values."""
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
    """Return the state of an erasure in JSON values."""
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


def found_document(
    key: str, record: Record | None, places: Sequence[str], erasure: Erasure | None
) -> dict[str, object]:
    """Return what is known about ``key`` before an erasure, in JSON values.

    ``places`` are those with data. The status is ``known``, ``removed`` for an image that is deleted or erased already,
    or ``unknown``, for example if the key is misspelled.
    """
    if places or (record is not None and record.state != REMOVED):
        status = KNOWN
    else:
        status = REMOVED if record is not None or erasure is not None else UNKNOWN
    return {
        "key": key,
        "status": status,
        "state": record.state if record is not None else "",
        "places": list(places),
        "erasure": erasure.status if erasure is not None else "",
    }


def rejection_document(key: object, error: DarkroomError) -> dict[str, object]:
    """Return the response to a request that raised ``error``, in JSON values."""
    status = REFUSED if error.status < 500 else UNAVAILABLE
    return {"key": key, "status": status, "code": error.code, "reason": error.message}
