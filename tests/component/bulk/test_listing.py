"""List each key once, from a prefix, an S3 Inventory or a list; refuse invalid requests."""

from __future__ import annotations

import csv
import gzip
import io
import json
from typing import Any
from urllib.parse import quote_plus

import pytest

from darkroom.errors import BadRun
from darkroom.image_keys import MASTERS
from darkroom_pipeline.bulk.job import Batch, parse_batches
from darkroom_pipeline.bulk.messages import JobSpec, Operation, parse_request, parse_spec, spec_document

from .jobs import BulkJobs

PRESETS = {"operation": "presets"}
SCHEMA = "Bucket, Key, VersionId, IsLatest, IsDeleteMarker, Size"


def put(runs: BulkJobs, key: str, body: bytes, bucket: str = "media") -> str:
    runs.env.clients["s3"].put_object(Bucket=runs.env.names[bucket], Key=key, Body=body)
    return f"s3://{runs.env.names[bucket]}/{key}"


def keys(runs: BulkJobs, order: dict[str, Any], name: str = "one") -> list[str]:
    return [key for _, some in runs.listed(name, order) for key in some]


def inventory(runs: BulkJobs, rows: list[tuple[str, str, str]], **changed: Any) -> str:
    """An inventory of the masters' bucket: keys, whether each is the latest, and whether it is a delete marker."""
    bucket, text = runs.env.names["media"], io.StringIO()
    csv.writer(text, quoting=csv.QUOTE_ALL).writerows(
        (bucket, quote_plus(key, safe="/"), "v", latest, marker, "9") for key, latest, marker in rows
    )
    put(runs, "inventory/data/1.csv.gz", gzip.compress(text.getvalue().encode()))
    manifest = {
        "sourceBucket": bucket,
        "destinationBucket": f"arn:aws:s3:::{bucket}",
        "fileFormat": "CSV",
        "fileSchema": SCHEMA,
        "files": [{"key": "inventory/data/1.csv.gz", "size": 1}],
    }
    return put(runs, "inventory/manifest.json", json.dumps(manifest | changed).encode())


def test_a_prefix_is_listed_in_batches_without_folders(runs: BulkJobs) -> None:
    for key in ("masters/a/1.jpg", "masters/a/2.jpg", "masters/a/3.jpg", "masters/a/sub/", "masters/b/4.jpg"):
        put(runs, key, b"")
    found = runs.listed("one", PRESETS | {"prefix": "a/"}, batch=2)
    assert found == [("000000", ("a/1.jpg", "a/2.jpg")), ("000001", ("a/3.jpg",))]


def test_more_workers_than_the_deployment_allows_are_not_given(runs: BulkJobs) -> None:
    for asked, given in ((0, 8), (3, 3), (500, 8)):
        answer = runs.step("list", f"run-{asked}", PRESETS, concurrency=asked)
        assert answer["concurrency"] == given


def test_an_inventory_is_read_without_old_versions_and_only_of_masters(runs: BulkJobs) -> None:
    rows = [
        (MASTERS.name("ü +%.jpg"), "true", "false"),
        ("masters/old.jpg", "false", "false"),
        ("masters/gone.jpg", "true", "true"),
        ("derivatives/x", "true", "false"),
        ("masters/a/1.jpg", "true", "false"),
        ("masters/a/1.jpg", "true", "false"),
    ]
    address = inventory(runs, rows)
    assert keys(runs, PRESETS | {"inventory": address}) == ["ü +%.jpg", "a/1.jpg"]
    assert keys(runs, PRESETS | {"inventory": address, "prefix": "a/"}, "two") == ["a/1.jpg"]


def test_keys_of_masters_are_decoded_and_other_names_are_left_out(runs: BulkJobs) -> None:
    for name in (MASTERS.name("ä.b/1.jpg"), MASTERS.name("ä. b/1.jpg"), "masters/ä.", "masters/.-C3A4..-2Eraw"):
        put(runs, name, b"picture")
    assert keys(runs, PRESETS | {"prefix": "ä."}) == ["ä. b/1.jpg", "ä.b/1.jpg"]
    assert keys(runs, PRESETS | {"prefix": "ä.b"}, "two") == ["ä.b/1.jpg"]


