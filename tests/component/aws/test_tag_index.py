"""Images by tag: complete, in pages, and without traces after a deletion."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import pytest

from darkroom.errors import Unavailable
from darkroom.findings import VECTOR_TASKS
from darkroom_pipeline.aws.tag_index import MAX_TAG_BYTES, MAX_TAGS, TagIndex, fold_tag
from darkroom_pipeline.aws.vectors import StoredVector
from darkroom_pipeline.aws.vectors.dynamodb import DynamoDBVectors

from .similar import direction, make_vector_table

_numbers = itertools.count(1)
ROME, OSLO = "trips/rome.jpg", "trips/oslo.jpg"


@pytest.fixture
def table(aws: Callable[[str], Any]) -> str:
    name = f"tags-{next(_numbers)}"
    make_vector_table(aws("dynamodb"), name)
    return name


@pytest.fixture
def tags(aws: Callable[[str], Any], table: str) -> TagIndex:
    return TagIndex(aws("dynamodb"), table)


def items(aws: Callable[[str], Any], table: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = aws("dynamodb").scan(TableName=table)["Items"]
    return found


def keys(tags: TagIndex, tag: str, *, prefix: str = "trips/", after: str = "", limit: int = 100) -> list[str]:
    return [image.key for image in tags.list_page(tag, prefix=prefix, after=after, limit=limit)]


def test_an_image_is_found_by_each_of_its_tags(tags: TagIndex) -> None:
    tags.put(ROME, {"bridge": 0.91234, "river": 0.5}, "e1")
    tags.put(OSLO, {"bridge": 0.8}, "e2")
    assert tags.get(ROME) == ("bridge", "river")
    assert keys(tags, "river") == [ROME]
    oslo, rome = tags.list_page("bridge", prefix="trips/", limit=10)
    assert (oslo.key, oslo.score, oslo.source_etag) == (OSLO, 0.8, "e2")
    assert (rome.key, rome.score, rome.source_etag) == (ROME, 0.9123, "e1")
    assert keys(tags, "bri") == keys(tags, "bridges") == keys(tags, "") == []


def test_new_tags_replace_the_earlier_ones(tags: TagIndex, aws: Callable[[str], Any], table: str) -> None:
    tags.put(ROME, {"bridge": 0.9, "river": 0.5}, "e1")
    tags.put(ROME, {"river": 0.6, "castle": 0.4}, "e2")
    assert tags.get(ROME) == ("castle", "river")
    assert keys(tags, "bridge") == []
    [river] = tags.list_page("river", prefix="trips/", limit=1)
    assert (river.score, river.source_etag) == (0.6, "e2")
    tags.put(ROME, {}, "e3")
    assert items(aws, table) == []


def test_nothing_is_left_of_a_deleted_image(tags: TagIndex, aws: Callable[[str], Any], table: str) -> None:
    tags.put(ROME, {"bridge": 0.9, "river": 0.5}, "e1")
    tags.put(OSLO, {"bridge": 0.9}, "e1")
    assert tags.delete(ROME) == 2
    assert tags.delete(ROME) == tags.delete("never.jpg") == 0
    assert keys(tags, "bridge") == [OSLO]
    assert not [item for item in items(aws, table) if ROME in item["sk"]["S"]]


def test_a_prefix_bounds_what_is_found(tags: TagIndex) -> None:
    every = ["trips/a.jpg", "trips/rome/b.jpg", "trips0", "tripsx/a.jpg", "a/trips/a.jpg", "trips.jpg", "trips"]
    for key in every:
        tags.put(key, {"bridge": 0.9}, "e1")
    assert keys(tags, "bridge") == ["trips/a.jpg", "trips/rome/b.jpg"]
    assert keys(tags, "bridge", prefix="trips/rome/") == ["trips/rome/b.jpg"]
    assert keys(tags, "bridge", prefix="trips/a.jpg") == ["trips/a.jpg"]  # a token for one key
    assert keys(tags, "bridge", prefix="trips") == ["trips"]


@pytest.mark.parametrize("limit", [1, 3, 7, 50])
def test_pages_have_each_image_once(tags: TagIndex, limit: int) -> None:
    every = sorted([f"trips/{number}.jpg" for number in range(20)] + ["trips/ü/50%.jpg", "trips/a b.jpg"])
    for key in every:
        tags.put(key, {"bridge": 0.9}, "e1")
    found: list[str] = []
    while page := keys(tags, "bridge", after=found[-1] if found else "", limit=limit):
        assert len(page) <= limit
        found += page
    assert found == every


@pytest.mark.parametrize(
    ("tag", "asked"),
    [
        ("Sports Car", "sports car"),
        ("Stra\u00dfe", "STRASSE"),
        ("Cafe\u0301", "caf\u00e9"),
        ("tower  bridge", " tower\nbridge "),
    ],
)
def test_spellings_of_a_tag_are_one(tags: TagIndex, tag: str, asked: str) -> None:
    tags.put(ROME, {tag: 0.9}, "e1")
    assert keys(tags, asked) == [ROME]
    assert fold_tag(fold_tag(tag)) == fold_tag(asked)


def test_spellings_of_one_image_are_one_tag_with_the_best_score(tags: TagIndex) -> None:
    tags.put(ROME, {"Bridge": 0.4, "bridge": 0.7}, "e1")
    [found] = tags.list_page("BRIDGE", prefix="trips/", limit=10)
    assert found.score == 0.7


def test_an_image_has_a_bounded_number_of_tags(tags: TagIndex) -> None:
    first = {f"old {number}": number / 100 for number in range(100)}
    second = {f"new {number}": number / 100 for number in range(100)}
    for some in (first, second):
        tags.put(ROME, some, "e1")
        assert set(tags.get(ROME)) == {name for name, score in some.items() if score >= (100 - MAX_TAGS) / 100}
    tags.put(ROME, {"x" * MAX_TAG_BYTES: 0.5, "y" * (MAX_TAG_BYTES + 1): 0.6, " ": 0.7}, "e1")
    assert tags.get(ROME) == ("x" * MAX_TAG_BYTES,)


def test_the_longest_key_and_tag_fit(tags: TagIndex) -> None:
    key = "trips/" + "\u00fc" * 347
    tags.put(key, {"\u00fc" * (MAX_TAG_BYTES // 2): 0.9}, "e1")
    assert keys(tags, "\u00fc" * (MAX_TAG_BYTES // 2)) == [key]


def test_another_worker_at_the_same_time_leaves_the_tags_of_one(aws: Callable[[str], Any], table: str) -> None:
    """The other one writes between the read and the transaction; its tags are deleted then, and none is orphaned."""
    other, client = TagIndex(aws("dynamodb"), table), aws("dynamodb")
    other.put(ROME, {"first": 0.9}, "e1")
    writes = iter([{"second": 0.9}, {}, {"third": 0.9, "fourth": 0.9}])

    def meanwhile(**_: Any) -> None:
        if (tags := next(writes, None)) is not None:
            other.put(ROME, tags, "e1")

    client.meta.events.register("before-call.dynamodb.TransactWriteItems", meanwhile)
    TagIndex(client, table).put(ROME, {"bridge": 0.9}, "e2")
    assert other.get(ROME) == ("bridge",)
    assert len(items(aws, table)) == 2  # the list, and the tag


def test_tags_and_embeddings_share_a_table(tags: TagIndex, aws: Callable[[str], Any], table: str) -> None:
    stores = [DynamoDBVectors(aws("dynamodb"), table, task) for task in VECTOR_TASKS]
    for store in stores:
        store.put(StoredVector(ROME, direction(1), "e1", model="m/1"))
    tags.put(ROME, {"bridge": 0.9}, "e1")
    for store in stores:
        assert [near.key for near in store.nearest(direction(1), count=9, prefix="", model="m/1")] == [ROME]
        store.delete(ROME)
    assert keys(tags, "bridge") == [ROME]


def test_a_table_that_does_not_answer_is_unavailable(aws: Callable[[str], Any]) -> None:
    gone = TagIndex(aws("dynamodb"), "no-such-table")
    for ask in (
        lambda: gone.put(ROME, {"a": 0.5}, "e1"),
        lambda: gone.get(ROME),
        lambda: gone.delete(ROME),
        lambda: gone.list_page("a", prefix="trips/", limit=1),
    ):
        with pytest.raises(Unavailable):
            ask()
