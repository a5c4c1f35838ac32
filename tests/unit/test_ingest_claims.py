"""Claims on keys: ownership, checks after a worker was overtaken, and repairs."""

from __future__ import annotations

from typing import Any

import pytest

from darkroom.errors import DamagedSource, Unavailable
from darkroom_pipeline.aws.record import CLAIMED, HELD, READY, REFUSED, REMOVED, HeldUpload, MasterRef, Record
from darkroom_pipeline.services.ingest.claims import MAX_REPAIRS, EventAttempt, Superseded
from darkroom_pipeline.services.ingest.events import build_repair_message

from .ingest_stores import CURRENT, EARLIER, KEY, LATER, LEASE, NOW_S, Stores, build_marks, build_record

REPAIR_DELAY_S = 5
"""The other worker has the time of a few calls to end; the wrong image is served no longer than that."""

MOST_DELAY_S = 900
"""SQS: DelaySeconds is at most 15 minutes."""


def test_superseded_has_written_nothing_unless_stated() -> None:
    assert (Superseded().wrote, Superseded(wrote=True).wrote) == (False, True)


@pytest.mark.parametrize("token", ["", "a", "tokem", "tokeo", "zzz"])
def test_a_record_of_another_token_is_of_another_worker(token: str) -> None:
    stores = Stores()
    stores.table.record = build_record(CLAIMED, token=token)
    with pytest.raises(Superseded) as raised:
        stores.claims.get_own_record(LEASE)
    assert raised.value.wrote is False


def test_the_record_of_the_own_token_is_recognised() -> None:
    stores = Stores()
    assert stores.claims.get_own_record(LEASE) is stores.table.record
    stores.table.record = None
    with pytest.raises(Superseded):
        stores.claims.get_own_record(LEASE)


@pytest.mark.parametrize("wrote", [True, False])
def test_a_lost_claim_states_whether_something_was_written(wrote: bool) -> None:
    stores = Stores()
    stores.claims.require(LEASE, wrote=wrote)
    stores.table.lost_after = 0
    with pytest.raises(Superseded) as raised:
        stores.claims.require(LEASE, wrote=wrote)
    assert raised.value.wrote is wrote


def test_a_record_that_is_not_settled_may_have_undone_another() -> None:
    stores = Stores()
    stores.claims.settle(build_record())
    with pytest.raises(Superseded) as raised:
        stores.claims.settle(build_record(token="lost"))
    assert raised.value.wrote is True


def test_a_worker_that_wrote_requests_a_repair_after_a_delay() -> None:
    stores = Stores()
    stores.table.record = None
    stores.claims.request_repair(KEY, wrote=True)
    assert stores.queue.sent == [(build_repair_message(KEY, 1), REPAIR_DELAY_S)]


def test_a_chain_of_repairs_ends() -> None:
    stores = Stores()
    stores.claims.request_repair(KEY, wrote=True, repairs=MAX_REPAIRS - 1)
    assert stores.queue.sent == [(build_repair_message(KEY, MAX_REPAIRS), REPAIR_DELAY_S)]
    with pytest.raises(Unavailable):
        stores.claims.request_repair(KEY, wrote=True, repairs=MAX_REPAIRS)
    assert len(stores.queue.sent) == 1


@pytest.mark.parametrize("state", [READY, CLAIMED, None])
def test_a_key_in_order_is_not_repaired(state: str | None) -> None:
    stores = Stores()
    master = MasterRef(sequencer=CURRENT)
    stores.table.record = build_record(state, master=master, lease_until_s=int(NOW_S)) if state else None
    stores.media.store(f"masters/{KEY}", build_marks(CURRENT))
    stores.claims.request_repair(KEY, wrote=False)
    assert stores.queue.sent == []


@pytest.mark.parametrize(
    ("state", "lease_left_s", "delay_s"),
    [
        (READY, 0, 0),
        (READY, 100, 0),
        (CLAIMED, -100, 1),
        (CLAIMED, -1, 1),
        (CLAIMED, 0, 1),
        (CLAIMED, 1, 2),
        (CLAIMED, 60, 61),
        (CLAIMED, 898, 899),
        (CLAIMED, 899, MOST_DELAY_S),
        (CLAIMED, 900, MOST_DELAY_S),
        (CLAIMED, 5000, MOST_DELAY_S),
    ],
)
def test_a_repair_waits_for_the_end_of_the_lease(state: str, lease_left_s: int, delay_s: int) -> None:
    stores = Stores()
    stores.table.record = build_record(
        state, lease_until_s=int(NOW_S) + lease_left_s, master=MasterRef(sequencer=CURRENT)
    )
    stores.media.store(f"masters/{KEY}", build_marks(EARLIER))
    stores.claims.request_repair(KEY, wrote=False)
    assert stores.queue.sent == [(build_repair_message(KEY, 1), delay_s)]


