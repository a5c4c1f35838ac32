"""Messages that name a derivative to re-encode: an event of S3, or a message of the popular function."""

from __future__ import annotations

import json
from dataclasses import dataclass

from ...errors import BadUpload, DarkroomError
from ...image_keys import DERIVATIVES
from ...plan.canonical import parse_path
from ...plan.model import DATA_FORMATS, Plan


@dataclass(frozen=True, slots=True)
class ReencodeMessage:
    """The derivative ``name``, an object key.

    ``hits`` counts its requests at the CDN in the scanned period, 0 for one that was just stored.
    """

    name: str
    hits: int = 0

    @property
    def plan(self) -> Plan | None:
        """The derivative's plan; None for data, and for the marker of a refused source."""
        try:
            plan = parse_path("/" + self.name.removeprefix(DERIVATIVES))
        except DarkroomError:
            return None
        return None if plan.format in DATA_FORMATS else plan


def reencode_message(name: str, hits: int) -> dict[str, object]:
    """Return the message to re-encode the derivative ``name``, an object key, which had ``hits`` requests."""
    return {"refine": name, "hits": hits}


def parse_message(body: str) -> ReencodeMessage:
    """Parse a message; raises BadUpload for another one."""
    try:
        document = json.loads(body)
        if "refine" in document:
            message = ReencodeMessage(document["refine"], document.get("hits", 0))
        else:
            message = ReencodeMessage(document["detail"]["object"]["key"])
    except (ValueError, TypeError, KeyError) as error:
        raise BadUpload("The message names no derivative", field="body", detail=repr(error)) from error
    if not isinstance(message.name, str) or not message.name.startswith(DERIVATIVES) or type(message.hits) is not int:
        raise BadUpload("The message names no derivative", field="key", detail=body[:500])
    return message
