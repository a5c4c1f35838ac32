"""Tests of the benchmark's S3: the behaviour that obstore and the AWS SDK require."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
import obstore
import pytest
from botocore.exceptions import ClientError
from obstore.store import S3Store
from PIL import Image

from bench.link.objects import COMMENT_BYTES, add_name
from bench.link.process import run_link, use_tls
from bench.link.tls import list_trust_variables
from darkroom.aws.credentials import CredentialSource
from darkroom.aws.s3_fast import FastBucket, connect
from darkroom.errors import Unavailable

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

KEYS = {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b", "AWS_REGION": "us-east-1"}


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("link") / "photo.jpg"
    Image.linear_gradient("L").resize((640, 480)).save(file, quality=95)
    return file


@pytest.fixture(scope="module")
def url(image: Path) -> Iterator[str]:
    with run_link([image], latency_ms=1, megabytes_per_s=100) as address:
        yield address


@pytest.fixture(scope="module")
def bucket(url: str) -> FastBucket:
    environment = KEYS | {"AWS_ENDPOINT_URL": url}
    return connect("media", CredentialSource(environment), environment)


@pytest.fixture(scope="module")
def store(url: str) -> S3Store:
    return S3Store(
        "media",
        endpoint=url,
        region="us-east-1",
        access_key_id="a",
        secret_access_key="b",
        client_options={"allow_http": True},
    )


def test_an_image_exists_under_any_name_and_never_twice_the_same(bucket: FastBucket, image: Path) -> None:
    one, two = bucket.open("masters/1/photo.jpg"), bucket.open("masters/2/photo.jpg")
    assert one is not None
    assert two is not None
    bodies = one.read(), two.read()
    assert one.etag != two.etag
    assert bodies[0] != bodies[1]
    assert len(bodies[0]) == len(bodies[1]) == one.size_bytes == image.stat().st_size + COMMENT_BYTES + 4
    with Image.open(image) as original:
        for body in bodies:
            assert Image.open(io.BytesIO(body)).tobytes() == original.tobytes()


def test_what_is_made_from_an_image_exists_for_each_of_its_masters(image: Path, tmp_path: Path) -> None:
    (tmp_path / "photo.jpg").mkdir()
    (tmp_path / "photo.jpg" / "small.jpg").write_bytes(b"small")
    (tmp_path / "photo.jpg" / "small.jpg.json").write_text('{"x-amz-meta-of": "it"}', encoding="ascii")
    with run_link([image], 0, 100, tmp_path) as address:
        environment = KEYS | {"AWS_ENDPOINT_URL": address}
        bucket = connect("media", CredentialSource(environment), environment)
        found = [bucket.open(f"derivatives/{at}/photo.jpg/_/small.jpg") for at in (1, 2)]
        masters = [bucket.etag(f"masters/{at}/photo.jpg") for at in (1, 2)]
        assert bucket.open("derivatives/1/photo.jpg/_/large.jpg") is None
    for one, master in zip(found, masters, strict=True):
        assert one is not None
        assert one.read() == b"small"
        assert (one.attributes["of"], one.attributes["source-etag"]) == ("it", str(master).strip('"'))


def test_head_tells_what_get_tells(bucket: FastBucket) -> None:
    found = bucket.open("masters/3/photo.jpg")
    assert found is not None
    assert bucket.etag("masters/3/photo.jpg") == found.etag


def test_what_was_put_comes_back_with_its_headers(bucket: FastBucket) -> None:
    headers = {"Content-Type": "image/webp", "Cache-Control": "public, max-age=60", "note": "kept"}
    etag = bucket.put("derivatives/å b.jpg/_/full.webp", b"body", headers)
    found = bucket.open("derivatives/å b.jpg/_/full.webp")
    assert found is not None
    assert found.read() == b"body"
    assert found.etag == etag
    assert headers.items() <= dict(found.attributes).items()


def test_what_is_missing_is_none(bucket: FastBucket) -> None:
    for key in ("gone", "masters/other.jpg", "derivatives/photo.jpg"):
        assert bucket.open(key) is None
        assert bucket.etag(key) is None


def test_ranges(bucket: FastBucket, store: S3Store) -> None:
    bucket.put("digits", b"0123456789", {})
    assert bytes(obstore.get_range(store, "digits", start=2, end=5)) == b"234"
    assert bytes(obstore.get(store, "digits", options={"range": {"suffix": 3}}).bytes()) == b"789"
    with pytest.raises(Exception, match="416"):
        obstore.get(store, "digits", options={"range": {"offset": 20}})


def test_conditions(store: S3Store) -> None:
    first = obstore.put(store, "once", b"1", mode="create")
    with pytest.raises(obstore.exceptions.AlreadyExistsError):
        obstore.put(store, "once", b"2", mode="create")
    with pytest.raises(obstore.exceptions.NotModifiedError):
        obstore.get(store, "once", options={"if_none_match": first["e_tag"]})
    with pytest.raises(obstore.exceptions.PreconditionError):
        obstore.get(store, "once", options={"if_match": '"another"'})


def test_ranges_of_a_master_are_of_the_file_that_its_name_is_in(store: S3Store, image: Path) -> None:
    key = "masters/7/photo.jpg"
    whole = bytes(obstore.get(store, key).bytes())
    assert whole.startswith(add_name(image.read_bytes(), key))
    assert whole.endswith(image.read_bytes()[2:])
    for start, end in ((0, 2), (0, len(whole)), (60, 80), (1, len(whole) - 1), (500, 700)):
        assert bytes(obstore.get_range(store, key, start=start, end=end)) == whole[start:end]


def test_the_aws_sdk_agrees(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "a")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "b")
    client: S3Client = boto3.client("s3", endpoint_url=url, region_name="us-east-1")
    etag = client.put_object(Bucket="media", Key="sdk", Body=b"body", ContentType="text/plain")["ETag"]
    found = client.get_object(Bucket="media", Key="sdk")
    assert (found["Body"].read(), found["ETag"], found["ContentType"]) == (b"body", etag, "text/plain")
    with pytest.raises(ClientError, match="NoSuchKey"):
        client.get_object(Bucket="media", Key="gone")


def test_a_name_longer_than_the_comment_keeps_its_end() -> None:
    start = b"\xff\xd8"
    assert add_name(start, "x" * 100 + "/1.jpg").endswith(b"/1.jpg")
    assert len(add_name(start, "x" * 100)) == len(add_name(start, "short"))


@pytest.fixture
def tls_url(image: Path) -> Iterator[str]:
    use_tls(on=True)
    try:
        with run_link([image], latency_ms=0, megabytes_per_s=1000) as address:
            yield address
    finally:
        use_tls(on=False)


@pytest.mark.slow
def test_tls_is_verified_by_the_client_of_the_function(tls_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    environment = KEYS | {"AWS_ENDPOINT_URL": tls_url}

    def read() -> bytes | None:
        return connect("media", CredentialSource(environment), environment).read("masters/1/photo.jpg")

    with pytest.raises(Unavailable) as raised:
        read()
    assert "UnknownIssuer" in str(raised.value.detail)
    for name, value in list_trust_variables(tls_url).items():
        monkeypatch.setenv(name, value)
    assert read()


def test_a_link_without_tls_needs_no_trust(url: str) -> None:
    assert url.startswith("http://")
    assert list_trust_variables(url) == {}