@pytest.mark.parametrize(
    ("state", "recorded", "there", "agrees"),
    [
        (READY, CURRENT, CURRENT, True),
        (READY, CURRENT, EARLIER, False),
        (READY, CURRENT, LATER, False),
        (READY, CURRENT, None, False),
        (REFUSED, EARLIER, EARLIER, True),
        (REFUSED, EARLIER, CURRENT, False),
        (REFUSED, None, None, True),
        (REFUSED, None, CURRENT, False),
        (REMOVED, None, None, True),
        (REMOVED, CURRENT, None, True),
        (REMOVED, CURRENT, CURRENT, False),
        (REMOVED, None, EARLIER, False),
        (CLAIMED, EARLIER, CURRENT, True),
        (CLAIMED, CURRENT, EARLIER, False),
        (CLAIMED, CURRENT, LATER, False),
        (CLAIMED, None, None, False),
        (READY, CURRENT, "", True),
        (REMOVED, None, "", True),
        (CLAIMED, EARLIER, "", True),
    ],
)
def test_a_master_agrees_with_its_record(state: str, recorded: str | None, there: str | None, agrees: bool) -> None:
    """``there`` is the sequencer of the master, empty for one without a sequencer, None for no master."""
    stores = Stores()
    if there is not None:
        stores.media.store(f"masters/{KEY}", build_marks(there) if there else {})
    record = build_record(state, master=MasterRef(sequencer=recorded or ""))
    claims = stores.claims
    assert claims.matches(record, claims.head_master(KEY)) is agrees
    assert claims.is_consistent(record) is agrees


@pytest.mark.parametrize(
    ("holds_images", "state", "recorded", "waiting", "in_order"),
    [
        (True, HELD, CURRENT, CURRENT, True),
        (True, HELD, CURRENT, EARLIER, False),
        (True, HELD, CURRENT, LATER, False),
        (True, HELD, CURRENT, None, False),
        (True, REFUSED, None, None, True),
        (True, REFUSED, None, EARLIER, False),
        (True, REFUSED, CURRENT, CURRENT, False),
        (True, CLAIMED, None, EARLIER, True),
        (False, HELD, CURRENT, EARLIER, True),
        (False, REFUSED, None, EARLIER, True),
    ],
)
def test_the_object_that_waits_agrees_with_its_record(
    holds_images: bool, state: str, recorded: str | None, waiting: str | None, in_order: bool
) -> None:
    stores = Stores(holds_images=holds_images)
    if waiting is not None:
        stores.media.store(f"held/{KEY}", build_marks(waiting))
    if state == CLAIMED:
        stores.media.store(f"masters/{KEY}", build_marks(CURRENT))
    held = HeldUpload(master=MasterRef(sequencer=recorded or ""))
    assert stores.claims.is_consistent(build_record(state, held=held)) is in_order


class Claiming:
    """An index that answers each claim with ``answer``."""

    def __init__(self, answer: bool) -> None:
        self.answer = answer
        self.claims: list[dict[str, Any]] = []

    def claim(self, key: str, sequencer: str, token: str, **further: Any) -> bool:
        self.claims.append({"key": key, "sequencer": sequencer, "token": token, **further})
        return self.answer


def test_an_attempt_claims_its_key_once() -> None:
    stores, table = Stores(), Claiming(True)
    stores.table = table  # type: ignore[assignment]
    attempt = EventAttempt(stores.claims, KEY, CURRENT, replaces_token="before")
    hold = attempt.acquire()
    assert attempt.acquire() is hold
    assert table.claims == [
        {
            "key": KEY,
            "sequencer": CURRENT,
            "token": hold.token,
            "now_s": NOW_S,
            "lease_s": stores.lease_s,
            "replaces_token": "before",
        }
    ]
    assert attempt.with_newer_event(LATER).acquire().sequencer == LATER
    assert len({claim["token"] for claim in table.claims}) == 2


def test_a_claim_that_is_refused_is_superseded() -> None:
    stores = Stores()
    stores.table = Claiming(False)  # type: ignore[assignment]
    with pytest.raises(Superseded) as raised:
        stores.claims.acquire(KEY, CURRENT, replaces_token="")
    assert raised.value.wrote is False


@pytest.mark.parametrize(
    ("failure", "claimed", "released"),
    [
        (DamagedSource(), True, True),
        (ZeroDivisionError(), True, True),
        (DamagedSource(), False, False),
        (Superseded(), True, False),
        (KeyboardInterrupt(), True, False),
        (None, True, False),
    ],
    ids=["error", "defect", "nothing claimed", "superseded", "interrupted", "no failure"],
)
def test_a_claim_is_released_after_a_failure(failure: BaseException | None, claimed: bool, released: bool) -> None:
    stores = Stores()
    attempt = EventAttempt(stores.claims, KEY, CURRENT, _lease=LEASE if claimed else None)
    assert attempt.__enter__() is attempt
    attempt.__exit__(type(failure), failure, None)
    assert stores.table.released == ([(KEY, LEASE.token)] if released else [])


def test_a_claim_that_cannot_be_released_hides_no_failure(capsys: pytest.CaptureFixture[str]) -> None:
    stores = Stores()
    stores.table.reachable = False
    with pytest.raises(DamagedSource), EventAttempt(stores.claims, KEY, CURRENT, _lease=LEASE):
        raise DamagedSource
    assert "lease not released" in capsys.readouterr().out


def test_a_record_of_a_served_image_has_the_token_and_the_event_of_its_claim() -> None:
    expected = Record(KEY, READY, CURRENT, LEASE.token, sha256="s", version_id="v", same_as="other.jpg")
    assert LEASE.build_ready_record("s", "v", same_as="other.jpg") == expected
