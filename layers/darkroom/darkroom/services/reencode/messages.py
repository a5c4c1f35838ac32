"""Which derivative is to be refined, read from a queue message: an event of S3, or a message of our own."""

from __future__ import annotations

import json
from dataclasses import dataclass

from ...errors import BadUpload, DarkroomError
from ...plan.canonical import parse_path
from ...plan.model import DATA_FORMATS, Plan
from ..s3_keys import DERIVATIVES


@dataclass(frozen=True, slots=True)
class ReencodeMessage:
    """The derivative ``name``, an object key.

    ``hits`` is how often the CDN was asked for it in the time that somebody counted, 0 for one that was just stored.
    """

    name: str
    hits: int = 0

    @property
    def plan(self) -> Plan | None:
        """What the derivative is of, None for what is no picture: data, or the marker of a refused source."""
        try:
            plan = parse_path("/" + self.name.removeprefix(DERIVATIVES))
        except DarkroomError:
            return None
        return None if plan.format in DATA_FORMATS else plan


def reencode_message(name: str, hits: int) -> dict[str, object]:
    """The message that the derivative ``name``, an object key, was asked for ``hits`` times and is to be refined."""
    return {"refine": name, "hits": hits}


def parse_message(body: str) -> ReencodeMessage:
    """The order in a message; raises BadUpload for what is none."""
    try:
        document = json.loads(body)
        if "refine" in document:
            order = ReencodeMessage(document["refine"], document.get("hits", 0))
        else:
            order = ReencodeMessage(document["detail"]["object"]["key"])
    except (ValueError, TypeError, KeyError) as error:
        raise BadUpload("The message names no derivative", field="body", detail=repr(error)) from error
    if not isinstance(order.name, str) or not order.name.startswith(DERIVATIVES) or type(order.hits) is not int:
        raise BadUpload("The message names no derivative", field="key", detail=body[:500])
    return order