@pytest.mark.sample(3)
@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"fileFormat": "Parquet"}, "Parquet cannot be read"),
        ({"fileFormat": "ORC"}, "ORC cannot be read"),
        ({"sourceBucket": "another"}, "is of another"),
        ({"fileSchema": "Bucket, Size"}, "no column Key"),
        ({"files": [{"key": "inventory/manifest.json"}]}, "cannot be read"),
        ({"files": [{"key": "nowhere"}]}, "nothing at"),
    ],
)
def test_an_inventory_that_cannot_be_read_is_refused_by_name(runs: BulkJobs, changed: Any, words: str) -> None:
    address = inventory(runs, [("masters/a.jpg", "true", "false")], **changed)
    with pytest.raises(BadRun, match=words):
        keys(runs, PRESETS | {"inventory": address})
    assert not runs.env.keys("media", runs.run("one").listing_key)


@pytest.mark.sample(3)
@pytest.mark.parametrize("address", ["manifest.json", "https://x/y", "s3://bucket", "s3://bucket/a?b"])
def test_what_is_no_address_is_refused(runs: BulkJobs, address: str) -> None:
    with pytest.raises(BadRun, match="s3://bucket/key"):
        keys(runs, PRESETS | {"keys": address})


def test_a_list_of_keys_is_taken_as_it_is_and_names_what_is_missing(runs: BulkJobs) -> None:
    address = put(runs, "list.txt", "a%20b.jpg\nü\u2028.jpg\r\n\na%20b.jpg\nother/c.jpg\n".encode())
    assert keys(runs, PRESETS | {"keys": address}) == ["a%20b.jpg", "ü\u2028.jpg", "other/c.jpg"]
    order = PRESETS | {"keys": address, "prefix": "other/"}
    assert runs.all("two", order) == {"other/c.jpg": "missing"}


@pytest.mark.parametrize(
    ("event", "field"),
    [
        ({"action": "list", "run": "r", "order": {"operation": "sharpen"}}, "operation"),
        ({"action": "dance", "run": "r", "order": PRESETS}, "action"),
        ({"action": "list", "run": 7, "order": PRESETS}, "run"),
        ({"action": "list", "run": "r", "order": PRESETS, "batch": 0}, "batch"),
        ({"action": "list", "run": "r", "order": PRESETS, "tolerated": 101}, "tolerated"),
        ({"action": "list", "run": "r", "order": PRESETS, "concurrency": "9"}, "concurrency"),
        ({"action": "list", "run": "r", "order": PRESETS | {"prefx": "a"}}, "order"),
        ({"action": "list", "run": "r", "order": PRESETS | {"inventory": "s3://a/b", "keys": "s3://a/b"}}, "inventory"),
        ({"action": "list", "run": "r", "order": {"operation": "ingest", "into": "a/"}}, "into"),
    ],
)
def test_a_request_that_makes_no_sense_is_refused_with_its_field(event: dict[str, Any], field: str) -> None:
    with pytest.raises(BadRun) as refusal:
        parse_request(event)
    assert refusal.value.field == field


@pytest.mark.parametrize("name", ["", "Upper", "-a", "a-", "a/b", "a" * 41, "ü"])
def test_a_bad_name_of_a_run_is_refused(runs: BulkJobs, name: str) -> None:
    with pytest.raises(BadRun, match="name"):
        runs.run(name)


def test_orders_and_batches_are_read_as_they_were_written() -> None:
    order = JobSpec(Operation.INGEST, "a/", keys="s3://b/c", source="photos", into="x/", again=True)
    assert parse_spec(spec_document(order)) == order
    batches = [Batch("000000", ("a\u2028b\x85.jpg", 'c"\n\\.jpg')), Batch("000001", ("d.jpg",))]
    assert [*parse_batches("".join(f"{batch.to_line}\n" for batch in batches))] == batches
