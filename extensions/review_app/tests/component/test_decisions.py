"""Decisions of several people about one image: the first one wins, and the others learn of it."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest

from darkroom.errors import Unavailable
from darkroom_analysis.review.decisions import LAPSES_S, RETENTION_S, Conflict, Decisions, NotHeld
from darkroom_pipeline.aws.audit import AuditLog, hash_key
from darkroom_pipeline.aws.documents import DocumentStore
from darkroom_pipeline.aws.record import HELD, READY
from darkroom_pipeline.aws.sqs import Queue
from darkroom_pipeline.services.ingest.context import IngestOutcome
from tests.component.services.ingest_environment import IngestEnvironment
from tests.images.photographs import jpeg_photo, png_noise

KEY = "trips/Rom 2026.jpg"
BODY = jpeg_photo()
ADA, GRACE = "Ada Lovelace <ada@example.com>", "Grace Hopper <grace@example.com>"


@pytest.fixture
def taken(aws: Callable[[str], Any]) -> IngestEnvironment:
    made = IngestEnvironment.build(aws)
    made.blocks = True
    made.created(KEY, BODY)
    made.judged(KEY, flagged=True, body=BODY)
    return made


def entries(taken: IngestEnvironment) -> DocumentStore:
    return taken.entries


def decisions(taken: IngestEnvironment, now_s: float | None = None) -> Decisions:
    clock = time.time if now_s is None else lambda: now_s
    return Decisions(taken.index, entries(taken), taken.queue("reviews"), clock)


def audited(taken: IngestEnvironment) -> list[dict[str, Any]]:
    return AuditLog(taken.vault("audit")).list_newest(10)


def carry_out(taken: IngestEnvironment) -> list[IngestOutcome]:
    found = []
    for message in taken.messages("reviews"):
        message.pop("attributes")
        found.append(taken.message(message))
    return found


def test_a_decision_is_sent_with_the_name_and_the_bytes(taken: IngestEnvironment) -> None:
    record = decisions(taken).decide(KEY, "release", ADA)
    [message] = taken.messages("reviews")
    assert message["detail-type"] == "Release"
    assert message["detail"] == {
        "object": {"key": KEY},
        "sha256": record.held.sha256,
        "by": ADA,
        "seen": record.token,
    }


@pytest.mark.slow
@pytest.mark.parametrize("second", ["release", "confirm"])
def test_the_second_person_gets_a_conflict(taken: IngestEnvironment, second: str) -> None:
    version, now_s = taken.record(KEY).token, 1_795_608_000.0
    decisions(taken, now_s).decide(KEY, "release", ADA, version=version)
    with pytest.raises(Conflict) as raised:
        decisions(taken, now_s + 1).decide(KEY, second, GRACE, version=version)
    assert raised.value.message == f"{ADA} has released it at 2026-11-25T12:00:00+00:00"
    assert raised.value.to_problem() | {"type": "", "title": "", "detail": ""} == {
        **{"type": "", "title": "", "detail": "", "status": 409, "code": "conflict"},
        **{"by": ADA, "decision": "release", "at_s": now_s},
    }
    assert carry_out(taken) == [IngestOutcome.RELEASED]


@pytest.mark.slow
def test_the_conflict_is_the_same_after_ingest_has_carried_out_the_first(taken: IngestEnvironment) -> None:
    for first, state in (("confirm", HELD), ("release", READY)):
        version = taken.record(KEY).token
        decisions(taken).decide(KEY, first, ADA, version=version)
        carry_out(taken)
        assert taken.record(KEY).state == state
        with pytest.raises(Conflict, match=f"{ADA} has {first}"):
            decisions(taken).decide(KEY, "release", GRACE, version=version)
        assert taken.messages("reviews") == []


def test_of_two_at_the_same_moment_one_wins(taken: IngestEnvironment) -> None:
    """Both have read that there is no decision before either writes one."""
    version, both = taken.record(KEY).token, Barrier(2)

    class Meeting(DocumentStore):
        def get(self, name: str) -> Any:
            found = super().get(name)
            if not found.version:
                both.wait()
            return found

    def decide(name: str, decision: str) -> str:
        store = Meeting(taken.clients["dynamodb"], taken.names["index"])
        try:
            Decisions(taken.index, store, taken.queue("reviews")).decide(KEY, decision, name, version=version)
        except Conflict as error:
            return error.by
        return "won"

    with ThreadPoolExecutor(2) as pool:
        results = list(pool.map(decide, (ADA, GRACE), ("release", "confirm")))
    assert sorted(results) in (sorted(["won", ADA]), sorted(["won", GRACE]))
    assert results[0] == "won" or results[0] == GRACE
    assert len(taken.messages("reviews")) == 1


class BrokenQueue(Queue):
    """A queue that takes nothing."""

    def send(self, *_: object, **__: object) -> None:
        raise Unavailable(detail="no queue")


@pytest.mark.slow
def test_a_decision_whose_message_was_lost_is_repeated_by_the_same_person(taken: IngestEnvironment) -> None:
    broken = BrokenQueue(taken.clients["sqs"], taken.names["reviews"])
    with pytest.raises(Unavailable):
        Decisions(taken.index, entries(taken), broken).decide(KEY, "release", ADA)
    with pytest.raises(Conflict):
        decisions(taken).decide(KEY, "release", GRACE)
    with pytest.raises(Conflict):
        decisions(taken).decide(KEY, "confirm", ADA)
    decisions(taken).decide(KEY, "release", ADA)
    assert carry_out(taken) == [IngestOutcome.RELEASED]


def test_a_decision_that_nothing_came_of_lapses(taken: IngestEnvironment) -> None:
    now_s = 1_795_608_000.0
    decisions(taken, now_s).decide(KEY, "release", ADA)
    with pytest.raises(Conflict):
        decisions(taken, now_s + LAPSES_S).decide(KEY, "confirm", GRACE)
    decisions(taken, now_s + LAPSES_S + 1).decide(KEY, "confirm", GRACE)
    assert len(taken.messages("reviews")) == 2


def supersede(taken: IngestEnvironment) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the message of a late release, and that of the confirmation that replaced it."""
    now_s = 1_795_608_000.0
    decisions(taken, now_s).decide(KEY, "release", ADA)
    decisions(taken, now_s + LAPSES_S + 1).decide(KEY, "confirm", GRACE)
    messages = {message["detail-type"]: message for message in taken.messages("reviews")}
    return messages["Release"], messages["Confirm"]


