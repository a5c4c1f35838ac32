"""Messages of the infer queues: events about images, and messages of workers and operators."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass, replace
from enum import StrEnum

from darkroom.errors import BadUpload, Unavailable

OWN_SOURCE = "darkroom"
ANALYSE = "Analyse"
"""Detail type of a message by which a worker or an operator requests an analysis."""

FIRST_DELAY_S = 30
MAX_DELAY_S = 900
"""The maximum delay of SQS."""

MAX_ATTEMPTS = 500
"""How often a request is sent again: about four days, the queue's retention.

The infer function sends to the queue that it consumes, and Lambda's recursive loop detection is off for it
(decision 30): this limit ends the loop. Then the message fails, and becomes a dead letter.
"""


class RequestKind(StrEnum):
    """Detail types that are processed."""

    READY = "ImageReady"
    HELD = "ImageHeld"
    REMOVED = "ImageRemoved"
    ANALYSE = ANALYSE


@dataclass(frozen=True, slots=True)
class AnalysisRequest:
    """Analyse the image ``key``, or delete its findings if it is gone.

    ``sequencer`` (padded) is that of the event, "" for any master. ``attempt`` counts repeated sends. ``again``:
    even if the analysis is complete. ``image_id`` is the correlation id, "" if unknown.
    """

    kind: RequestKind
    key: str
    sequencer: str = ""
    attempt: int = 0
    again: bool = False
    image_id: str = ""

    @property
    def message(self) -> dict[str, object]:
        """The request as a message."""
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
        """Return the request for the next attempt. Raises Unavailable after :data:`MAX_ATTEMPTS`."""
        if self.attempt >= MAX_ATTEMPTS:
            raise Unavailable(detail=f"{self.key} was deferred {self.attempt} times")
        return replace(self, kind=RequestKind.ANALYSE, attempt=self.attempt + 1)

    def restart(self) -> AnalysisRequest:
        """Return a request for any master, complete or not. Raises Unavailable after :data:`MAX_ATTEMPTS`."""
        return AnalysisRequest(RequestKind.ANALYSE, self.key, attempt=self.next_attempt().attempt, again=True)


def backoff_s(attempt: int) -> int:
    """Return the delay in seconds before the ``attempt``-th retry: 30, 60 ... up to 900, less up to half as jitter."""
    longest_s: int = min(FIRST_DELAY_S * 2 ** min(max(attempt, 1) - 1, 16), MAX_DELAY_S)
    return round(longest_s * random.uniform(0.5, 1.0))  # noqa: S311, nothing is secret about it


def parse_request(body: str) -> AnalysisRequest | None:
    """Parse a message; None for other events, and for masters that were held because they are flagged.

    Raises BadUpload for an invalid message.
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
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise BadUpload("The message is not an image event", field="body", detail=repr(error)) from error
