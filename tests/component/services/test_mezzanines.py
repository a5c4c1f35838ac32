"""Serving from mezzanines: which objects are read, and what happens with stale and damaged ones."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from PIL import Image

from darkroom.aws.s3_fast import FastBucket, StoredObject
from darkroom.errors import OverLimits, Unavailable
from darkroom.image_keys import mezzanine_name
from darkroom.imaging.formats.image_format import Header
from darkroom.plan.canonical import derivative_name, parse_path
from darkroom.plan.forced_options import ForcedOptions
from darkroom.plan.limits import Limits
from darkroom.plan.model import DATA_FORMATS, Crop, Plan
from darkroom.plan.presets import load_default_presets
from darkroom.plan.variants import AccessMode
from darkroom.services.serve.answers import Answer, Failed, Rendered, TransformRequest
from darkroom.services.serve.transform import Transform
from tests.fixed_keys import FixedKeys
from tests.images.mezzanines import SIZE, large_photo, put_photo
from tests.images.rendering import seen
from tests.images.sources import saved

KEY = "photo.jpg"
PATH = f"/{KEY}/_/w-400.webp"


class Bucket(FastBucket):
    """A bucket that records what is opened, and whether each body was read or closed."""

    def __init__(self, bucket: FastBucket) -> None:
        super().__init__(bucket._store)
        self.opened: dict[str, list[StoredObject]] = {}

    def open(self, key: str, first_bytes: int = 0) -> StoredObject | None:
        found = super().open(key, first_bytes)
        if found is not None:
            self.opened.setdefault(key, []).append(found)
        return found

    def is_finished(self, key: str) -> bool:
        """Whether nothing is left to read of any body of ``key``."""
        return all(next(one.chunks, None) is None for one in self.opened[key])


@pytest.fixture
def watched(bucket: FastBucket) -> Bucket:
    return Bucket(bucket)


@pytest.fixture
def service(watched: Bucket) -> Transform:
    return make_service(watched)


def make_service(bucket: FastBucket, **options: Any) -> Transform:
    return Transform(source=bucket, media=bucket, keys=FixedKeys(("key",)), mode=AccessMode.OPEN, **options)


def answer(service: Transform, path: str = PATH) -> Answer:
    return service.answer(TransformRequest(path=path))


def is_red(found: Answer) -> bool:
    """Whether the image was made from a mezzanine of :func:`red`."""
    assert isinstance(found, Rendered), found
    return bool(np.abs(seen(found.body).mean(axis=(0, 1)) - (255, 0, 0)).max() < 5)


def red() -> bytes:
    return saved(Image.new("RGB", (1280, 853), "red"), "JPEG")


def mezzanines_read(bucket: Bucket) -> list[str]:
    return sorted(name.rpartition("/")[2] for name in bucket.opened if "/_/mezzanine-" in name)


@pytest.mark.slow
def test_a_miss_is_rendered_from_the_smallest_that_suffices(watched: Bucket, service: Transform) -> None:
    etag = put_photo(watched, KEY, red())
    assert is_red(answer(service))
    assert mezzanines_read(watched) == ["mezzanine-1280.jpg"]
    assert watched.is_finished(f"masters/{KEY}"), "what was not read of the master is dropped"
    stored = watched.open(f"derivatives/{KEY}/_/w-400.webp")
    assert stored is not None and stored.attributes["source-etag"] == etag.strip('"')


def test_the_larger_one_serves_larger_images(watched: Bucket, service: Transform) -> None:
    put_photo(watched, KEY)
    small = watched.open(mezzanine_name(KEY, 1280))
    assert small is not None
    watched.put(mezzanine_name(KEY, 1280), red(), dict(small.attributes))
    watched.opened.clear()
    found = answer(service, f"/{KEY}/_/h-800_w-900.webp")
    assert not is_red(found)
    assert mezzanines_read(watched) == ["mezzanine-1280.jpg", "mezzanine-1920.jpg"]
    assert all(watched.is_finished(mezzanine_name(KEY, side)) for side in (1280, 1920))


@pytest.mark.sample(3)
@pytest.mark.parametrize(
    "options",
    [
        {"width": 1300},
        {"width": 400, "format": "png"},
        {"format": "json"},
        {"format": "thumbhash"},
        {"width": 400, "quality": 95},
        {"width": 400, "trim": 10},
        {"width": 400, "crop": Crop("px", 0, 0, 500, 400)},
    ],
)
def test_other_variants_are_rendered_from_the_master(
    watched: Bucket, service: Transform, options: dict[str, Any]
) -> None:
    put_photo(watched, KEY, red())
    plan = Plan(KEY, **({"format": "webp"} | options))
    found = answer(service, "/" + derivative_name(plan))
    assert isinstance(found, Rendered), found
    if plan.format not in DATA_FORMATS:
        assert not is_red(found)
    assert mezzanines_read(watched) == ["mezzanine-1280.jpg"] * (plan.crop is not None)


@pytest.mark.sample(3)
@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(lambda bucket: put_photo(bucket, KEY, red(), source_etag="another"), id="of another master"),
        pytest.param(lambda bucket: put_photo(bucket, KEY, red(), master_header="{"), id="no header"),
        pytest.param(
            lambda bucket: put_photo(bucket, KEY, red(), master_header=Header("x", 4, 4).text), id="unknown format"
        ),
        pytest.param(
            lambda bucket: put_photo(bucket, KEY, red(), master_header=Header("jpeg", 100, 90).text), id="small master"
        ),
        pytest.param(lambda bucket: put_photo(bucket, KEY, red()[:400]), id="cut"),
        pytest.param(lambda bucket: put_photo(bucket, KEY, b"nothing"), id="no image"),
        pytest.param(lambda bucket: put_photo(bucket, KEY, saved(Image.new("RGB", (90, 60)), "JPEG")), id="too small"),
        pytest.param(
            lambda bucket: bucket.put(f"masters/{KEY}", large_photo(), {"Content-Type": "image/jpeg"}), id="none"
        ),
    ],
)
def test_what_cannot_be_read_is_replaced_by_the_master(
    watched: Bucket, service: Transform, spoil: Callable[[FastBucket], object]
) -> None:
    spoil(watched)
    expected = answer(make_service(watched, mezzanines=False, stores=False))
    found = answer(service)
    assert isinstance(found, Rendered) and isinstance(expected, Rendered)
    assert found.body == expected.body
    assert watched.etag(f"derivatives/{KEY}/_/refusal.json") is None, "the master is not damaged"


class Broken(Bucket):
    """S3 fails for mezzanines."""

    def open(self, key: str, first_bytes: int = 0) -> StoredObject | None:
        if "/_/mezzanine-" in key:
            raise Unavailable(detail=key)
        return super().open(key, first_bytes)


def test_an_error_of_s3_is_replaced_by_the_master(bucket: FastBucket) -> None:
    put_photo(bucket, KEY, red())
    assert not is_red(answer(make_service(Broken(bucket))))


def test_a_damaged_one_is_logged(watched: Bucket, service: Transform, capsys: pytest.CaptureFixture[str]) -> None:
    put_photo(watched, KEY, red()[:400])
    assert isinstance(answer(service), Rendered)
    assert "mezzanine not readable" in capsys.readouterr().out


def test_a_master_that_changes_meanwhile_is_not_mixed_up(bucket: FastBucket) -> None:
    """The mezzanine is of the master that was opened with it; the master is another one when it is reopened."""

    class Changing(Bucket):
        def open(self, key: str, first_bytes: int = 0) -> StoredObject | None:
            found = super().open(key, first_bytes)
            if key.startswith("masters/"):
                self.put(key, b"another", {})
            return found

    put_photo(bucket, KEY, b"nothing")
    found = answer(make_service(Changing(bucket)))
    assert isinstance(found, Failed) and found.error.code == "unavailable"


def test_none_is_read_where_there_are_none(watched: Bucket) -> None:
    put_photo(watched, KEY, red())
    assert not is_red(answer(make_service(watched, mezzanines=False)))
    assert mezzanines_read(watched) == []


def test_a_redacted_image_reads_none(watched: Bucket) -> None:
    put_photo(watched, KEY, red())
    service = make_service(watched, inference=True, always=ForcedOptions.parse("photo=faces"))
    found = answer(service, f"/{KEY}/_/fv-1_redact-faces_w-400.webp")
    assert isinstance(found, Failed) and found.error.code == "findings-pending"
    refused = answer(service)
    assert isinstance(refused, Failed) and refused.error.status == 400
    assert mezzanines_read(watched) == []


@pytest.mark.parametrize(("form", "from_mezzanine"), [("webp", True), ("avif", True), ("jpeg", False)])
def test_the_gain_map_is_that_of_the_master(
    watched: Bucket, service: Transform, form: str, from_mezzanine: bool
) -> None:
    put_photo(watched, KEY, red(), master_header=Header("jpeg", *SIZE, gain_map=True).text)
    assert is_red(answer(service, f"/{KEY}/_/w-200.{form}")) is from_mezzanine


def test_a_master_over_the_limits_is_refused_as_without_one(watched: Bucket) -> None:
    put_photo(watched, KEY, red())
    found = answer(make_service(watched, limits=Limits(max_pixels=1_000_000)))
    assert isinstance(found, Failed) and isinstance(found.error, OverLimits)


def test_they_are_read_beside_the_settings(watched: Bucket, service: Transform) -> None:
    put_photo(watched, KEY, red())
    service.prefetch(parse_path(PATH), load_default_presets)
    assert is_red(answer(service))
    assert [len(watched.opened[name]) for name in (f"masters/{KEY}", mezzanine_name(KEY, 1280))] == [1, 1]
