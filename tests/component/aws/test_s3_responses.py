"""Responses of S3 that MiniStack does not give."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from darkroom.errors import ObjectChanged, Unavailable
from darkroom_pipeline.aws import clients
from darkroom_pipeline.aws.s3 import ListedObject, S3Bucket

from .faulty import Reply, Silence, answering, error

XML = {"Content-Type": "application/xml"}
HEAD = Reply(
    200, headers={"ETag": '"e"', "Last-Modified": "Wed, 25 Nov 2026 00:00:00 GMT", "x-amz-meta-Sequencer": "0055"}
)


def asked(ask: Callable[[S3Bucket], Any], *replies: Reply | Silence) -> tuple[Any, int]:
    """Return the result of ``ask`` on a bucket with scripted ``replies``, and the number of requests."""
    with answering(*replies) as faulty:
        answer = ask(S3Bucket(clients.create_client("s3", faulty.environment), "bucket"))
    return answer, len(faulty.requests)


def put(vault: S3Bucket) -> str:
    return vault.put("k", b"x", headers={}, metadata={}, replaces='"e"')


def test_two_conditional_writes_at_once_are_a_change() -> None:
    with pytest.raises(ObjectChanged):
        asked(put, error(409, "ConditionalRequestConflict"))


@pytest.mark.usefixtures("no_pauses")
def test_another_conflict_is_a_fault() -> None:
    with pytest.raises(Unavailable):
        asked(put, error(409, "OperationAborted"))


@pytest.mark.usefixtures("no_pauses")
def test_a_write_that_was_sent_twice_may_be_in_its_own_way() -> None:
    """The first put succeeded and its response was lost: Changed, and the next read finds the object."""
    with pytest.raises(ObjectChanged):
        asked(put, error(500, "InternalError"), error(412, "PreconditionFailed"))


def test_what_may_not_be_read_is_not_missing() -> None:
    with pytest.raises(Unavailable):
        asked(lambda vault: vault.head("k"), Reply(403))


def test_an_object_that_was_not_deleted_is_a_fault() -> None:
    body = b"""<DeleteResult><Deleted><Key>a</Key></Deleted>
        <Error><Key>b</Key><Code>InternalError</Code><Message>no</Message></Error></DeleteResult>"""
    with pytest.raises(Unavailable) as caught:
        asked(
            lambda vault: vault.delete_many([ListedObject("a", '"e"', 1, 0), ListedObject("b", '"e"', 1, 0)]),
            Reply(200, body, XML),
        )
    assert "InternalError" in caught.value.detail


@pytest.mark.usefixtures("no_pauses")
def test_a_copy_that_fails_after_it_began_to_answer_is_tried_again() -> None:
    """S3 sends the status before a long copy is done; the error is in the body then."""
    failed = Reply(200, b"<Error><Code>InternalError</Code><Message>no</Message></Error>", XML)
    done = Reply(200, b'<CopyObjectResult><ETag>"f"</ETag></CopyObjectResult>', XML)
    assert asked(lambda vault: vault.copy(vault, "k", "l"), HEAD, failed, done) == ('"f"', 3)


def test_a_source_that_goes_before_it_is_copied_is_missing() -> None:
    gone = Reply(404, b"<Error><Code>NoSuchKey</Code></Error>", XML)
    assert asked(lambda vault: vault.copy(vault, "k", "l"), HEAD, gone) == (None, 2)


def test_names_of_metadata_are_lower_case() -> None:
    kept, _ = asked(lambda vault: vault.head("k"), HEAD)
    assert kept.metadata == {"sequencer": "0055"}
    assert kept.headers == {}


@pytest.mark.parametrize(
    ("headers", "checksums"),
    [
        ({"x-amz-checksum-sha256": "YQ==", "x-amz-checksum-type": "FULL_OBJECT"}, {"sha256": "YQ=="}),
        ({"x-amz-checksum-sha256": "YQ=="}, {"sha256": "YQ=="}),
        ({"x-amz-checksum-sha256": "YQ==", "x-amz-checksum-type": "COMPOSITE"}, {}),
        ({"x-amz-checksum-sha256": "YQ==-3"}, {}),
        ({"x-amz-checksum-crc32c": "YQ==", "x-amz-checksum-xxhash3": "Yg=="}, {"crc32c": "YQ==", "xxhash3": "Yg=="}),
        ({}, {}),
    ],
)
def test_only_checksums_of_the_whole_object_are_kept(headers: dict[str, str], checksums: dict[str, str]) -> None:
    kept, _ = asked(lambda vault: vault.head("k"), Reply(200, headers={**HEAD.headers, **headers}))
    assert kept.checksums == checksums
