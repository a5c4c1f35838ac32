"""Credentials of the S3 client, from the environment or from the container endpoint that SnapStart uses."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest

from darkroom.aws.credentials import RENEW_BEFORE, RETRY_AFTER, CredentialSource
from darkroom.aws.s3_fast import FastBucket, connect
from darkroom.errors import Unavailable

from .credential_rotation import TOKEN, Endpoint, RecordingProxy, SignedRequest, served

AT_ONCE = 16
SHORT, LONG = timedelta(minutes=4), timedelta(hours=1)
"""Lives of credentials: one within the lead time of a renewal, one beyond."""

_numbers = itertools.count(1)


class Clock:
    """The time of day, moved on at will."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    with served(Endpoint()) as server:
        yield server


@pytest.fixture
def source(endpoint: Endpoint, clock: Clock) -> CredentialSource:
    return CredentialSource(endpoint.environment, clock)


@pytest.fixture
def proxy(ministack_url: str) -> Iterator[RecordingProxy]:
    with served(RecordingProxy(ministack_url)) as server:
        yield server


@pytest.fixture
def bucket(proxy: RecordingProxy, source: CredentialSource, aws: Callable[[str], Any]) -> FastBucket:
    """A bucket of MiniStack behind the gate, for a client with the endpoint's credentials."""
    name = f"test-credentials-{next(_numbers)}"
    aws("s3").create_bucket(Bucket=name)
    aws("s3").put_object(Bucket=name, Key="a", Body=b"body")
    return connect(name, source, {"AWS_ENDPOINT_URL": proxy.url, "AWS_REGION": "us-east-1"})


def key(source: CredentialSource) -> str:
    return source.get().access_key_id


def test_from_the_environment() -> None:
    source = CredentialSource({"AWS_ACCESS_KEY_ID": "A", "AWS_SECRET_ACCESS_KEY": "B", "AWS_SESSION_TOKEN": "C"})
    found = source.get()
    assert (found.access_key_id, found.secret_access_key, found.token, found.expires_at) == ("A", "B", "C", None)


def test_from_the_endpoint_and_kept_while_they_last(source: CredentialSource, endpoint: Endpoint, clock: Clock) -> None:
    assert [key(source) for _ in range(3)] == ["AKID1"] * 3
    clock.ahead = LONG - RENEW_BEFORE - timedelta(minutes=1)
    assert key(source) == "AKID1"
    assert endpoint.asked == 1


def test_renewed_before_they_expire(source: CredentialSource, clock: Clock) -> None:
    assert key(source) == "AKID1"
    clock.ahead = LONG - RENEW_BEFORE
    assert source.get().token == "session2"


@pytest.mark.slow
def test_an_endpoint_that_has_no_newer_ones_is_left_alone_for_a_while(
    source: CredentialSource, endpoint: Endpoint, clock: Clock
) -> None:
    endpoint.lifetime = SHORT
    assert [key(source) for _ in range(3)] == ["AKID1"] * 3
    clock.ahead = RETRY_AFTER
    assert [key(source) for _ in range(3)] == ["AKID2"] * 3


@pytest.mark.slow
@pytest.mark.parametrize("broken", [b"", b"<html>", b"[]", b"{}", b'{"AccessKeyId": "A"}'])
def test_while_the_endpoint_fails_the_old_ones_serve_as_long_as_they_hold(
    source: CredentialSource, endpoint: Endpoint, clock: Clock, broken: bytes
) -> None:
    assert key(source) == "AKID1"
    endpoint.broken = broken
    clock.ahead = LONG - timedelta(minutes=3)
    assert [key(source) for _ in range(3)] == ["AKID1"] * 3
    assert endpoint.asked == 2
    clock.ahead = LONG + timedelta(seconds=1)
    for _ in range(2):
        with pytest.raises(Unavailable):
            source.get()
    endpoint.broken = None
    clock.ahead += timedelta(seconds=1)
    assert key(source) == "AKID2"


