"""Claims and records on a real table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from darkroom.errors import Busy, Unavailable
from darkroom_pipeline.aws.index import Index
from darkroom_pipeline.aws.record import (
    CLAIMED,
    READY,
    REFUSED,
    SEQUENCER_CHARACTERS,
    MasterRef,
    Record,
    from_item,
    pad_sequencer,
    to_item,
)

from .ingest_environment import IngestEnvironment

NOW_S, LEASE_S = 1_795_600_000, 60


@pytest.fixture
def index(aws: Callable[[str], Any]) -> Index:
    return IngestEnvironment.build(aws).index


def claim(index: Index, sequencer: str, token: str, now_s: float = NOW_S, *, instead_of: str = "") -> bool:
    return index.claim("photo.jpg", sequencer, token, now_s=now_s, lease_s=LEASE_S, replaces_token=instead_of)


def settled(index: Index, sequencer: str, token: str, state: str = READY) -> Record:
    assert claim(index, sequencer, token)
    record = Record("photo.jpg", state, pad_sequencer(sequencer), token)
    assert index.put_record(record)
    return record


def test_a_key_that_is_not_known_can_be_claimed(index: Index) -> None:
    assert index.get("photo.jpg") is None
    assert claim(index, "55AED6DCD90281E5", "a")
    known = index.get("photo.jpg")
    assert known == Record("photo.jpg", CLAIMED, pad_sequencer("55AED6DCD90281E5"), "a", NOW_S + LEASE_S)
    assert index.has_lease("photo.jpg", "a")
    assert not index.has_lease("photo.jpg", "b")


def test_the_same_event_waits_for_the_lease(index: Index) -> None:
    claim(index, "10", "a")
    with pytest.raises(Busy) as refused:
        claim(index, "10", "b", NOW_S + 20)
    assert refused.value.retry_in_s == LEASE_S - 20
    assert refused.value.retryable
    with pytest.raises(Busy):
        claim(index, "10", "b", NOW_S + LEASE_S)
    assert claim(index, "10", "b", NOW_S + LEASE_S + 1)
    assert index.has_lease("photo.jpg", "b")


def test_a_claim_that_was_made_already_is_made_again(index: Index) -> None:
    """The answer to the first may have been lost."""
    claim(index, "10", "a")
    assert claim(index, "10", "a")


def test_a_lease_that_is_released_need_not_be_waited_for(index: Index) -> None:
    claim(index, "10", "a")
    index.release_lease("photo.jpg", "another")
    with pytest.raises(Busy):
        claim(index, "10", "b")
    index.release_lease("photo.jpg", "a")
    assert claim(index, "10", "b")
    index.release_lease("no client.jpg", "a")
    assert index.get("no client.jpg") is None


def test_a_newer_event_takes_over_at_once_and_an_older_never(index: Index) -> None:
    claim(index, "10", "a")
    assert claim(index, "11", "b")
    assert not index.has_lease("photo.jpg", "a")
    assert not claim(index, "10", "c", NOW_S + 999)


def test_what_is_done_is_done_unless_it_is_to_be_done_again(index: Index) -> None:
    settled(index, "10", "a")
    later_s = NOW_S + 999
    assert not claim(index, "10", "b", later_s)
    assert not claim(index, "10", "b", later_s, instead_of="another")
    assert claim(index, "10", "b", later_s, instead_of="a")
    assert not claim(index, "0F", "c", later_s, instead_of="b")
    with pytest.raises(Busy):
        claim(index, "10", "d", later_s, instead_of="b")


def test_a_claim_that_arrives_after_its_attempt_is_done_reopens_nothing(index: Index) -> None:
    """The client's first request was lost, its second one carried out, and then the first one arrived."""
    record = settled(index, "10", "a")
    assert not claim(index, "10", "a")
    claim(index, "10", "b", instead_of="a")
    again = replace(record, token="b")
    assert index.put_record(again)
    assert not claim(index, "10", "b", instead_of="a")
    assert not claim(index, "10", "c", instead_of="a")
    assert index.get("photo.jpg") == again


