"""What the queues of inference ask for: events about pictures, and messages that workers send themselves."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass, replace
from enum import StrEnum

from ...errors import BadUpload, Unavailable

OWN_SOURCE = "darkroom"
ANALYSE = "Analyse"
"""Detail type of a message by which a worker, or an operator, asks for a picture to be looked at (again)."""

FIRST_DELAY_S = 30
MAX_DELAY_S = 900
"""The longest that SQS delays a message."""

MAX_ATTEMPTS = 500
"""How often a request is sent again: some four days of a quarter of an hour at most each, the queue's retention.

The infer function sends to the queue that it consumes, and Lambda's recursive loop detection is off for it
(docs/decisions/0030): this ends the loop. Then the message fails, and becomes a dead letter.
"""


class RequestKind(StrEnum):
    """The detail types that are followed."""

    READY = "ImageReady"
    HELD = "ImageHeld"
    REMOVED = "ImageRemoved"
    ANALYSE = ANALYSE


@dataclass(frozen=True, slots=True)
class AnalysisRequest:
    """Look at the picture ``key``, or see that nothing is kept of it if it is gone.

    ``sequencer`` (padded) is that of the change that is told of, "" if any master will do. ``attempt`` counts how often
    it was sent again: for the endpoint, or for a newer master. ``again``: even if all has been done. ``image_id`` is
    what the work on the picture is found by, "" if who asked does not know it.
    """

    kind: RequestKind
    key: str
    sequencer: str = ""
    attempt: int = 0
    again: bool = False
    image_id: str = ""

    @property
    def message(self) -> dict[str, object]:
        """The message that asks for it."""
        detail: dict[str, object] = {
            "object": {"key": self.key},
            "sequencer": self.sequencer,
            "attempt": self.attempt,
            "again": self.again,
        }
        if self.image_id:
            detail["id"] = self.image_id
        return {"source": OWN_SOURCE, "detail-type": ANALYSE, "detail": detail}

    def next_attempt(self) -> AnalysisRequest:
        """The same, for later. Raises Unavailable after :data:`MAX_ATTEMPTS`."""
        if self.attempt >= MAX_ATTEMPTS:
            raise Unavailable(detail=f"{self.key} was put off {self.attempt} times")
        return replace(self, kind=RequestKind.ANALYSE, attempt=self.attempt + 1)

    def restart(self) -> AnalysisRequest:
        """Look again, whatever has been done, and at any master. Raises Unavailable after :data:`MAX_ATTEMPTS`."""
        return AnalysisRequest(RequestKind.ANALYSE, self.key, attempt=self.next_attempt().attempt, again=True)


def backoff_s(attempt: int) -> int:
    """Seconds until the endpoint is tried again for the ``attempt``-th time: 30, 60 ... up to a quarter of an hour.

    Up to half of it is left to chance, so that what was put off together does not come back together.
    """
    longest_s: int = min(FIRST_DELAY_S * 2 ** min(max(attempt, 1) - 1, 16), MAX_DELAY_S)
    return round(longest_s * random.uniform(0.5, 1.0))  # noqa: S311, nothing is secret about it


def parse_request(body: str) -> AnalysisRequest | None:
    """The request in a message, None if it asks for nothing: other events, and what was held because it was flagged.

    Raises BadUpload for what is no such message.
    """
    try:
        event = json.loads(body)
        source, detail_type, detail = event["source"], event["detail-type"], event["detail"]
        if source != OWN_SOURCE or detail_type not in RequestKind:
            return None
        key = detail["object"]["key"] if detail_type == ANALYSE else detail["key"]
        if detail.get("flagged"):
            return None
        key.encode()  # JSON can hold half a character, a path cannot
        return AnalysisRequest(
            RequestKind(detail_type),
            key,
            str(detail.get("sequencer", "")),
            int(detail.get("attempt", 0)),
            bool(detail.get("again", False)),
            str(detail.get("id", "")),
        )
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise BadUpload("The message is no event of a picture", field="body", detail=repr(error)) from error
