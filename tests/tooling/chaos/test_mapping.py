"""Tests of the event source mapping: the event's form and partial batch responses."""

from __future__ import annotations

from typing import Any

import pytest
from aws_lambda_powertools.utilities.data_classes import SQSEvent

from chaos.event_source_mapping import Context, invoke_handler, to_event

URL = "http://127.0.0.1:4566/000000000000/ingest"


def message(name: str) -> dict[str, Any]:
    return {
        "MessageId": name,
        "ReceiptHandle": f"handle of {name}",
        "Body": f'{{"name": "{name}"}}',
        "MD5OfBody": "0",
        "Attributes": {"ApproximateReceiveCount": "3", "SentTimestamp": "1700000000000"},
        "MessageAttributes": {"code": {"StringValue": "damaged", "DataType": "String"}},
    }


def test_powertools_reads_the_event() -> None:
    [record] = SQSEvent(to_event([message("a")], URL)).records
    assert (record.message_id, record.receipt_handle, record.json_body) == ("a", "handle of a", {"name": "a"})
    assert record.attributes.approximate_receive_count == "3"
    code = record.message_attributes["code"]
    assert code is not None
    assert code.string_value == "damaged"
    assert record.event_source_arn == "arn:aws:sqs:us-east-1:000000000000:ingest"
    assert record.queue_url.endswith("/000000000000/ingest")


BATCH = [message("a"), message("b")]


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (None, ["a", "b"]),
        ({}, ["a", "b"]),
        ({"batchItemFailures": []}, ["a", "b"]),
        ({"batchItemFailures": [{"itemIdentifier": "a"}]}, ["b"]),
        ({"batchItemFailures": [{"itemIdentifier": "a"}, {"itemIdentifier": "b"}]}, []),
        ({"batchItemFailures": [{"itemIdentifier": "of another batch"}]}, []),
        ({"batchItemFailures": [{"itemIdentifier": ""}]}, []),
        ({"batchItemFailures": [{}]}, []),
    ],
)
def test_what_is_not_listed_as_failed_is_deleted(answer: object, expected: list[str]) -> None:
    assert [message["MessageId"] for message in invoke_handler(answer, BATCH)] == expected


def test_a_function_can_read_how_much_time_is_left() -> None:
    context = Context("ingest", 60.0)
    assert 0 < context.get_remaining_time_in_millis() <= 60_000
    assert Context("ingest", 0.0).get_remaining_time_in_millis() <= 0