def test_a_lost_claim_cannot_settle(index: Index) -> None:
    claim(index, "10", "a")
    claim(index, "11", "b")
    assert not index.put_record(Record("photo.jpg", READY, pad_sequencer("10"), "a"))
    known = index.get("photo.jpg")
    assert known is not None
    assert known.state == CLAIMED


def test_a_claim_keeps_the_record_of_the_image_until_it_is_settled(index: Index) -> None:
    record = replace(settled(index, "10", "a"), master=MasterRef(etag='"e"'), announced=True, expires_at_s=NOW_S)
    index.put_record(record)
    claim(index, "11", "b")
    known = index.get("photo.jpg")
    assert known is not None
    assert (known.master, known.announced, known.expires_at_s) == (MasterRef(etag='"e"'), False, 0)


MASTER = MasterRef(etag="e")


def test_only_images_that_are_served_are_found_by_their_bytes(index: Index) -> None:
    for number, (state, master) in enumerate(((READY, MASTER), (REFUSED, MASTER), (READY, MasterRef()))):
        key = f"{number}.jpg"
        index.claim(key, "1", "t", now_s=NOW_S, lease_s=LEASE_S)
        index.put_record(Record(key, state, pad_sequencer("1"), "t", sha256="abc", master=master))
    assert [record.key for record in index.find_by_sha256("abc")] == ["0.jpg"]
    assert index.find_by_sha256("def") == []


def test_many_are_read_at_once(index: Index) -> None:
    for number in range(3):
        index.claim(f"{number}.jpg", "1", "t", now_s=NOW_S, lease_s=LEASE_S)
    asked = [f"{number}.jpg" for number in range(250)]
    assert sorted(index.get_many([*asked, "1.jpg"])) == ["0.jpg", "1.jpg", "2.jpg"]


def test_what_is_deleted_is_not_known(index: Index) -> None:
    claim(index, "10", "a")
    assert index.delete("photo.jpg")
    assert index.get("photo.jpg") is None
    assert not index.delete("photo.jpg")


def test_a_note_is_kept_beside_the_images(index: Index) -> None:
    assert index.get_text("sweep#cursor") == ""
    index.put_text("sweep#cursor", "trips/röm.jpg")
    assert index.get_text("sweep#cursor") == "trips/röm.jpg"


def test_a_table_that_does_not_answer_is_a_fault(aws: Callable[[str], Any]) -> None:
    missing = Index(aws("dynamodb"), "no-such-table")
    for ask in (
        lambda: missing.get("k"),
        lambda: missing.get_many(["k"]),
        lambda: missing.claim("k", "1", "t", now_s=NOW_S, lease_s=LEASE_S),
        lambda: missing.put_record(Record("k", READY, "1")),
        lambda: missing.find_by_sha256("k"),
        lambda: missing.delete("k"),
    ):
        with pytest.raises(Unavailable):
            ask()


@given(st.integers(0, 2**64), st.integers(0, 2**64))
def test_padded_sequencers_compare_as_documented_by_s3(one: int, other: int) -> None:
    """The shorter is filled up with zeros on the right."""
    a, b = f"{one:X}", f"{other:x}"
    length = max(len(a), len(b))
    expected = int(a.ljust(length, "0"), 16) < int(b.ljust(length, "0"), 16)
    assert (pad_sequencer(a) < pad_sequencer(b)) is expected
    assert len(pad_sequencer(a)) == SEQUENCER_CHARACTERS
    assert pad_sequencer(pad_sequencer(a)) == pad_sequencer(a)


_values = st.recursive(
    st.text(max_size=5) | st.integers(-9, 9) | st.floats(-1, 1).map(lambda x: round(x, 6)) | st.booleans(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(min_size=1, max_size=5), inner, max_size=3),
    max_leaves=6,
)


@given(st.dictionaries(st.text(min_size=1, max_size=8), _values, max_size=4), st.booleans(), st.text())
def test_a_record_is_read_as_it_was_written(facts: dict[str, Any], announced: bool, text: str) -> None:
    record = Record(
        "k", READY, pad_sequencer("1"), facts=facts, announced=announced, sha256=text, derivatives=("a", "b")
    )
    assert from_item(to_item(record)) == record
