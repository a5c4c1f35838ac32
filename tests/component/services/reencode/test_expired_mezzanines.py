"""Expired mezzanines are stored again when an image of their master is re-encoded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import pytest

from darkroom.aws.s3_fast import FastBucket, StoredObject
from darkroom.aws.telemetry import LightObserver
from darkroom.errors import Unavailable
from darkroom.image_keys import MASTERS, mezzanine_name
from darkroom.plan.forced_options import ForcedOptions
from darkroom.plan.variants import MEZZANINE_SIDES_PX
from darkroom.services.serve.answers import Rendered
from darkroom.services.serve.transform import Transform
from darkroom_pipeline.reencode.service import ReencodeMessage, ReencodeOutcome, Reencoder
from tests.component.services.test_transform import Keys, request
from tests.images.mezzanines import put_photo
from tests.images.photographs import jpeg_photo

KEY = "photo.jpg"
NAME = "derivatives/photo.jpg/_/w-320.webp"
MEZZANINES = [mezzanine_name(KEY, side_px) for side_px in MEZZANINE_SIDES_PX]


@pytest.fixture
def service(bucket: FastBucket) -> Reencoder:
    return Reencoder(source=bucket, media=bucket, observer=LightObserver("refine"), mezzanines=True)


def store_derivative(bucket: FastBucket, query: str = "w=320&f=webp") -> None:
    transform = Transform(source=bucket, media=bucket, keys=Keys(), clock=lambda: 0.0)
    assert isinstance(transform.answer(request(f"/{KEY}?{query}", key="key")), Rendered)


def read_all(bucket: FastBucket) -> list[tuple[bytes, Mapping[str, str]] | None]:
    found = [bucket.open(name) for name in MEZZANINES]
    return [(one.read(), one.attributes) if one else None for one in found]


def expire(bucket: FastBucket, *names: str) -> None:
    for name in names or MEZZANINES:
        bucket.delete(name)


def test_expired_mezzanines_are_those_of_ingest_again(service: Reencoder, bucket: FastBucket) -> None:
    put_photo(bucket, KEY)
    at_ingest = read_all(bucket)
    expire(bucket)
    store_derivative(bucket)
    assert read_all(bucket) == [None, None]
    assert service.handle(ReencodeMessage(NAME)) is ReencodeOutcome.REFINED
    assert read_all(bucket) == at_ingest
    assert None not in at_ingest


@pytest.mark.slow
def test_stored_mezzanines_are_not_written_again(service: Reencoder, bucket: FastBucket) -> None:
    put_photo(bucket, KEY, body=b"as stored")
    store_derivative(bucket)
    assert service.handle(ReencodeMessage(NAME)) is ReencodeOutcome.REFINED
    assert [found[0] for found in read_all(bucket) if found] == [b"as stored"] * 2


@pytest.mark.slow
@pytest.mark.parametrize(
    "changes", [{"mezzanines": False}, {"always": ForcedOptions.parse("photo=faces")}], ids=["off", "redacted"]
)
def test_a_deployment_without_mezzanines_stores_none(
    service: Reencoder, bucket: FastBucket, changes: dict[str, object]
) -> None:
    put_photo(bucket, KEY)
    expire(bucket)
    store_derivative(bucket)
    assert replace(service, **changes).handle(ReencodeMessage(NAME, hits=20)) is ReencodeOutcome.REFINED
    assert read_all(bucket) == [None, None]


@pytest.mark.slow
def test_an_image_that_needs_the_master_restores_none(service: Reencoder, bucket: FastBucket) -> None:
    put_photo(bucket, KEY)
    expire(bucket)
    store_derivative(bucket, "w=1920&f=webp")
    service.handle(ReencodeMessage("derivatives/photo.jpg/_/w-1920.webp", hits=20))
    assert read_all(bucket) == [None, None]


@pytest.mark.slow
def test_a_small_master_has_none(service: Reencoder, bucket: FastBucket) -> None:
    bucket.put(MASTERS.name(KEY), jpeg_photo(), {})
    store_derivative(bucket)
    assert service.handle(ReencodeMessage(NAME)) in (ReencodeOutcome.REFINED, ReencodeOutcome.KEPT)
    assert read_all(bucket) == [None, None]


@dataclass
class FailingBucket(FastBucket):
    """``real``, but mezzanines cannot be put."""

    real: FastBucket

    def open(self, key: str) -> StoredObject | None:
        return self.real.open(key)

    def etag(self, key: str) -> str | None:
        return self.real.etag(key)

    def put(self, key: str, body: bytes, attributes: Mapping[str, str], replaces: str | None = None) -> str:
        if key in MEZZANINES:
            raise Unavailable(detail="S3 is slow")
        return self.real.put(key, body, attributes, replaces)


@pytest.mark.slow
def test_a_mezzanine_that_cannot_be_stored_does_not_fail_the_message(
    service: Reencoder, bucket: FastBucket, capsys: pytest.CaptureFixture[str]
) -> None:
    put_photo(bucket, KEY)
    expire(bucket)
    store_derivative(bucket)
    assert replace(service, media=FailingBucket(bucket)).handle(ReencodeMessage(NAME)) is ReencodeOutcome.REFINED
    service.observer.flush()
    assert "mezzanines not restored" in capsys.readouterr().out
