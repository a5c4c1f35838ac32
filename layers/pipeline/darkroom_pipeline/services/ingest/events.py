"""Messages of the ingest queue: events of S3 or the sweep about uploads, and messages of Darkroom itself."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from darkroom.errors import BadUpload

from ...aws.record import MasterRef, pad_sequencer

OWN_SOURCE = "darkroom"
REPAIR, VERDICT, RELEASE, CONFIRM, LARGE_IMAGE = "Mend", "Moderated", "Release", "Confirm", "Cut"
"""Detail types of Darkroom's own messages: a worker requests a repair; inference has a verdict; an operator releases a
held upload, or confirms that it must not be served; a large image is assembled, or cannot be."""

_DELETED_BY_CLIENT = "DeleteObject"
"""The ``reason`` of an Object Deleted event that is not ``Lifecycle Expiration`` (S3 user guide, "EventBridge")."""

_PERMANENT = "Permanently Deleted"
"""The ``deletion-type`` without a delete marker."""


class EventKind(StrEnum):
    """``DELETED``: hidden by a delete marker. ``ERASED``: a version, the newest or another, deleted permanently.

    ``REPAIR``: check the objects of a key, and correct them. ``VERDICT``: carry out the verdict in the index.
    ``RELEASE``: serve a held upload, whatever the verdict. ``CONFIRM``: an operator agrees with the verdict.
    ``LARGE_IMAGE``: the state machine completed a large image.
    """

    CREATED = "created"
    DELETED = "deleted"
    ERASED = "erased"
    REPAIR = "repair"
    VERDICT = "verdict"
    RELEASE = "release"
    CONFIRM = "confirm"
    LARGE_IMAGE = "large-image"


DECISIONS = frozenset({EventKind.RELEASE, EventKind.CONFIRM})
"""Decisions of an operator about a held upload. Such messages are accepted from the review queue alone."""


@dataclass(frozen=True, slots=True)
class IngestEvent:
    """One event of the upload ``key``. ``sequencer`` is padded; ``happened_at_s`` is Unix time, 0 if unknown.

    ``version_id`` is that of the new or deleted object or delete marker. ``sha256`` is that of the bytes to release or
    confirm, empty for any; ``by`` is the operator, ``seen`` the token of the record that the operator decided about,
    empty in messages of earlier versions. ``large_image_id`` is the large image that is complete; ``code`` and
    ``reason`` state why it is refused, ``fault`` is the error that stopped its processing. ``repairs`` counts the
    repair messages that led to this one.
    """

    kind: EventKind
    key: str
    sequencer: str
    happened_at_s: float = 0.0
    version_id: str = ""
    sha256: str = ""
    by: str = ""
    seen: str = ""
    large_image_id: str = ""
    code: str = ""
    reason: str = ""
    fault: str = ""
    repairs: int = 0

    @property
    def deletes(self) -> bool:
        """Whether this is a deletion."""
        return self.kind in (EventKind.DELETED, EventKind.ERASED)

    def deletes_master(self, master: MasterRef) -> bool:
        """Whether this deletes the upload that ``master`` was made from."""
        if not self.deletes or not master.sequencer or master.sequencer >= self.sequencer:
            return False
        return self.kind is EventKind.DELETED or master.version_id == self.version_id


_OWN = {
    REPAIR: EventKind.REPAIR,
    VERDICT: EventKind.VERDICT,
    RELEASE: EventKind.RELEASE,
    CONFIRM: EventKind.CONFIRM,
    LARGE_IMAGE: EventKind.LARGE_IMAGE,
}
_FIELDS = {name: name for name in ("version_id", "sha256", "by", "seen", "code", "reason", "fault")} | {
    "large_image_id": "scene"
}
"""Fields of Darkroom's own messages beside the key, with their names in the detail."""


