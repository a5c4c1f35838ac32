"""The contract of every embedding store, and the specifics of each."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from zlib import crc32

import pytest

from darkroom.environment import VectorEnvironment
from darkroom.errors import Unavailable
from darkroom.findings import LIKENESS, SIMILARITY, VECTOR_TASKS
from darkroom_pipeline.aws.vectors import MAX_COUNT, StoredVector, VectorStore
from darkroom_pipeline.aws.vectors.dynamodb import SHARDS, DynamoDBVectors
from darkroom_pipeline.aws.vectors.factory import open_vectors
from darkroom_pipeline.aws.vectors.s3_vectors import MAX_FOLDERS, UNFILTERED, S3Vectors

from .s3vectors import INDEX_ARN, LIKENESS_ARN, VectorIndex, serving
from .similar import DIMENSIONS, direction, make_vector_table, towards

_numbers = itertools.count(1)
type Stores = Mapping[str, DynamoDBVectors | S3Vectors]
ROME, OSLO, BRIG = direction(1), direction(2), direction(3)


@pytest.fixture
def table(aws: Callable[[str], Any]) -> DynamoDBVectors:
    return tables(aws)[SIMILARITY]


def tables(aws: Callable[[str], Any]) -> dict[str, DynamoDBVectors]:
    """The stores of all tasks in one table."""
    name = f"vectors-{next(_numbers)}"
    make_vector_table(aws("dynamodb"), name)
    return {task: DynamoDBVectors(aws("dynamodb"), name, task) for task in VECTOR_TASKS}


@pytest.fixture
def service() -> VectorIndex:
    return VectorIndex(DIMENSIONS, UNFILTERED)


@pytest.fixture
def managed(service: VectorIndex, aws_environment: dict[str, str]) -> Iterator[S3Vectors]:
    with opened(service, VectorIndex(1280, UNFILTERED), aws_environment) as stores:
        store = stores[SIMILARITY]
        assert isinstance(store, S3Vectors)
        yield store


@contextmanager
def opened(copies: VectorIndex, likeness: VectorIndex, aws_environment: dict[str, str]) -> Iterator[Stores]:
    """The stores of all tasks in indexes of S3 Vectors."""
    with serving({INDEX_ARN: copies, LIKENESS_ARN: likeness}) as url:
        indexes = {"VECTOR_INDEX": INDEX_ARN, "LIKENESS_INDEX": LIKENESS_ARN}
        where = {"AWS_ENDPOINT_URL_S3VECTORS": url, "SIMILARITY_STORE": "s3vectors"} | indexes
        yield open_vectors(VectorEnvironment({**aws_environment, "MEDIA_BUCKET": "media", **where}), None)


@pytest.fixture(params=["table", "managed"])
def vectors(request: pytest.FixtureRequest) -> VectorStore:
    return request.getfixturevalue(request.param)  # type: ignore[no-any-return]


def put(vectors: VectorStore, key: str, vector: tuple[float, ...], **changes: str) -> None:
    texts = {"source_etag": "e1", "perceptual_hash": "00ff00ff00ff00ff", "generation": "1", "model": "sscd/1"}
    vectors.put(StoredVector(key, vector, **(texts | changes)))


def nearest(vectors: VectorStore, vector: tuple[float, ...], count: int = 10, prefix: str = "") -> list[str]:
    return [near.key for near in vectors.nearest(vector, count=count, prefix=prefix, model="sscd/1")]


def test_what_was_put_is_there(vectors: VectorStore) -> None:
    assert vectors.get("trips/rome.jpg") is None
    put(vectors, "trips/rome.jpg", ROME)
    found = vectors.get("trips/rome.jpg")
    assert found is not None
    assert (found.key, found.source_etag, found.generation, found.model) == ("trips/rome.jpg", "e1", "1", "sscd/1")
    assert found.perceptual_hash == "00ff00ff00ff00ff"
    assert found.vector == pytest.approx(ROME, abs=0.001)


@pytest.mark.slow
def test_a_later_vector_takes_the_place(vectors: VectorStore) -> None:
    put(vectors, "rome.jpg", ROME)
    put(vectors, "rome.jpg", OSLO, source_etag="e2", generation="2", perceptual_hash="")
    found = vectors.get("rome.jpg")
    assert found is not None
    assert (found.source_etag, found.generation, found.perceptual_hash) == ("e2", "2", "")
    [near] = vectors.nearest(OSLO, count=5, prefix="", model="sscd/1")
    assert near.score == pytest.approx(1, abs=0.001)


@pytest.mark.slow
def test_what_is_deleted_is_not_found(vectors: VectorStore) -> None:
    put(vectors, "rome.jpg", ROME)
    put(vectors, "oslo.jpg", OSLO)
    vectors.delete("rome.jpg")
    vectors.delete("never.jpg")
    assert vectors.get("rome.jpg") is None
    assert nearest(vectors, ROME) == ["oslo.jpg"]


@pytest.mark.slow
def test_the_nearest_come_first_with_the_cosine_as_their_score(vectors: VectorStore) -> None:
    scores = {"same.jpg": 1.0, "close.jpg": 0.9, "kin.jpg": 0.5, "none.jpg": 0.0, "opposite.jpg": -0.8}
    for key, score in reversed(scores.items()):
        put(vectors, key, towards(ROME, OSLO, score), perceptual_hash=f"{len(key):016x}")
    found = vectors.nearest(ROME, count=10, prefix="", model="sscd/1")
    assert [near.key for near in found] == list(scores)
    assert [near.score for near in found] == pytest.approx(list(scores.values()), abs=0.003)
    assert [near.perceptual_hash for near in found] == [f"{len(key):016x}" for key in scores]
    assert nearest(vectors, ROME, count=2) == ["same.jpg", "close.jpg"]


@pytest.mark.slow
def test_a_prefix_bounds_what_is_found(vectors: VectorStore) -> None:
    keys = ["a.jpg", "trips.jpg", "trips/a.jpg", "trips/rome/b.jpg", "tripsx/a.jpg", "other/trips/a.jpg"]
    for number, key in enumerate(keys):
        put(vectors, key, towards(ROME, OSLO, 0.9 - number / 10))
    assert nearest(vectors, ROME, prefix="trips/") == ["trips/a.jpg", "trips/rome/b.jpg"]
    assert nearest(vectors, ROME, prefix="trips/rome/") == ["trips/rome/b.jpg"]
    assert nearest(vectors, ROME, prefix="nothing/") == []
    assert nearest(vectors, ROME) == keys


@pytest.mark.slow
def test_vectors_of_another_model_are_not_compared(vectors: VectorStore) -> None:
    put(vectors, "rome.jpg", ROME)
    put(vectors, "small.jpg", ROME, model="sscd-small/1")
    assert nearest(vectors, ROME) == ["rome.jpg"]
    assert [near.key for near in vectors.nearest(ROME, count=9, prefix="", model="sscd-small/1")] == ["small.jpg"]


@pytest.mark.slow
def test_keys_are_what_they_are(vectors: VectorStore) -> None:
    keys = ["trips/ü/50%.jpg", "trips/ü/a b+c.jpg", "trips/ü/" + "d" * 600]
    for key in keys:
        put(vectors, key, ROME)
        assert vectors.get(key) is not None
    assert sorted(nearest(vectors, ROME, prefix="trips/ü/")) == sorted(keys)


@pytest.mark.slow
def test_a_hash_alone_takes_no_vector_away(vectors: VectorStore) -> None:
    put(vectors, "rome.jpg", ROME)
    put(vectors, "rome.jpg", (), perceptual_hash="1" * 16)
    found = vectors.get("rome.jpg")
    assert found is not None
    assert found.vector
    assert nearest(vectors, ROME) == ["rome.jpg"]


@pytest.mark.slow
def test_a_vector_without_length_is_refused(vectors: VectorStore) -> None:
    with pytest.raises(ValueError, match="length"):
        put(vectors, "rome.jpg", (0.0,) * 512)


@pytest.mark.slow
def test_as_many_as_are_allowed_can_be_requested(vectors: VectorStore) -> None:
    put(vectors, "rome.jpg", ROME)
    assert nearest(vectors, ROME, count=MAX_COUNT) == ["rome.jpg"]


@pytest.mark.slow
def test_vectors_that_name_no_model_are_compared_with_each_other(vectors: VectorStore) -> None:
    put(vectors, "rome.jpg", ROME, model="")
    put(vectors, "oslo.jpg", ROME)
    assert [near.key for near in vectors.nearest(ROME, count=9, prefix="")] == ["rome.jpg"]


@pytest.mark.slow
def test_a_key_in_many_folders_stays_within_what_an_index_takes(managed: S3Vectors) -> None:
    folders = "a/" * 340
    for name in ("rome.jpg", "oslo.jpg"):
        put(managed, folders + name, ROME)
    put(managed, f"{'a/' * MAX_FOLDERS}rome.jpg", ROME)
    assert sorted(nearest(managed, ROME, prefix=folders)) == [folders + "oslo.jpg", folders + "rome.jpg"]
    assert len(nearest(managed, ROME, prefix="a/")) == 3


@pytest.mark.slow
def test_an_index_is_given_no_hash_alone(managed: S3Vectors, service: VectorIndex) -> None:
    put(managed, "rome.jpg", ())
    assert service.asked == []


@pytest.mark.slow
def test_an_index_that_refuses_is_unavailable(managed: S3Vectors) -> None:
    with pytest.raises(Unavailable) as refused:
        put(managed, "rome.jpg", ROME[:100])
    assert "dimension" in refused.value.detail
    assert "dimension" not in refused.value.message


def test_a_deployment_without_the_setting_has_a_table(aws_environment: dict[str, str]) -> None:
    environment = VectorEnvironment({**aws_environment, "MEDIA_BUCKET": "media", **{"VECTOR_TABLE": "vectors"}})
    assert all(isinstance(store, DynamoDBVectors) for store in open_vectors(environment, None).values())


def test_a_deployment_without_a_store_keeps_neither_embeddings_nor_tags(aws_environment: dict[str, str]) -> None:
    environment = VectorEnvironment({**aws_environment, "MEDIA_BUCKET": "media", "SIMILARITY_STORE": "off"})
    assert open_vectors(environment, None) == {}
    assert not environment.has_similarity


def check_separation(stores: Stores) -> None:
    """Each task has vectors, results and deletions of its own, also of other numbers of dimensions."""
    copies, likeness = stores[SIMILARITY], stores[LIKENESS]
    wide = direction(1, 1280)
    put(copies, "trips/rome.jpg", ROME)
    put(copies, "trips/oslo.jpg", OSLO)
    put(likeness, "trips/rome.jpg", wide)
    assert nearest(copies, ROME, prefix="trips/") == ["trips/rome.jpg", "trips/oslo.jpg"]
    assert nearest(likeness, wide, prefix="trips/") == ["trips/rome.jpg"]
    copies.delete("trips/rome.jpg")
    assert copies.get("trips/rome.jpg") is None
    found = likeness.get("trips/rome.jpg")
    assert found is not None
    assert found.vector == pytest.approx(wide, abs=0.001)


def test_tasks_have_partitions_of_their_own(aws: Callable[[str], Any]) -> None:
    check_separation(tables(aws))


@pytest.mark.slow
def test_tasks_have_indexes_of_their_own(service: VectorIndex, aws_environment: dict[str, str]) -> None:
    with opened(service, VectorIndex(1280, UNFILTERED), aws_environment) as stores:
        check_separation(stores)


@pytest.mark.slow
def test_a_table_reads_page_after_page(table: DynamoDBVectors, aws: Callable[[str], Any]) -> None:
    keys = (f"{'long/' * 120}{number}.jpg" for number in itertools.count())
    of_one_shard = list(itertools.islice((key for key in keys if crc32(key.encode()) % SHARDS == 0), 1000))
    for key in of_one_shard:
        put(table, key, OSLO)
    counts: list[int] = []
    client = aws("dynamodb")
    client.meta.events.register("after-call.dynamodb.Query", lambda parsed, **_: counts.append(parsed["Count"]))
    found = nearest(DynamoDBVectors(client, table._table), OSLO, count=2000, prefix="long/")
    assert sorted(found) == sorted(of_one_shard)
    assert len(counts) > SHARDS  # a page has 1 MB at most


def test_a_table_keeps_hashes_of_what_has_no_vector_yet(table: DynamoDBVectors) -> None:
    put(table, "rome.jpg", (), perceptual_hash="00000000000000ff", model="")
    found = table.get("rome.jpg")
    assert found is not None
    assert (found.vector, found.perceptual_hash) == ((), "00000000000000ff")
    assert nearest(table, ROME) == []
    put(table, "rome.jpg", ROME, source_etag="e1")
    put(table, "rome.jpg", (), source_etag="e2", perceptual_hash="0" * 16)
    found = table.get("rome.jpg")
    assert found is not None
    assert (found.vector, found.source_etag) == ((), "e2")


def test_a_table_is_asked_by_hash(table: DynamoDBVectors) -> None:
    for key, perceptual_hash in {"same": "f" * 16, "near": "f" * 15 + "e", "far": "0" * 16, "none": ""}.items():
        put(table, f"trips/{key}.jpg", ROME if key == "near" else (), perceptual_hash=perceptual_hash)
    put(table, "other.jpg", (), perceptual_hash="f" * 16)
    found = table.nearest_by_hash("f" * 16, count=10, prefix="trips/")
    assert [(near.key, near.score) for near in found] == [
        ("trips/same.jpg", 1),
        ("trips/near.jpg", 63 / 64),
        ("trips/far.jpg", 0),
    ]
    assert [near.key for near in table.nearest_by_hash("f" * 16, count=2, prefix="")] == ["other.jpg", "trips/same.jpg"]


def test_a_store_that_does_not_answer_is_unavailable(aws: Callable[[str], Any]) -> None:
    gone = DynamoDBVectors(aws("dynamodb"), "no-such-table")
    for ask in (
        lambda: gone.get("a.jpg"),
        lambda: gone.delete("a.jpg"),
        lambda: put(gone, "a.jpg", ROME),
        lambda: put(gone, "a.jpg", ()),
        lambda: nearest(gone, ROME),
        lambda: gone.nearest_by_hash("0" * 16, count=1, prefix="a/"),
    ):
        with pytest.raises(Unavailable):
            ask()
