"""Unbounded storage: what can be stored without a signature is finite, in every dialect and for every spelling.

20,000 random URLs go through the real edge functions (in V8), the real services and libvips, on a store in memory, and
2,000 others on MiniStack's S3. CloudFront itself is left out, so that no response comes from its cache. Masters are of
640×480 px, and responses are large from 8 kB on instead of 4.5 MB: so a run takes minutes.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterator
from itertools import product

import obstore
import pytest
from obstore.store import MemoryStore

from darkroom.aws.credentials import CredentialSource
from darkroom.aws.s3_fast import FastBucket, connect
from darkroom.plan.canonical import derivative_name, parse_path
from darkroom.plan.geometry.placement import Size
from darkroom.plan.presets import load_default_presets
from darkroom.plan.variants import LADDER_PX, list_unsigned_requests, list_unsigned_variants
from darkroom_dialects.iiif.spec import SizeLimits
from darkroom_dialects.iiif.tiles import count_images
from tests.images.drawn import animation
from tests.images.photographs import jpeg_photo
from tests.tally import Tally
from tests.unsigned_urls import ACCEPTS, Sent, unsigned_urls

from .deployment import Deployment

SIZE = Size(640, 480)
KEYS = ("photo.jpg", "a/moving.gif")
URLS = 20_000
URLS_ON_S3 = 2_000
NUMBER = 238
"""README: derivatives per photograph that need no signature."""

LARGE_BYTES = 8_000
"""The size of a large response here, instead of 4.5 MB: a third of the variants then has a copy."""


@pytest.fixture(params=["memory", "s3"])
def deployment(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, aws_environment: dict[str, str]
) -> Iterator[Deployment]:
    monkeypatch.setattr("darkroom.services.serve.rendering.MAX_BODY_BYTES", LARGE_BYTES)
    bucket = FastBucket(MemoryStore())
    if request.param == "s3":
        aws = request.getfixturevalue("aws")
        aws("s3").create_bucket(Bucket="attacked")
        bucket = connect("attacked", CredentialSource(aws_environment), aws_environment)
    bucket.put("masters/photo.jpg", jpeg_photo(SIZE), {})
    bucket.put("masters/a/moving.gif", animation("GIF", 3, SIZE), {})
    found = Deployment.of(bucket)
    yield found
    found.close()
    if request.param == "s3":
        s3 = request.getfixturevalue("aws")("s3")
        for name in names(bucket):
            s3.delete_object(Bucket="attacked", Key=name)
        s3.delete_bucket(Bucket="attacked")


def names(bucket: FastBucket, prefix: str = "") -> list[str]:
    return sorted(found["path"] for page in obstore.list(bucket._store, prefix or None) for found in page)


def check_bounds(bucket: FastBucket, tally: Tally) -> None:
    """Every object is one of the finite set, the one copy of a large one, IIIF's, or the marker of its source."""
    others = [name for name in names(bucket) if not name.startswith("derivatives/")]
    assert others == sorted(f"masters/{key}" for key in KEYS)
    for key in KEYS:
        objects = [name.removeprefix("derivatives/") for name in names(bucket, f"derivatives/{key}/_")]
        tally.add("objects", len(objects))
        finite = {derivative_name(plan) for plan in list_unsigned_variants(key, load_default_presets())}
        assert len(finite) == NUMBER
        copies = [name for name in objects if name.endswith(".large")]
        markers = [name for name in objects if name.endswith("/refusal.json")]
        listed = set(objects) - finite - {*copies, *markers}
        assert len(markers) <= 1
        assert len(listed) <= count_images(SIZE, SizeLimits()), sorted(listed)
        assert all(parse_path("/" + name).format == "jpeg" for name in listed), "IIIF's, as info.json lists them"
        large = [name for name in objects if (bucket_size(bucket, name)) > LARGE_BYTES and name not in copies]
        assert len(copies) <= len(large), "one copy per large variant"
        tally.add("copies", len(copies))
    known = sum(len(names(bucket, f"derivatives/{key}/_")) for key in KEYS)
    assert len(names(bucket, "derivatives")) == known, "nothing is stored for keys without a master"


