"""By which id the work on a message is found again, in the logs and traces of every function that had to do with it."""

from __future__ import annotations

import json

from ..aws.record import pad_sequencer
from .ingest.announcements import build_image_id

MAX_CHARACTERS = 64
"""Of an id. Ours have 32, those of EventBridge 36; whatever somebody else sends is cut off."""

_CREATED = "Object Created"


def correlation_id(body: str) -> str:
    """The id of the picture that the message ``body`` is about, else that of the event, "" if it has neither.

    An event of S3 does not have it, but all that it is made of where the bucket has versions.
    """
    try:
        event = json.loads(body)
        detail = event["detail"]
        if detail.get("id"):
            return str(detail["id"])[:MAX_CHARACTERS]
        created = detail.get("object", {}) if event["detail-type"] == _CREATED else {}
        if created.get("version-id"):
            return build_image_id(created["key"], pad_sequencer(created["sequencer"]), created["version-id"])
        return str(event.get("id", ""))[:MAX_CHARACTERS]
    except (ValueError, TypeError, KeyError, AttributeError):
        return ""