@pytest.mark.slow
def test_concurrent_threads_call_the_endpoint_once(source: CredentialSource, endpoint: Endpoint) -> None:
    together = Barrier(AT_ONCE)

    def ask() -> str:
        together.wait()
        return key(source)

    with ThreadPoolExecutor(AT_ONCE) as threads:
        assert {asked.result() for asked in [threads.submit(ask) for _ in range(AT_ONCE)]} == {"AKID1"}
    assert endpoint.asked == 1


@pytest.mark.slow
def test_a_rotated_token_is_read_again(endpoint: Endpoint, clock: Clock, tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text(f"{TOKEN}\n", encoding="utf-8")
    named = {"AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": str(file), "AWS_CONTAINER_AUTHORIZATION_TOKEN": "stale"}
    source = CredentialSource(endpoint.environment | named, clock)
    assert key(source) == "AKID1"
    endpoint.token = "another"
    clock.ahead = LONG - timedelta(minutes=3)
    assert key(source) == "AKID1"
    file.write_text("another", encoding="utf-8")
    clock.ahead += RETRY_AFTER
    assert key(source) == "AKID2"


@pytest.mark.slow
@pytest.mark.parametrize(
    "changed",
    [
        {"AWS_CONTAINER_AUTHORIZATION_TOKEN": "wrong"},
        {"AWS_CONTAINER_AUTHORIZATION_TOKEN": "two\nlines"},
        {"AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": "/nowhere/token"},
    ],
)
def test_without_a_token_that_the_endpoint_takes_it_is_unavailable(endpoint: Endpoint, changed: dict[str, str]) -> None:
    with pytest.raises(Unavailable):
        CredentialSource(endpoint.environment | changed).get()
    assert endpoint.served == 0


def test_without_any_it_is_unavailable() -> None:
    with pytest.raises(Unavailable):
        CredentialSource({}).get()


@pytest.mark.slow
def test_a_client_of_s3_signs_with_the_newer_ones_as_soon_as_they_are_there(
    bucket: FastBucket, proxy: RecordingProxy, endpoint: Endpoint, clock: Clock
) -> None:
    endpoint.lifetime = SHORT
    assert bucket.etag("a")
    clock.ahead = RETRY_AFTER
    endpoint.lifetime = LONG
    _until_asked_again(bucket, endpoint)
    assert bucket.put("b", b"other", {})
    first, *_, last = proxy.seen
    assert first == SignedRequest("AKID1", "session1")
    assert last == SignedRequest("AKID2", "session2")
    assert set(proxy.seen) == {first, last}
    assert bucket.etag("a")
    assert endpoint.asked == 2


@pytest.mark.slow
def test_requests_to_s3_that_start_at_once_fetch_credentials_once(
    bucket: FastBucket, proxy: RecordingProxy, endpoint: Endpoint
) -> None:
    with ThreadPoolExecutor(AT_ONCE) as threads:
        assert all(threads.map(bucket.etag, ["a"] * AT_ONCE))
    assert proxy.seen == [SignedRequest("AKID1", "session1")] * AT_ONCE
    assert endpoint.asked == 1


@pytest.mark.slow
def test_a_client_of_s3_goes_on_with_the_old_ones_while_the_endpoint_fails(
    bucket: FastBucket, proxy: RecordingProxy, endpoint: Endpoint, clock: Clock
) -> None:
    endpoint.lifetime = SHORT
    assert bucket.etag("a")
    endpoint.broken = b""
    clock.ahead = RETRY_AFTER
    _until_asked_again(bucket, endpoint)
    assert bucket.etag("a")
    assert set(proxy.seen) == {SignedRequest("AKID1", "session1")}


@pytest.mark.slow
def test_a_client_of_s3_without_credentials_is_unavailable(
    bucket: FastBucket, proxy: RecordingProxy, endpoint: Endpoint
) -> None:
    endpoint.broken = b""
    with pytest.raises(Unavailable):
        bucket.etag("a")
    assert proxy.seen == []


def _until_asked_again(bucket: FastBucket, endpoint: Endpoint) -> None:
    """Use ``bucket`` until its client fetches credentials again, which it does not within a tenth of a second."""
    while endpoint.asked == 1:
        assert bucket.etag("a")
