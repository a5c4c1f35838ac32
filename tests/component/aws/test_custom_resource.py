"""Responses to CloudFormation about a custom resource."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from aws_lambda_powertools.utilities.data_classes import CloudFormationCustomResourceEvent

from darkroom.errors import Unavailable
from darkroom_pipeline.aws.custom_resource import SPARE_S, answer_request
from local.events import read_events
from tests.response_bucket import ResponseBucket, receive_responses

PHYSICAL_ID = "arn:aws:cloudfront::123456789012:key-value-store/0a1b2c3d-0000-4000-8000-000000000000"
MAX_RESPONSE_BYTES = 4096
"""CloudFormation user guide, "Custom resource response objects"."""


@pytest.fixture
def bucket() -> Iterator[ResponseBucket]:
    with receive_responses() as found:
        yield found


def hour_s() -> float:
    return 3600


def fail(reason: str) -> None:
    raise Unavailable(detail=reason)


@pytest.mark.parametrize("kind", ["create", "update"])
def test_a_success_names_the_resource(bucket: ResponseBucket, kind: str) -> None:
    request, done = bucket.request(kind), list[str]()
    assert answer_request(request, PHYSICAL_ID, lambda: done.append(kind), hour_s) == ""
    assert (done, len(bucket.received)) == ([kind], 1)
    [(path, content_type, _)] = bucket.received
    assert (path, content_type) == ("/a%3Ab?X-Amz-Signature=c%2Fd", "")
    copied = {name: request[name] for name in ("StackId", "RequestId", "LogicalResourceId")}
    assert bucket.documents == [{"Status": "SUCCESS", "PhysicalResourceId": PHYSICAL_ID, **copied}]


def test_a_deletion_does_nothing_and_names_the_resource_of_the_request(bucket: ResponseBucket) -> None:
    request = bucket.request("delete") | {"PhysicalResourceId": "of another store"}
    assert answer_request(request, PHYSICAL_ID, lambda: fail("called"), lambda: 0) == ""
    [document] = bucket.documents
    assert (document["Status"], document["PhysicalResourceId"]) == ("SUCCESS", "of another store")


@pytest.mark.parametrize("reason", ["no permission", "é" * 5000, "\n" * 5000 + "end", "🖼" * 3000])
def test_a_failure_has_its_reason_within_the_limit(bucket: ResponseBucket, reason: str) -> None:
    found = answer_request(bucket.request("create"), PHYSICAL_ID, lambda: fail(reason), hour_s)
    assert found.startswith("Unavailable: ")
    [document] = bucket.documents
    assert document["Status"] == "FAILED"
    assert document["Reason"].startswith("Unavailable: ")
    assert found.startswith(document["Reason"])
    assert len(bucket.received[0][2]) <= MAX_RESPONSE_BYTES


def test_what_takes_too_long_is_reported_once(bucket: ResponseBucket) -> None:
    reported = threading.Event()

    def act() -> None:
        while not bucket.received:
            reported.wait(0.01)

    found = answer_request(bucket.request("update"), PHYSICAL_ID, act, lambda: SPARE_S + 0.05)
    [document] = bucket.documents
    assert (document["Status"], document["Reason"], found) == ("FAILED", *["It was not done within 0 s."] * 2)


def test_a_response_is_repeated_until_it_is_received(bucket: ResponseBucket) -> None:
    bucket.statuses = [503, 500, 200]
    assert answer_request(bucket.request("create"), PHYSICAL_ID, lambda: None, hour_s) == ""
    assert [one["Status"] for one in bucket.documents] == ["SUCCESS"] * 3


def test_a_response_that_is_refused_fails_the_invocation_which_lambda_repeats(bucket: ResponseBucket) -> None:
    bucket.statuses = [403]
    with pytest.raises(Unavailable) as raised:
        answer_request(bucket.request("create"), PHYSICAL_ID, lambda: None, hour_s)
    assert "CloudFormation's bucket: 403" in raised.value.detail


@pytest.mark.parametrize("name", read_events("publish"))
def test_the_sample_events_are_what_powertools_knows(name: str) -> None:
    event = CloudFormationCustomResourceEvent(read_events("publish")[name])
    assert event.request_type == name.removesuffix(".json").capitalize()
    assert event.resource_type == "Custom::EdgeEntries"
    assert event.resource_properties["Release"]
    assert bool(event.physical_resource_id) is (event.request_type != "Create")
    assert bool(event.old_resource_properties) is (event.request_type == "Update")
    assert event.stack_id.startswith("arn:aws:cloudformation:")
