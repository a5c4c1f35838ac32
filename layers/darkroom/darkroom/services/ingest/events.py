"""What happened to an upload, read from a queue message: an EventBridge event of S3, of the sweep, or of ourselves."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from ...aws.record import pad_sequencer
from ...errors import BadUpload

OWN_SOURCE = "darkroom"
REPAIR, VERDICT, RELEASE, CONFIRM, LARGE_IMAGE = "Mend", "Moderated", "Release", "Confirm", "Cut"
"""Detail types of our own messages: a worker asks that a key be put right; inference has a verdict on a picture; a
person lets a picture pass that is held, or agrees that it is not to be served; a scene has been cut, or cannot be."""

_DELETED_BY_PERSON = "DeleteObject"
"""The ``reason`` of an Object Deleted event that is not ``Lifecycle Expiration`` (S3 user guide, "EventBridge")."""


_FOR_GOOD = "Permanently Deleted"
"""The ``deletion-type`` of what is not hidden behind a delete marker."""


class EventKind(StrEnum):
    """``DELETED``: hidden behind a delete marker. ``ERASED``: one version deleted for good, the newest or another one.

    ``MEND``: look again, and make the state what it should be. ``MODERATED``: do as the verdict in the index says.
    ``RELEASE``: serve what is held, whatever the verdict. ``CONFIRM``: a person agrees with the verdict. ``CUT``: see
    what became of a scene that was cut in strips.
    """

    CREATED = "created"
    DELETED = "deleted"
    ERASED = "erased"
    REPAIR = "mend"
    VERDICT = "moderated"
    RELEASE = "release"
    CONFIRM = "confirm"
    LARGE_IMAGE = "cut"


DECISIONS = frozenset({EventKind.RELEASE, EventKind.CONFIRM})
"""What a person decides about an image that is held. Such messages count in the review queue alone."""


@dataclass(frozen=True, slots=True)
class IngestEvent:
    """One change of the upload ``key``. ``sequencer`` is padded; ``happened_at_s`` is Unix time, 0 if not known.

    ``version_id`` is that of the object, or delete marker, that came or went. ``sha256`` is that of the bytes which are
    to be released or confirmed, empty for whatever is held; ``by`` is the person who decided it. ``scene`` is the id of
    the scene that was cut, ``code`` and ``reason`` say why it is refused, ``fault`` what stopped the work on it.
    ``repairs`` counts the repair messages that led to this one.
    """

    kind: EventKind
    key: str
    sequencer: str
    happened_at_s: float = 0.0
    version_id: str = ""
    sha256: str = ""
    by: str = ""
    scene: str = ""
    code: str = ""
    reason: str = ""
    fault: str = ""
    repairs: int = 0

    @property
    def deletes(self) -> bool:
        """Whether something was deleted."""
        return self.kind in (EventKind.DELETED, EventKind.ERASED)

    def deletes_master(self, master: Mapping[str, Any]) -> bool:
        """Whether what ``master``, as the index describes it, was made of is deleted by this."""
        if not self.deletes or master.get("sequencer", self.sequencer) >= self.sequencer:
            return False
        return self.kind is EventKind.DELETED or master.get("version_id") == self.version_id


_OWN = {
    REPAIR: EventKind.REPAIR,
    VERDICT: EventKind.VERDICT,
    RELEASE: EventKind.RELEASE,
    CONFIRM: EventKind.CONFIRM,
    LARGE_IMAGE: EventKind.LARGE_IMAGE,
}
_FURTHER = ("version_id", "sha256", "by", "scene", "code", "reason", "fault")
"""Of our own messages: what some of them have beside the key."""


def read_event(body: str) -> IngestEvent | None:
    """The change that a message tells of, None if it is none of ours to follow.

    Which bucket it is about was settled by the rule that fills the queue.

    Not followed: objects that a lifecycle rule let expire, folders of the S3 console, and other detail types. Raises
    BadUpload for what is no such message.
    """
    try:
        event = json.loads(body)
        source, detail_type, detail = event["source"], event["detail-type"], event["detail"]
        key = detail["object"]["key"]
    except (ValueError, TypeError, KeyError) as error:
        raise BadUpload("The message is no event of an upload", field="body", detail=repr(error)) from error
    if not isinstance(key, str):
        raise BadUpload("The message names no upload", field="key", detail=body[:500])
    if source == OWN_SOURCE and isinstance(detail_type, str) and detail_type in _OWN:
        further: dict[str, Any] = {name: str(detail.get(name, "")) for name in _FURTHER}
        return IngestEvent(_OWN[detail_type], key, "", **further, repairs=_count(detail.get("repairs", 0)))
    kind, object_ = _kind(detail_type, detail), detail["object"]
    if kind is None or (key.endswith("/") and not object_.get("size")):
        return None
    return IngestEvent(
        kind,
        key,
        pad_sequencer(str(object_.get("sequencer", ""))),
        _unix_time(event.get("time", "")),
        str(object_.get("version-id", "")),
    )


def build_repair_message(key: str, repairs: int = 0) -> dict[str, object]:
    """The message that asks for ``key`` to be put right, after ``repairs`` others that led to it."""
    return _own_message(REPAIR, key, **_given(repairs=str(repairs) if repairs else ""))


def build_verdict_message(key: str) -> dict[str, object]:
    """The message that there is, or should be, a verdict on ``key``."""
    return _own_message(VERDICT, key)


def build_release_message(key: str, sha256: str = "", by: str = "") -> dict[str, object]:
    """The message by which ``by``, a person, lets ``key`` pass, or only what was uploaded with that ``sha256``."""
    return _own_message(RELEASE, key, **_given(sha256=sha256, by=by))


def build_confirm_message(key: str, sha256: str = "", by: str = "") -> dict[str, object]:
    """The message by which ``by``, a person, agrees that what is held under ``key`` is not to be served."""
    return _own_message(CONFIRM, key, **_given(sha256=sha256, by=by))


def build_large_image_message(
    key: str, scene: str, version_id: str, code: str = "", reason: str = "", fault: str = ""
) -> dict[str, object]:
    """The message that ``scene`` has been cut from that version of ``key``; or why it is refused, or could not be."""
    return _own_message(
        LARGE_IMAGE, key, **_given(scene=scene, version_id=version_id, code=code, reason=reason, fault=fault)
    )


def _given(**values: str) -> dict[str, str]:
    return {name: value for name, value in values.items() if value}


def _own_message(detail_type: str, key: str, **further: str) -> dict[str, object]:
    return {"source": OWN_SOURCE, "detail-type": detail_type, "detail": {"object": {"key": key}, **further}}


def _kind(detail_type: str, detail: Mapping[str, Any]) -> EventKind | None:
    if detail_type == "Object Created":
        return EventKind.CREATED
    if detail_type == "Object Deleted" and detail.get("reason") == _DELETED_BY_PERSON:
        return EventKind.ERASED if detail.get("deletion-type") == _FOR_GOOD else EventKind.DELETED
    return None


def _count(text: Any) -> int:
    """The number in our own message; 0 for what is none."""
    return int(text) if str(text).isdecimal() else 0


def _unix_time(text: Any) -> float:
    try:
        return datetime.fromisoformat(text).timestamp()
    except (TypeError, ValueError):
        return 0.0
