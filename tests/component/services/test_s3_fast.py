"""One bucket contract, checked on S3 (MiniStack) and on the in-memory store that other tests use."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from darkroom.aws.credentials import CredentialSource
from darkroom.aws.s3_fast import CHUNK_BYTES, FastBucket, connect
from darkroom.errors import ObjectChanged, Unavailable

KEYS = ["plain.jpg", "derivatives/a b.jpg/_/g-fp-0.5-0.5_w-800.webp", "ünï/ツ.jpg", "50%25.jpg", "a#b?c*d[e]&f=g.jpg"]


@pytest.mark.parametrize("key", KEYS)
def test_what_is_put_is_opened_with_its_headers(bucket: FastBucket, key: str) -> None:
    etag = bucket.put(key, b"body", {"Content-Type": "image/webp", "Cache-Control": "max-age=1"})
    found = bucket.open(key)
    assert found is not None
    assert found.read() == b"body"
    assert bucket.read(key) == b"body"
    assert (found.etag, found.size_bytes) == (etag, 4)
    assert found.attributes["Content-Type"] == "image/webp"
    assert found.attributes["Cache-Control"] == "max-age=1"
    assert bucket.etag(key) == etag


def test_keys_that_differ_only_by_an_escape_are_distinct(bucket: FastBucket) -> None:
    bucket.put("a b", b"space", {})
    bucket.put("a%20b", b"escape", {})
    assert [bucket.open(key).read() for key in ("a b", "a%20b")] == [b"space", b"escape"]  # type: ignore[union-attr]


def test_a_large_body_arrives_whole(bucket: FastBucket) -> None:
    body = bytes(range(256)) * 8192
    bucket.put("large", body, {})
    found = bucket.open("large")
    assert found is not None
    assert found.size_bytes == len(body)
    assert found.read() == body


def test_s3_sends_a_large_body_in_pieces(s3_bucket: FastBucket) -> None:
    s3_bucket.put("large", bytes(4_000_000), {})
    found = s3_bucket.open("large")
    assert found is not None
    sizes = [len(chunk) for chunk in found.chunks]
    assert sum(sizes) == 4_000_000
    assert len(sizes) > 1
    assert min(sizes[:-1]) >= CHUNK_BYTES


@pytest.mark.parametrize("size", [1, 99, 100, 101, 300_000])
def test_the_rest_may_come_by_another_request(bucket: FastBucket, size: int) -> None:
    body = bytes(range(250)) * (size // 250 + 1)
    etag = bucket.put("parted", body[:size], {"Content-Type": "image/tiff"})
    found = bucket.open("parted", 100)
    assert found is not None
    assert (found.size_bytes, found.etag, found.attributes["Content-Type"]) == (size, etag, "image/tiff")
    assert found.read() == body[:size]
    assert bucket.open("missing", 100) is None
    overtaken = bucket.open("parted", 100)
    assert overtaken is not None
    bucket.put("parted", b"another" * 100, {})
    if size > 100:
        with pytest.raises(Unavailable):
            overtaken.read()


def test_a_range_is_of_the_object_that_was_seen(bucket: FastBucket) -> None:
    body = bytes(range(256)) * 40
    etag = bucket.put("ranged", body, {})
    assert bucket.read_range("ranged", 300, 400, etag) == body[300:400]
    assert bucket.read_range("ranged", 10_000, 99_000, etag) == body[10_000:]
    bucket.put("ranged", body + b"!", {})
    with pytest.raises(ObjectChanged):
        bucket.read_range("ranged", 300, 400, etag)
    bucket.delete("ranged")
    with pytest.raises(ObjectChanged):
        bucket.read_range("ranged", 300, 400, etag)


def test_a_missing_key_is_none(bucket: FastBucket) -> None:
    assert bucket.open("missing") is None
    assert bucket.read("missing") is None
    assert bucket.etag("missing") is None
    bucket.delete("missing")


def test_a_put_may_be_conditional_on_an_entity_tag(bucket: FastBucket) -> None:
    first = bucket.put("one", b"1", {}, replaces="")
    for other in ("", '"another"'):
        with pytest.raises(ObjectChanged):
            bucket.put("one", b"2", {}, replaces=other)
    second = bucket.put("one", b"22", {}, replaces=first)
    assert bucket.etag("one") == second
    with pytest.raises(ObjectChanged):
        bucket.put("one", b"333", {}, replaces=first)
    bucket.delete("one")
    with pytest.raises(ObjectChanged):
        bucket.put("one", b"4444", {}, replaces=second)


def test_a_deleted_key_is_missing(bucket: FastBucket) -> None:
    bucket.put("gone", b"x", {})
    bucket.delete("gone")
    assert bucket.open("gone") is None


def test_an_overwrite_changes_the_entity_tag(bucket: FastBucket) -> None:
    first = bucket.put("same", b"1", {})
    assert bucket.put("same", b"22", {}) != first
    assert bucket.etag("same") != first


class Forbidding(BaseHTTPRequestHandler):
    """S3 for a role that may not list the bucket: a key that is missing is forbidden."""

    def do_GET(self) -> None:
        self.send_response(403)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def do_HEAD(self) -> None:
        self.do_GET()

    def log_message(self, *_: object) -> None:
        pass


@pytest.mark.slow
def test_a_forbidden_key_is_none_as_s3_forbids_what_is_missing() -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), Forbidding) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        environment = {
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{server.server_port}",
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
        }
        bucket = connect("bucket", CredentialSource(environment), environment)
        assert bucket.open("key") is None
        assert bucket.etag("key") is None
        with pytest.raises(Unavailable):  # where the role may list
            bucket.read("key")
        server.shutdown()


@pytest.mark.slow
def test_a_store_that_does_not_answer_is_unavailable(unreachable: FastBucket) -> None:
    for call in (
        lambda: unreachable.open("k"),
        lambda: unreachable.etag("k"),
        lambda: unreachable.read_range("k", 0, 9, '"e"'),
        lambda: unreachable.put("k", b"", {}),
    ):
        with pytest.raises(Unavailable) as caught:
            call()
        assert "127.0.0.1" not in caught.value.message
        assert caught.value.detail
