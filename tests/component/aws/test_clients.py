"""Clients raise Unavailable after a bounded number of attempts, for every kind of fault."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import pytest

from darkroom.errors import Unavailable
from darkroom_pipeline.aws import clients
from darkroom_pipeline.aws.cloudfront import Distribution
from darkroom_pipeline.aws.eventbridge import EventBus
from darkroom_pipeline.aws.s3 import ListedObject, S3Bucket
from darkroom_pipeline.aws.sqs import Queue
from tests.waiting import HANG_S, wait_until

from .faulty import HANG, HANG_UP, Reply, Silence, answering, error

TOO_LONG_S = 0.2
"""The read timeout of clients, for a response that never comes."""

FAULTS: dict[str, Reply | Silence] = {
    "internal error": error(500, "InternalError"),
    "slow down": error(503, "SlowDown"),
    "bad gateway": Reply(502, b"<html>bad gateway</html>", {"Content-Type": "text/html"}),
    "denied": error(403, "AccessDenied"),
    "throttled": error(429, "TooManyRequestsException"),
    "garbage": Reply(200, b"\x00\xff<garbage", {"Content-Type": "application/xml"}),
    "nothing": Reply(200),
    "an error page": Reply(200, b"<html><body>sign in</body></html>"),
    "broken off": Reply(200, b"<a>", promised=500),
    "hangs up": HANG_UP,
    "hangs": HANG,
}

ASKING: dict[str, tuple[str, Callable[[Any], object]]] = {
    "head": ("s3", lambda client: S3Bucket(client, "b").head("k")),
    "open": ("s3", lambda client: _read(S3Bucket(client, "b"))),
    "put": ("s3", lambda client: S3Bucket(client, "b").put("k", b"x", headers={}, metadata={})),
    "conditional put": (
        "s3",
        lambda client: S3Bucket(client, "b").put("k", b"x", headers={}, metadata={}, replaces='"e"'),
    ),
    "copy": ("s3", lambda client: S3Bucket(client, "b").copy(S3Bucket(client, "b"), "k", "l")),
    "send": ("sqs", lambda client: Queue(client, "http://127.0.0.1/0/q").send({})),
    "send many": ("sqs", lambda client: Queue(client, "http://127.0.0.1/0/q").send_many([{}])),
    "announce": ("events", lambda client: EventBus(client, "default", "darkroom").publish("ImageReady", {})),
    "invalidate": ("cloudfront", lambda client: Distribution(client, "E1").invalidate(["/a/_/*"], "r")),
    "wildcards": ("cloudfront", lambda client: Distribution(client, "E1").count_wildcards_in_progress()),
    "pages": ("s3", lambda client: list(S3Bucket(client, "b").list_pages())),
    "erase": ("s3", lambda client: S3Bucket(client, "b").erase("k")),
    "delete many": ("s3", lambda client: S3Bucket(client, "b").delete_many([ListedObject("k", '"e"', 1, 0)])),
}
TELLING: dict[str, tuple[str, Callable[[Any], object]]] = {
    "delete": ("s3", lambda client: S3Bucket(client, "b").delete("k")),
    "hide": ("sqs", lambda client: Queue(client, "http://127.0.0.1/0/q").set_visibility_timeout("receipt", 5)),
}
"""Operations with nothing in their answer, of which a wrong one cannot be distinguished."""

STRANGE = {"nothing", "an error page", "garbage", "broken off"}


def _read(vault: S3Bucket) -> bytes:
    opened = vault.open("k")
    assert opened
    return opened.body.read()


@pytest.mark.sample(20)
@pytest.mark.usefixtures("no_pauses")
@pytest.mark.parametrize(
    ("operation", "fault"),
    [*itertools.product(ASKING, FAULTS), *itertools.product(TELLING, sorted(FAULTS.keys() - STRANGE))],
)
def test_every_fault_is_unavailable_after_few_attempts(
    operation: str, fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if FAULTS[fault] == HANG:
        monkeypatch.setattr(clients, "READ_S", TOO_LONG_S)
    service, ask = (ASKING | TELLING)[operation]
    with answering(FAULTS[fault]) as faulty:
        client = clients.create_client(service, faulty.environment)
        with pytest.raises(Unavailable) as caught:
            ask(client)
        wait_until(lambda: faulty.requests, "a request has come")
    assert len(faulty.requests) <= clients.MAX_ATTEMPTS
    assert caught.value.message == Unavailable.title
    assert caught.value.detail


@pytest.mark.usefixtures("no_pauses")
@pytest.mark.parametrize(
    "passing",
    [error(500, "InternalError"), error(503, "SlowDown"), HANG_UP, pytest.param(HANG, marks=pytest.mark.slow)],
)
def test_a_fault_that_passes_is_not_seen(passing: Reply | Silence, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clients, "READ_S", 5.0 if passing == HANG else HANG_S)
    with answering(passing, passing, Reply(200, headers={"ETag": '"e"'})) as faulty:
        vault = S3Bucket(clients.create_client("s3", faulty.environment), "bucket")
        assert vault.put("k", b"body", headers={}, metadata={}) == '"e"'
    assert [(method, path) for method, path, _ in faulty.requests] == [("PUT", "/bucket/k")] * 3


@pytest.mark.usefixtures("no_pauses")
def test_a_body_that_breaks_off_is_unavailable() -> None:
    headers = {"ETag": '"e"', "Last-Modified": "Wed, 25 Nov 2026 00:00:00 GMT"}
    with answering(Reply(200, b"x" * 100, headers, promised=1000)) as faulty:
        opened = S3Bucket(clients.create_client("s3", faulty.environment), "bucket").open("k")
        assert opened
        assert opened.body.read(50) == b"x" * 50
        with pytest.raises(Unavailable):
            list(opened.body)
    assert len(faulty.requests) == 1


def test_a_closed_port_is_unavailable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("botocore.endpoint.time.sleep", lambda _: None)
    environment = {"AWS_ENDPOINT_URL": "http://127.0.0.1:9", "AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"}
    with pytest.raises(Unavailable, match="cannot be rendered"):
        S3Bucket(clients.create_client("s3", environment), "bucket").head("k")


def test_our_own_mistakes_are_not_faults_of_aws() -> None:
    with pytest.raises(TypeError), clients.translate_errors("anything"):
        raise TypeError


def test_region_endpoint_and_credentials_come_from_the_environment() -> None:
    given = {
        "AWS_REGION": "eu-central-1",
        "AWS_ACCESS_KEY_ID": "id",
        "AWS_SECRET_ACCESS_KEY": "s",
        "AWS_SESSION_TOKEN": "t",
    }
    client = clients.create_client("sqs", given)
    assert client.meta.region_name == "eu-central-1"
    assert client.meta.endpoint_url == "https://sqs.eu-central-1.amazonaws.com"
    credentials = client._request_signer._credentials
    assert (credentials.access_key, credentials.secret_key, credentials.token) == ("id", "s", "t")
    everywhere = given | {"AWS_ENDPOINT_URL": "http://localhost:1"}
    assert clients.create_client("events", everywhere).meta.endpoint_url == "http://localhost:1"
    one = everywhere | {"AWS_ENDPOINT_URL_EVENTBRIDGE": "http://localhost:2"}
    assert clients.create_client("events", one).meta.endpoint_url == "http://localhost:2"
    assert clients.create_client("s3", one).meta.endpoint_url == "http://localhost:1"
