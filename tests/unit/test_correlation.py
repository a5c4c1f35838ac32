"""The correlation id of a message."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from darkroom_pipeline.aws.record import build_image_id, pad_sequencer
from darkroom_pipeline.services.analysis_requests import AnalysisRequest, RequestKind, parse_request
from darkroom_pipeline.services.queue_consumer import read_correlation_id
from tests.component.services.ingest_environment import event_text

EVENT_ID = "17793124-05d4-b198-2fde-7ededc63b103"


def s3(detail_type: str = "Object Created", version_id: str = "") -> str:
    return event_text("uploads", "a.jpg", "1A", detail_type, "PutObject", version_id)


def own(detail_type: str, **detail: Any) -> str:
    return json.dumps({"source": "darkroom", "detail-type": detail_type, "detail": {"key": "a.jpg", **detail}})


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (own("ImageReady", id="5e9f"), "5e9f"),
        (own("ImageReady", id="5" * 100), "5" * 64),
        (own("Analyse", object={"key": "a.jpg"}), ""),
        (s3(), EVENT_ID),
        (s3("Object Deleted", "v1"), EVENT_ID),
        (s3(version_id="v1"), build_image_id("a.jpg", pad_sequencer("1A"), "v1")),
        (json.dumps({"id": EVENT_ID, "detail-type": "Object Created", "detail": {}}), EVENT_ID),
        ('{"key": "a.jpg", "pass": 1}', ""),
        ('{"detail": [], "detail-type": ""}', ""),
        ('{"detail": {"object": {"version-id": "v"}}, "detail-type": "Object Created"}', ""),
        ("[]", ""),
        ("", ""),
    ],
)
def test_it_is_the_images_else_the_events(body: str, expected: str) -> None:
    assert read_correlation_id(body) == expected


@given(
    st.recursive(
        st.none() | st.integers() | st.text(),
        lambda inner: st.dictionaries(
            st.sampled_from(["detail", "id", "object", "version-id", "sequencer", "key", "detail-type"]), inner
        ),
    )
)
def test_a_correlation_id_has_at_most_64_characters(document: Any) -> None:
    assert len(read_correlation_id(json.dumps(document))) <= 64


def test_a_delayed_message_keeps_its_correlation_id() -> None:
    body = own("ImageReady", id="5e9f", sequencer="A0")
    request = parse_request(body)
    assert request is not None
    assert read_correlation_id(json.dumps(request.next_attempt().message)) == read_correlation_id(body) == "5e9f"
    later = request.next_attempt().next_attempt()
    assert later == AnalysisRequest(RequestKind.ANALYSE, "a.jpg", "A0", 2, image_id="5e9f")