@pytest.mark.parametrize("late_first", [True, False])
def test_a_superseded_decision_is_dropped_in_any_order(taken: IngestEnvironment, late_first: bool) -> None:
    release, confirm = supersede(taken)
    if late_first:
        outcomes = taken.message(release), taken.message(confirm)
        assert outcomes == (IngestOutcome.DROPPED, IngestOutcome.CONFIRMED)
    else:
        outcomes = taken.message(confirm), taken.message(release)
        assert outcomes == (IngestOutcome.CONFIRMED, IngestOutcome.DROPPED)
    record = taken.record(KEY)
    assert (record.state, record.held.reviewed) == (HELD, True)
    assert [entry["by"] for entry in audited(taken)] == [GRACE]


@pytest.mark.slow
def test_a_message_of_an_earlier_version_is_carried_out(taken: IngestEnvironment) -> None:
    release, _ = supersede(taken)
    del release["detail"]["seen"]
    assert taken.message(release) is IngestOutcome.RELEASED


@pytest.mark.slow
def test_a_decision_whose_item_is_gone_is_dropped(taken: IngestEnvironment) -> None:
    decisions(taken).decide(KEY, "release", ADA)
    name = f"review#{hash_key(KEY)}"
    assert entries(taken).delete(name, seen=entries(taken).get(name).version)
    assert carry_out(taken) == [IngestOutcome.DROPPED]
    assert taken.record(KEY).state == HELD


@pytest.mark.slow
def test_a_decision_that_was_taken_again_is_carried_out_by_either_message(taken: IngestEnvironment) -> None:
    now_s = 1_795_608_000.0
    for number, (decision, by) in enumerate([("release", ADA), ("confirm", GRACE), ("release", ADA)]):
        decisions(taken, now_s + number * (LAPSES_S + 1)).decide(KEY, decision, by)
    assert sorted(carry_out(taken)) == [IngestOutcome.DROPPED, IngestOutcome.DROPPED, IngestOutcome.RELEASED]


@pytest.mark.slow
def test_a_repeated_message_changes_nothing(taken: IngestEnvironment) -> None:
    for _ in range(2):
        decisions(taken).decide(KEY, "release", ADA)
    assert carry_out(taken) == [IngestOutcome.RELEASED, IngestOutcome.DROPPED]


def test_a_new_upload_is_not_what_was_seen(taken: IngestEnvironment) -> None:
    version, other = taken.record(KEY).token, png_noise(60, 40)
    taken.created(KEY, other)
    with pytest.raises(Conflict, match="has changed since it was shown"):
        decisions(taken).decide(KEY, "release", ADA, version=version)
    assert taken.messages("reviews") == []
    decisions(taken).decide(KEY, "confirm", ADA, version=taken.record(KEY).token)
    assert carry_out(taken) == [IngestOutcome.CONFIRMED]


@pytest.mark.slow
def test_a_decision_about_an_earlier_upload_is_no_conflict(taken: IngestEnvironment) -> None:
    decisions(taken).decide(KEY, "confirm", ADA)
    carry_out(taken)
    other = png_noise(60, 40)
    taken.created(KEY, other)
    taken.judged(KEY, flagged=True, body=other)
    decisions(taken).decide(KEY, "release", GRACE, version=taken.record(KEY).token)
    assert carry_out(taken) == [IngestOutcome.RELEASED]


def test_what_is_not_held_cannot_be_decided(taken: IngestEnvironment) -> None:
    with pytest.raises(NotHeld, match="nothing is known of it"):
        decisions(taken).decide("another.jpg", "release", ADA)
    with pytest.raises(NotHeld, match="removed"):
        decisions(taken).decide("another.jpg", "release", ADA, version="seen")
    version = taken.record(KEY).token
    taken.released(KEY)
    with pytest.raises(NotHeld, match="ready"):
        decisions(taken).decide(KEY, "confirm", ADA, version=version)
    with pytest.raises(NotHeld, match="ready"):
        decisions(taken).decide(KEY, "confirm", ADA)


def test_the_item_names_no_key_and_expires(taken: IngestEnvironment) -> None:
    now_s = 1_795_608_000.0
    decisions(taken, now_s).decide(KEY, "release", ADA)
    items = taken.clients["dynamodb"].scan(TableName=taken.names["index"])["Items"]
    [item] = [one for one in items if one["pk"]["S"].startswith("review#")]
    assert item["pk"]["S"] == f"review#{hash_key(KEY)}"
    assert KEY not in str(item)
    assert item["expires_at_s"] == {"N": str(int(now_s) + RETENTION_S)}
