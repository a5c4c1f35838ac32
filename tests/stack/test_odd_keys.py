"""Keys of any characters and of 700 bytes: served, purged and erased through a CDN whose origins verify signatures."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from darkroom.image_keys import encode_key, quote_key
from tests.images.photographs import jpeg_photo
from tests.odd_keys import odd_keys
from tests.waiting import wait_until

from .conftest import Stack
from .operating import Operator
from .viewer import Viewer

PLAIN = re.compile(r"[A-Za-z0-9/._-]+\*?")
"""The alphabet of object names and invalidation paths."""

WITHIN_S = 1800.0
QUERY = "?w=320&f=png"
"""A variant that ingest does not create."""

FIRST, SECOND = (480, 320), (480, 300)


@pytest.fixture
def operator(stack: Stack, tmp_path: Path) -> Operator:
    return Operator(stack, tmp_path)


def upload(operator: Operator, keys: list[str], size: tuple[int, int]) -> None:
    """Upload a photo under each key, and wait until all are ingested."""
    known = operator.index.get_many(keys)
    body, bucket = jpeg_photo(size), operator.info["uploads_bucket"]
    for key in keys:
        operator.stack.cloud.s3.put_object(Bucket=bucket, Key=key, Body=body)

    def left() -> list[str]:
        found = operator.index.get_many(keys)
        return [
            key
            for key in keys
            if key not in found
            or not found[key].done
            or (key in known and found[key].sequencer <= known[key].sequencer)
        ]

    wait_until(lambda: not left(), lambda: f"ready: {left()[:3]}", WITHIN_S, every_s=1.0)
    states = {key: record.state for key, record in operator.index.get_many(keys).items()}
    assert {key for key, state in states.items() if state != "ready"} == set()


def path_of(key: str) -> str:
    return f"/{quote_key(key)}{QUERY}"


def in_parallel[T](act: Callable[[str], T], keys: Iterable[str]) -> list[T]:
    with ThreadPoolExecutor(4) as pool:
        return list(pool.map(act, keys))


def serve(viewer: Viewer, keys: list[str]) -> dict[str, bytes]:
    """Get a variant of each key twice: rendered, then from the CDN."""

    def get(key: str) -> bytes:
        first, second = viewer.get(path_of(key)), viewer.again(path_of(key))
        assert (first.status, second.status) == (200, 200), (key, first.body[:300])
        assert (second.cache, second.body) == ("Hit", first.body), key
        return first.body

    return dict(zip(keys, in_parallel(get, keys), strict=True))


def names(operator: Operator, keys: Iterable[str]) -> list[str]:
    """The names of all objects in the media bucket that belong to ``keys``."""
    pages = operator.stack.cloud.s3.get_paginator("list_objects_v2").paginate(Bucket=operator.stack.media_bucket)
    listed = [found["Key"] for page in pages for found in page.get("Contents", [])]
    encoded = {encode_key(key) for key in keys}
    return [name for name in listed if _key_in(name) in encoded]


def _key_in(name: str) -> str:
    prefix, _, rest = name.partition("/")
    return rest.partition("/_/")[0] if prefix == "derivatives" else rest


def invalidation_paths(operator: Operator) -> list[str]:
    cloudfront, of = operator.stack.cloud.cloudfront, operator.stack.distribution_id
    listed = cloudfront.list_invalidations(DistributionId=of)["InvalidationList"].get("Items", [])
    found = [cloudfront.get_invalidation(DistributionId=of, Id=one["Id"])["Invalidation"] for one in listed]
    return [path for one in found for path in one["InvalidationBatch"]["Paths"]["Items"]]


def forget(operator: Operator, key: str, *, check: bool = False) -> dict[str, Any]:
    answer = operator.stack.cloud.functions.invoke(
        FunctionName=operator.info["functions"]["ForgetFunction"]["name"],
        Payload=json.dumps({"key": key, "check": check}).encode(),
    )
    return dict(json.loads(answer["Payload"].read()))


def refusals(viewer: Viewer, keys: Iterable[str]) -> list[str]:
    """Paths of ``keys`` that the Function URL refused because of their signature."""
    encoded = [encode_key(key) for key in keys]
    refused = [call["path"] for call in viewer.journal() if (call["kind"], call["status"]) == ("lambda", 403)]
    return [path for path in refused if any(f"/{key}/_/" in path for key in encoded)]


@pytest.mark.slow
@pytest.mark.smoke
def test_odd_keys_are_served(operator: Operator, viewer: Viewer) -> None:
    keys = [f"odd/{key}" for key in ("é ~ [1].jpg", "50%25+@.-2D.jpg", "🐈/写真.jpg")]
    upload(operator, keys, FIRST)
    serve(viewer, keys)
    assert refusals(viewer, keys) == []
    found = names(operator, keys)
    assert {_key_in(name) for name in found if name.startswith("derivatives/")} == set(map(encode_key, keys))
    assert [name for name in found if not PLAIN.fullmatch(name)] == []


def test_two_hundred_odd_keys_are_served_purged_and_erased(operator: Operator, viewer: Viewer) -> None:
    keys = odd_keys()
    assert len(keys) == 200
    upload(operator, keys, FIRST)
    before = serve(viewer, keys)
    found = names(operator, keys)
    assert len({_key_in(name) for name in found if name.startswith("derivatives/")}) == len(keys)
    assert [name for name in found if not PLAIN.fullmatch(name)] == []

    upload(operator, keys, SECOND)
    wait_until(lambda: not operator.waiting("purge"), "all purges are done", WITHIN_S, every_s=1.0)
    operator.stack.refresh_cdn()
    after = serve(viewer, keys)
    assert [key for key in keys if after[key] == before[key]] == []

    reports = in_parallel(lambda key: forget(operator, key), keys)
    assert {report["status"] for report in reports} == {"pending_invalidation"}
    wait_until(
        lambda: {forget(operator, key, check=True)["status"] for key in keys} == {"complete"},
        "all erasures are complete",
        WITHIN_S,
        every_s=5.0,
    )
    operator.stack.refresh_cdn()
    assert {viewer.get(path_of(key)).status for key in keys} == {404}
    assert names(operator, keys) == []
    assert refusals(viewer, keys) == []
    paths = invalidation_paths(operator)
    assert {f"/{encode_key(key)}/_/*" for key in keys} <= set(paths)
    assert [path for path in paths if not PLAIN.fullmatch(path) and path != "/*"] == []
    assert operator.waiting("purge_dead_letters") == 0