def read_event(body: str) -> IngestEvent | None:
    """Read the event in a message; return None if it is ignored. The rule that fills the queue selects the bucket.

    Ignored are objects that a lifecycle rule expired, folders of the S3 console, and other detail types. Raises
    BadUpload for any other message.
    """
    try:
        event = json.loads(body)
        source, detail_type, detail = event["source"], event["detail-type"], event["detail"]
        key = detail["object"]["key"]
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise BadUpload("The message is not an event of an upload", field="body", detail=repr(error)) from error
    if not isinstance(key, str):
        raise BadUpload("The message names no upload", field="key", detail=body[:500])
    if source == OWN_SOURCE and isinstance(detail_type, str) and detail_type in _OWN:
        further: dict[str, Any] = {name: str(detail.get(there, "")) for name, there in _FIELDS.items()}
        return IngestEvent(_OWN[detail_type], key, "", **further, repairs=_read_count(detail.get("repairs", 0)))
    kind, object_ = _read_kind(detail_type, detail), detail["object"]
    if kind is None or (key.endswith("/") and not object_.get("size")):
        return None
    return IngestEvent(
        kind,
        key,
        pad_sequencer(str(object_.get("sequencer", ""))),
        _parse_time(event.get("time", "")),
        str(object_.get("version-id", "")),
    )


def build_repair_message(key: str, repairs: int = 0) -> dict[str, object]:
    """Build the message that requests a repair of ``key``, after ``repairs`` others that led to it."""
    return _own_message(REPAIR, key, repairs=str(repairs) if repairs else "")


def build_verdict_message(key: str) -> dict[str, object]:
    """Build the message that there is, or should be, a verdict on ``key``."""
    return _own_message(VERDICT, key)


def build_release_message(key: str, sha256: str = "", by: str = "", seen: str = "") -> dict[str, object]:
    """Build the message by which the operator ``by`` releases ``key``, or only the upload with that ``sha256``."""
    return _own_message(RELEASE, key, sha256=sha256, by=by, seen=seen)


def build_confirm_message(key: str, sha256: str = "", by: str = "", seen: str = "") -> dict[str, object]:
    """Build the message by which the operator ``by`` confirms that the held upload of ``key`` must not be served."""
    return _own_message(CONFIRM, key, sha256=sha256, by=by, seen=seen)


def build_large_image_message(
    key: str, large_image_id: str, version_id: str, code: str = "", reason: str = "", fault: str = ""
) -> dict[str, object]:
    """Build the message that a large image is assembled from that version of ``key``, is refused, or has failed."""
    facts = {"scene": large_image_id, "version_id": version_id, "code": code, "reason": reason, "fault": fault}
    return _own_message(LARGE_IMAGE, key, **facts)


def decision_name(key: str) -> str:
    """Return the name of the document of the last decision of a person about ``key``. It does not name the key."""
    from ...aws.audit import hash_key  # few events are decisions

    return f"review#{hash_key(key)}"


def _own_message(detail_type: str, key: str, **facts: str) -> dict[str, object]:
    """Build a message with those of ``facts`` that are not empty."""
    detail = {"object": {"key": key}} | {name: fact for name, fact in facts.items() if fact}
    return {"source": OWN_SOURCE, "detail-type": detail_type, "detail": detail}


def _read_kind(detail_type: str, detail: Mapping[str, Any]) -> EventKind | None:
    if detail_type == "Object Created":
        return EventKind.CREATED
    if detail_type == "Object Deleted" and detail.get("reason") == _DELETED_BY_CLIENT:
        return EventKind.ERASED if detail.get("deletion-type") == _PERMANENT else EventKind.DELETED
    return None


def _read_count(text: Any) -> int:
    """Read the number in a message of Darkroom itself; 0 if it is not a number."""
    return int(text) if str(text).isdecimal() else 0


def _parse_time(text: Any) -> float:
    try:
        return datetime.fromisoformat(text).timestamp()
    except (TypeError, ValueError):
        return 0.0