def bucket_size(bucket: FastBucket, name: str) -> int:
    return int(obstore.head(bucket._store, f"derivatives/{name}")["size"])


def test_unsigned_urls_of_all_dialects_store_a_finite_set(
    deployment: Deployment, tally: Tally, request: pytest.FixtureRequest
) -> None:
    on_s3 = "s3" in request.node.name
    for sent in unsigned_urls(18 + on_s3, URLS_ON_S3 if on_s3 else URLS, KEYS):
        tally.add("requests")
        status = deployment.send(sent)
        assert status < 500 or status == 501, sent
    tally.add("invocations", deployment.invocations)
    for status, times in deployment.statuses.items():
        tally.add(f"responses {status}", times)
    assert deployment.statuses[200] > 100
    assert deployment.statuses[302] > 10, "large ones"
    check_bounds(deployment.bucket, tally)


def combinations() -> Iterator[Sent]:
    """12,240 native combinations of width, format, ratio, rights and headers, and all presets and data formats."""
    widths = (*LADDER_PX, 319, 321, 641, 1000, 2048, 4096, 8192)
    formats = ("auto", "jpeg", "png", "webp", "avif", "gif")
    hints = ({}, {"dpr": "1.5"}, {"dpr": "2"}, {"sec-ch-dpr": "3"}, {"sec-ch-dpr": "4"})
    saving = ({}, {"save-data": "on"})
    accepts = ("*/*", "image/webp,*/*", "image/avif,image/webp,*/*")
    rights = ("", "&meta=rights")
    for width, name, accept, save, hint, ratio, meta in product(
        widths, formats, accepts, saving, hints, ("", "&dpr=2"), rights
    ):
        yield Sent("native", f"/photo.jpg?w={width}&f={name}{ratio}{meta}", {"accept": accept, **save, **hint})
    presets = (f"preset={name}" for name in load_default_presets().options)
    for query, accept, save, meta in product(("", "f=json", "f=thumbhash", *presets), accepts, saving, rights):
        yield Sent("native", f"/photo.jpg?{query}{meta}", {"accept": accept, **save})


def test_unsigned_native_combinations_store_exactly_the_finite_set(deployment: Deployment, tally: Tally) -> None:
    for sent in combinations():
        tally.add("requests")
        assert deployment.send(sent) in (200, 302, 400, 403), sent
    found = {name.removeprefix("derivatives/") for name in names(deployment.bucket, "derivatives/photo.jpg/_")}
    tally.add("objects", len(found))
    assert found == {derivative_name(plan) for plan in list_unsigned_variants("photo.jpg", load_default_presets())}
    assert len(found) == NUMBER


def test_every_unsigned_request_is_served_and_stays_in_the_set(deployment: Deployment, tally: Tally) -> None:
    """The finite set is reachable: a guard that refused everything would pass the other tests."""
    for plan, accept in product(list_unsigned_requests("photo.jpg", load_default_presets()), ACCEPTS):
        query = "&".join(filter(None, (f"w={plan.width}" if plan.width else "", f"f={plan.format}")))
        if plan.width in LADDER_PX and not plan.height:
            tally.add("requests")
            assert deployment.send(Sent("native", f"/photo.jpg?{query}", {"accept": accept})) in (200, 302)
    assert deployment.statuses.keys() <= {200, 302}


def test_requested_ages_make_no_copies(deployment: Deployment, tally: Tally) -> None:
    """The audit's attack: ages in thumbor's filter and in DIT's Cache-Control, for one large variant."""
    for age in range(300):
        document = {"key": "photo.jpg", "headers": {"Cache-Control": f"max-age={age}"}}
        encoded = b64encode(json.dumps(document).encode()).decode()
        for target in (f"/dit/{encoded}", f"/thumbor/unsafe/filters:max_age({age})/photo.jpg"):
            tally.add("requests")
            assert deployment.send(Sent(target[1:4], target, {"accept": "*/*"})) == 302
    found = names(deployment.bucket, "derivatives/photo.jpg/_")
    tally.add("objects", len(found))
    assert sorted(name.endswith(".large") for name in found) == [False, True]
