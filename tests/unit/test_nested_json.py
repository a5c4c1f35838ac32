"""Bodies of requests and messages of queues that are nested too deeply for Python's parser are refused like others."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from darkroom.errors import DarkroomError
from darkroom_pipeline.reencode import service as reencode
from darkroom_pipeline.services import analysis_requests as inference
from darkroom_pipeline.services import queue_consumer, upload_reports
from darkroom_pipeline.services.ingest.events import read_event
from darkroom_pipeline.services.purge import stale_derivatives as purge
from darkroom_pipeline.services.purge.source_events import read_changes

NESTED = "[" * 100_000

REFUSING: dict[str, Callable[[str], Any]] = {
    "ingest": read_event,
    "infer": inference.parse_request,
    "refine": reencode.parse_message,
    "purge": lambda body: purge.parse_message({"body": body}),
    "reports": lambda body: upload_reports.parse_reports(body.encode()[:9_000]),
}
IGNORING: dict[str, tuple[Callable[[str], Any], object]] = {
    "correlation": (queue_consumer.read_correlation_id, ""),
    "source": (read_changes, None),
}


@pytest.mark.parametrize("name", REFUSING)
def test_a_nested_body_is_refused(name: str) -> None:
    with pytest.raises(DarkroomError) as refused:
        REFUSING[name](NESTED)
    assert refused.value.status == 400


@pytest.mark.parametrize("name", IGNORING)
def test_a_nested_message_is_ignored_where_others_are(name: str) -> None:
    read, otherwise = IGNORING[name]
    assert read(NESTED) == otherwise
