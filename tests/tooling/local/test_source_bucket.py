"""The console and the index of the local pages with masters in an existing bucket."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast
from unittest.mock import Mock

import pytest

from darkroom.image_keys import ObjectNames
from darkroom_pipeline.aws.findings_store import FindingsStore
from darkroom_pipeline.aws.index import Index
from darkroom_pipeline.aws.record import HELD, READY, Record, to_item
from darkroom_pipeline.aws.s3 import S3Bucket
from local.aws import Cloud
from local.console_api.image_index import SOURCE, ImageIndex
from local.control_pages import MAX_KEYS, ControlPages
from local.deploy import _ensure_source_bucket
from local.stack_info import StackInfo

_numbers = itertools.count(1)
NAMES = ObjectNames("originals/", encoded=False)


@pytest.fixture
def cloud(ministack_url: str) -> Cloud:
    return Cloud(ministack_url)


@pytest.fixture
def photos(cloud: Cloud) -> S3Bucket:
    """An existing bucket, as the start of the local stack creates it."""
    name = f"own-photos-{next(_numbers)}"
    _ensure_source_bucket(cloud, [f"SourceBucket={name}", "SourcePrefix=originals/"])
    _ensure_source_bucket(cloud, [f"SourceBucket={name}"])
    return S3Bucket(cloud.s3, name)


def put(photos: S3Bucket, *keys: str) -> None:
    for key in keys:
        photos.put(NAMES.name(key), b"image", headers={}, metadata={})


@pytest.fixture
def index(cloud: Cloud, photos: S3Bucket, aws: Callable[[str], Any]) -> ImageIndex:
    table = f"index-of-{photos.bucket}"
    aws("dynamodb").create_table(
        TableName=table,
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        BillingMode="PAY_PER_REQUEST",
    )
    archive = cast(FindingsStore, SimpleNamespace(read_record=lambda key: SimpleNamespace(findings=None)))
    return ImageIndex(cloud, table, Index(cloud.dynamodb, table), archive, (photos, NAMES))


def put_record(index: ImageIndex, record: Record) -> None:
    index.cloud.dynamodb.put_item(TableName=index.table, Item=to_item(record))


def keys(page: dict[str, Any]) -> list[tuple[str, str]]:
    return [(row["key"], row["state"]) for row in page["rows"]]


def test_the_bucket_of_the_local_stack_has_events(cloud: Cloud, photos: S3Bucket) -> None:
    configuration = cloud.s3.get_bucket_notification_configuration(Bucket=photos.bucket)
    assert "EventBridgeConfiguration" in configuration
    _ensure_source_bucket(cloud, ["Size=small"])


def test_start_page_and_console_list_images_of_the_source(cloud: Cloud, photos: S3Bucket) -> None:
    put(photos, "a é.jpg", "trips/b.PNG", "notes.txt", "folder/")
    photos.put("beside.jpg", b"image", headers={}, metadata={})
    info = SimpleNamespace(media_bucket="media", outputs={"MastersUri": f"s3://{photos.bucket}/{NAMES.prefix}"})
    pages = ControlPages(cloud, cast(StackInfo, info), Mock(), Mock(), Path())
    answer = cast(Any, asyncio.run(pages.photographs(Mock())))
    assert sorted(json.loads(answer.body)) == ["a é.jpg", "trips/b.PNG"]
    assert MAX_KEYS == 200


def test_the_index_lists_the_source_with_records_that_there_are(index: ImageIndex, photos: S3Bucket) -> None:
    put(photos, *(f"{number}.jpg" for number in range(5)), "trips/é.jpg")
    put_record(index, Record("2.jpg", READY, "0A"))
    put_record(index, Record("held.jpg", HELD, "0A"))
    rows, after = list[tuple[str, str]](), ""
    for _ in range(3):
        page = index.page("", "", after, 2)
        assert len(page["rows"]) == 2
        rows += keys(page)
        after = page["next"]
    assert after is None
    assert rows == [(f"{number}.jpg", READY if number == 2 else SOURCE) for number in range(5)] + [
        ("trips/é.jpg", SOURCE)
    ]
    assert keys(index.page("trips/", "", "", 10)) == [("trips/é.jpg", SOURCE)]
    assert [key for key, _ in keys(index.page("", SOURCE, "", 10))] == [
        "0.jpg",
        "1.jpg",
        "3.jpg",
        "4.jpg",
        "trips/é.jpg",
    ]
    assert keys(index.page("", HELD, "", 10)) == [("held.jpg", HELD)]


def test_an_object_without_a_record_is_described_by_its_head(index: ImageIndex, photos: S3Bucket) -> None:
    put(photos, "a.jpg")
    found = index.record("a.jpg")
    assert found is not None
    assert (found["state"], found["size_bytes"]) == (SOURCE, 5)
    assert index.record("absent.jpg") is None
    assert index.record("") is None


@pytest.mark.slow
def test_without_a_source_bucket_the_index_is_the_table_alone(index: ImageIndex, photos: S3Bucket) -> None:
    put(photos, "a.jpg")
    own = replace(index, source=None)
    put_record(own, Record("b.jpg", READY, "0A"))
    assert keys(own.page("", "", "", 10)) == [("b.jpg", READY)]
    assert own.record("a.jpg") is None
