"""Moderation: what is served, the effect of a verdict, and recovery after a crash."""

from __future__ import annotations

import io
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest

from darkroom.errors import Busy, DarkroomError, ObjectChanged, OverLimits
from darkroom.plan.forced_options import NOTHING_FORCED
from darkroom.plan.limits import Limits
from darkroom.services.deadline import INGEST, Deadline
from darkroom_pipeline.aws.findings_store import Verdict
from darkroom_pipeline.aws.record import CLAIMED, HELD, READY, REFUSED, HeldUpload, MasterRef, Record, Refusal
from darkroom_pipeline.aws.s3 import ObjectHead
from darkroom_pipeline.services.ingest import admit, handler, review
from darkroom_pipeline.services.ingest.admit import _MAX_DONORS, Candidate, _find_donor
from darkroom_pipeline.services.ingest.claims import SEQUENCER, SHA256, EventAttempt, Lease, Superseded
from darkroom_pipeline.services.ingest.context import IngestContext, IngestOutcome
from darkroom_pipeline.services.ingest.derivative_store import _may_have_mezzanines
from darkroom_pipeline.services.ingest.events import EventKind, IngestEvent
from darkroom_pipeline.services.ingest.examine import FetchedUpload
from darkroom_pipeline.services.ingest.moderation import Moderation, ReviewState
from darkroom_pipeline.services.ingest.stores import render_from_master
from tests.images.photographs import png_noise

from .ingest_stores import build_context

KEY, OURS, OTHERS = "photo.jpg", "a" * 64, "b" * 64
EARLIER, CURRENT, LATER = "0A", "0B", "0C"
LEASE = Lease(KEY, CURRENT, "token")
PASSED, FLAGGED = Verdict(OURS, "etag", False), Verdict(OURS, "etag", True)


def moderation(verdicts: Mapping[str, Verdict] | Verdict | None = None, *, blocks: bool = True) -> Moderation:
    found = {KEY: verdicts} if isinstance(verdicts, Verdict) else verdicts or {}
    source: Any = SimpleNamespace(get=found.get)
    decisions: Any = None
    return Moderation(lambda: source, lambda: decisions, blocks)


def kept(metadata: Mapping[str, str], size_bytes: int = 3, etag: str = '"etag"') -> ObjectHead:
    return ObjectHead(f"masters/{KEY}", etag, size_bytes, "", 0.0, {}, metadata, {})


def record(state: str = READY, sha256: str = OURS, **fields: Any) -> Record:
    return Record(KEY, state, CURRENT, "token", sha256=sha256, **fields)


OTHER_BYTES = Verdict(OTHERS, "etag", True)


@pytest.mark.parametrize(
    ("verdict", "known", "standing"),
    [
        (None, None, ReviewState.WAITING),
        (PASSED, None, ReviewState.PASSED),
        (FLAGGED, None, ReviewState.FLAGGED),
        (OTHER_BYTES, None, ReviewState.WAITING),
        (None, record(), ReviewState.PASSED),
        (OTHER_BYTES, record(), ReviewState.PASSED),
        (None, record(sha256=OTHERS), ReviewState.WAITING),
        (None, record(REFUSED), ReviewState.WAITING),
        (None, record(CLAIMED), ReviewState.WAITING),
        (None, record(HELD), ReviewState.WAITING),
        (FLAGGED, record(), ReviewState.FLAGGED),
        (FLAGGED, record(released=True), ReviewState.PASSED),
        (None, record(CLAIMED, released=True), ReviewState.PASSED),
        (FLAGGED, record(sha256=OTHERS, released=True), ReviewState.FLAGGED),
        (None, record(sha256=OTHERS, released=True), ReviewState.WAITING),
    ],
)
def test_the_standing_of_an_upload(verdict: Verdict | None, known: Record | None, standing: ReviewState) -> None:
    assert moderation(verdict).get_review_state(KEY, known, OURS) is standing
    assert moderation(verdict, blocks=False).get_review_state(KEY, known, OURS) is ReviewState.PASSED


@pytest.mark.parametrize("standing", ReviewState)
@pytest.mark.parametrize("released", [False, True])
@pytest.mark.parametrize("verdict", [None, PASSED, FLAGGED, OTHER_BYTES, Verdict(OTHERS, "etag", False)])
def test_what_may_be_copied(standing: ReviewState, released: bool, verdict: Verdict | None) -> None:
    allowed = standing is ReviewState.PASSED or released or (standing is ReviewState.WAITING and verdict is PASSED)
    assert moderation(verdict).allows_copy(record(released=released), standing) is allowed


class Observer:
    """An observer that keeps nothing."""

    def step(self, name: str) -> Any:
        return nullcontext()

    def log(self, level: str, message: str, **fields: object) -> None:
        pass


@pytest.mark.parametrize("position", range(_MAX_DONORS + 2))
def test_the_first_four_keys_with_the_same_bytes_may_be_copied_from(position: int) -> None:
    assert _MAX_DONORS == 4
    known = MasterRef(rights="-")
    donors = [Record(f"{number}.jpg", READY, CURRENT, sha256=OURS, master=known) for number in range(_MAX_DONORS + 2)]
    context = build_context(
        moderation=moderation({donors[position].key: PASSED}),
        claims=SimpleNamespace(index=SimpleNamespace(find_by_sha256=lambda _: donors)),
    )
    candidate = Candidate(FetchedUpload(kept({}), b"", OURS), ReviewState.WAITING, None, (), {})
    found = _find_donor(context, KEY, candidate)
    assert found is (donors[position] if position < 4 else None)


@pytest.mark.parametrize(
    ("key", "rights", "is_donor"),
    [("other.jpg", "-", True), (KEY, "-", False), ("other.jpg", "", False), (KEY, "", False)],
)
def test_only_another_key_with_known_rights_may_be_copied_from(key: str, rights: str, is_donor: bool) -> None:
    donor = Record(key, READY, CURRENT, sha256=OURS, master=MasterRef(rights=rights))
    context = build_context(
        moderation=moderation({key: PASSED}),
        claims=SimpleNamespace(index=SimpleNamespace(find_by_sha256=lambda _: [donor])),
    )
    candidate = Candidate(FetchedUpload(kept({}), b"", OURS), ReviewState.WAITING, None, (), {})
    assert (_find_donor(context, KEY, candidate) is donor) is is_donor


@pytest.mark.parametrize(
    ("sha256", "flagged"), [(OURS, True), (OTHERS, False)], ids=["what was served", "a newer upload"]
)
def test_a_withdrawn_image_is_flagged_and_a_newer_upload_that_waits_is_not(
    monkeypatch: pytest.MonkeyPatch, sha256: str, flagged: bool
) -> None:
    finished: list[Record] = []
    own = record(HELD, master=master(), held=HeldUpload(sha256, {}, {}, master(LATER)))
    context = build_context(claims=SimpleNamespace(get_own_record=lambda _: own), observer=Observer())
    monkeypatch.setattr(review, "_start_attempt", lambda *_: nullcontext())
    monkeypatch.setattr(review, "claim", lambda *_: LEASE)
    monkeypatch.setattr(review, "unpublish", lambda *_: own)
    monkeypatch.setattr(review, "finish", lambda _, made: finished.append(made))
    assert review._withdraw(context, own) is IngestOutcome.HELD
    assert [(one.state, one.held.sha256, one.held.flagged) for one in finished] == [(HELD, sha256, flagged)]


@pytest.mark.parametrize("deletes", [True, False])
def test_only_a_deletion_takes_down_what_the_next_version_of_the_upload_left(
    monkeypatch: pytest.MonkeyPatch, deletes: bool
) -> None:
    left, taken = record(), list[Record]()
    context = build_context(claims=SimpleNamespace(index=SimpleNamespace(get=lambda _: left)))
    monkeypatch.setattr(handler, "_is_upload_gone", lambda *_: False)
    monkeypatch.setattr(handler, "ingest_upload", lambda *_: IngestOutcome.READY)
    monkeypatch.setattr(handler, "_take_down", lambda _, __, found: taken.append(found))
    event = IngestEvent(EventKind.DELETED if deletes else EventKind.CREATED, KEY, CURRENT)
    assert handler._process_change(context, event, None) is IngestOutcome.READY
    assert taken == ([left] if deletes else [])


@pytest.mark.parametrize("wrote", [True, False])
@pytest.mark.parametrize("kind", [EventKind.DELETED, EventKind.RELEASE])
def test_a_superseded_event_requests_a_repair_if_it_has_written(
    monkeypatch: pytest.MonkeyPatch, kind: EventKind, wrote: bool
) -> None:
    """A deletion that a newer event overtakes, and a decision about a held upload."""
    repairs: list[tuple[str, bool, int]] = []
    newer = Record(KEY, READY, LATER, "other")
    context = build_context(
        claims=SimpleNamespace(
            index=SimpleNamespace(get=lambda _: newer),
            request_repair=lambda key, *, wrote, repairs: requested(key, wrote, repairs),
        )
    )

    def requested(key: str, has_written: bool, count: int) -> None:
        repairs.append((key, has_written, count))

    def supersede(*_: object) -> IngestOutcome:
        raise Superseded(wrote=wrote)

    monkeypatch.setattr(handler, "_process_change", supersede)
    monkeypatch.setattr(review, "carry_out_decision", supersede)
    monkeypatch.setattr(handler, "_revisit", lambda *_: IngestOutcome.READY)
    event = IngestEvent(kind, KEY, CURRENT, repairs=2)
    if kind is EventKind.DELETED:
        assert handler._follow(context, event, None) is IngestOutcome.READY
    else:
        with pytest.raises(Busy):
            handler._review(context, event, record())
    assert repairs == ([(KEY, True, 2)] if wrote else [])


@pytest.mark.parametrize(
    ("facts", "may"),
    [
        ({}, True),
        ({"width": 4000}, True),
        ({"width": 4000, "height": 3000}, True),
        ({"width": 400, "height": 30}, False),
    ],
)
def test_a_donor_has_mezzanines_by_its_pixels(facts: dict[str, int], may: bool) -> None:
    assert _may_have_mezzanines(record(facts=facts)) is may


def make_error(status: int, retryable: bool) -> DarkroomError:
    return type(
        "Made", (DarkroomError,), {"code": "made", "viewer_facing": False, "status": status, "retryable": retryable}
    )()


ERRORS = [
    (400, False, True),
    (422, False, True),
    (499, False, True),
    (409, True, False),
    (500, False, False),
    (501, False, False),
    (503, True, False),
]
"""Status, whether it is worth another try, and whether the upload is the reason."""


@pytest.mark.parametrize(("status", "retryable", "refuses"), ERRORS)
def test_an_upload_is_refused_for_its_own_errors_alone(
    monkeypatch: pytest.MonkeyPatch, status: int, retryable: bool, refuses: bool
) -> None:
    body = b"no image"
    stored = SimpleNamespace(open=lambda key: (kept({}, len(body)), io.BytesIO(body)))
    context = build_context(uploads=stored, observer=Observer(), examiner=SimpleNamespace(limits=Limits()))
    error = make_error(status, retryable)

    def fail(*_: object) -> IngestOutcome:
        raise error

    monkeypatch.setattr(admit, "admit", fail)
    monkeypatch.setattr(admit, "refuse", lambda _, __, ___, raised: (IngestOutcome.REFUSED, raised))
    attempt: Any = SimpleNamespace(key=KEY)
    if refuses:
        assert admit.ingest_upload(context, attempt, None) == (IngestOutcome.REFUSED, error)
    else:
        with pytest.raises(DarkroomError) as raised:
            admit.ingest_upload(context, attempt, None)
        assert raised.value is error


@dataclass
class Work:
    """A key that a dead worker left: ``served`` and ``waiting`` are its masters, ``own`` its record."""

    own: Record
    served: ObjectHead | None = None
    waiting: ObjectHead | None = None
    verdict: Verdict | None = None
    plans: tuple[str, ...] = ()
    presets: Any = None
    settled: list[Record] = field(default_factory=list)
    removed: list[Lease] = field(default_factory=list)

    @property
    def context(self) -> IngestContext:
        bucket = SimpleNamespace(open=lambda key: None)
        return build_context(
            claims=SimpleNamespace(
                get_own_record=lambda lease: self.own,
                head_master=lambda key: self.served,
                require=lambda lease, wrote: None,
                settle=self.settled.append,
                mark_announced=lambda record: None,
                clock=lambda: 0.0,
            ),
            masters=SimpleNamespace(
                head=lambda key: self.served,
                name=lambda key: f"masters/{key}",
                bucket=bucket,
                remove=lambda lease: False,
                copy_writer=lambda *_: None,
            ),
            held_masters=SimpleNamespace(
                head=lambda key: self.waiting, remove=self.removed.append, name=lambda key: f"held/{key}", bucket=bucket
            ),
            derivatives=SimpleNamespace(purge=lambda key: None, put_all=self._put_all),
            moderation=moderation(self.verdict),
            examiner=SimpleNamespace(limits=Limits(), decode=lambda *_: SimpleNamespace(images=lambda: iter(()))),
            presets=SimpleNamespace(at_ingest=()),
            always=NOTHING_FORCED,
            bus=SimpleNamespace(publish=lambda *_: None),
            observer=Observer(),
        )

    def _put_all(self, key: str, master: MasterRef, images: Any, _: Any, sha256: str) -> list[str]:
        if isinstance(self.presets, Exception):
            raise self.presets
        return ["photo.jpg/_/w-8.webp"]

    def end(self, monkeypatch: pytest.MonkeyPatch) -> IngestOutcome | None:
        self.choose(monkeypatch)
        attempt: Any = SimpleNamespace(acquire=lambda: LEASE)
        return review.recover(self.context, attempt, self.own)

    def render(self, monkeypatch: pytest.MonkeyPatch) -> tuple[str, ...]:
        self.choose(monkeypatch)
        return review.render_presets(self.context, LEASE, master())

    def choose(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(review, "choose_presets", lambda *_: (list(self.plans), {}))


def master(sequencer: str = CURRENT) -> MasterRef:
    return MasterRef('"etag"', sequencer, "v1", "image/png", how="cleaned")


def marks(sequencer: str = CURRENT, sha256: str = OURS) -> dict[str, str]:
    return {SEQUENCER: sequencer, SHA256: sha256, "version-id": "v1", "how": "cleaned"}


HELD_IMAGE = HeldUpload(OURS, {"width": 1}, {}, master())


@pytest.mark.parametrize(
    ("verdict", "by_a_person"), [(None, True), (FLAGGED, True), (PASSED, False), (OTHER_BYTES, True)]
)
def test_a_release_that_had_copied_the_master_is_completed(
    monkeypatch: pytest.MonkeyPatch, verdict: Verdict | None, by_a_person: bool
) -> None:
    work = Work(record(CLAIMED, "", held=HELD_IMAGE), served=kept(marks()), waiting=kept(marks()), verdict=verdict)
    assert work.end(monkeypatch) is IngestOutcome.RELEASED
    [settled] = work.settled
    assert (settled.state, settled.sha256, settled.released) == (READY, OURS, by_a_person)
    assert (settled.version_id, settled.facts, settled.derivatives) == ("v1", {"width": 1}, ())
    assert work.removed == [LEASE]


@pytest.mark.parametrize("served", [None, EARLIER, LATER])
def test_what_waits_goes_on_waiting_where_another_master_is_served(
    monkeypatch: pytest.MonkeyPatch, served: str | None
) -> None:
    work = Work(
        record(CLAIMED, "", held=HELD_IMAGE), served=kept(marks(served)) if served else None, waiting=kept(marks())
    )
    assert work.end(monkeypatch) is IngestOutcome.HELD
    [settled] = work.settled
    assert (settled.state, settled.held, settled.master) == (HELD, HELD_IMAGE, MasterRef())
    assert work.removed == []


@pytest.mark.parametrize("held", [HeldUpload(), HELD_IMAGE])
@pytest.mark.parametrize(("refusal", "state"), [(Refusal(), READY), (Refusal("damaged"), REFUSED)])
def test_a_master_in_the_index_stays(
    monkeypatch: pytest.MonkeyPatch, held: HeldUpload, refusal: Refusal, state: str
) -> None:
    work = Work(record(CLAIMED, master=master(EARLIER), held=held, refusal=refusal), served=kept(marks(EARLIER)))
    assert work.end(monkeypatch) is IngestOutcome.READY
    [settled] = work.settled
    assert (settled.state, settled.master) == (state, master(EARLIER))


def test_a_half_withdrawn_image_is_held_and_flagged(monkeypatch: pytest.MonkeyPatch) -> None:
    work = Work(record(CLAIMED, master=master(EARLIER)), waiting=kept(marks()))
    assert work.end(monkeypatch) is IngestOutcome.HELD
    [settled] = work.settled
    assert (settled.state, settled.master, settled.refusal) == (HELD, MasterRef(), Refusal())
    assert (settled.held.sha256, settled.held.flagged) == (OURS, True)
    assert settled.held.master == master()


@pytest.mark.parametrize(
    ("own", "served", "waiting"),
    [
        (record(CLAIMED, ""), None, None),
        (record(CLAIMED, "", held=HELD_IMAGE), None, None),
        (record(CLAIMED, "", held=HELD_IMAGE), LATER, None),
        (record(CLAIMED, master=master(EARLIER)), None, None),
        (record(CLAIMED, master=master(EARLIER)), CURRENT, None),
        (record(CLAIMED, master=master(CURRENT)), EARLIER, None),
        (record(CLAIMED, master=master(EARLIER)), None, OTHERS),
        (record(CLAIMED, ""), None, OURS),
    ],
)
def test_where_nothing_is_left_the_upload_is_needed(
    monkeypatch: pytest.MonkeyPatch, own: Record, served: str | None, waiting: str | None
) -> None:
    work = Work(
        own,
        served=kept(marks(served)) if served else None,
        waiting=kept(marks(sha256=waiting)) if waiting else None,
    )
    assert work.end(monkeypatch) is None
    assert work.settled == []


@pytest.mark.parametrize(("status", "retryable", "refuses"), ERRORS)
def test_presets_are_left_out_for_errors_of_the_master_alone(
    monkeypatch: pytest.MonkeyPatch, status: int, retryable: bool, refuses: bool
) -> None:
    error = make_error(status, retryable)
    monkeypatch.setattr(review, "render_from_master", lambda *_, **__: iter(()))
    work = Work(record(), served=kept(marks()), plans=("plan",), presets=error)
    if refuses:
        assert work.render(monkeypatch) == ()
    else:
        with pytest.raises(DarkroomError) as raised:
            work.render(monkeypatch)
        assert raised.value is error


@pytest.mark.parametrize(
    ("served", "plans", "names"),
    [(True, ("plan",), ("photo.jpg/_/w-8.webp",)), (False, ("plan",), ()), (True, (), ()), (False, (), ())],
)
def test_presets_need_a_master_and_plans(
    monkeypatch: pytest.MonkeyPatch, served: bool, plans: tuple[str, ...], names: tuple[str, ...]
) -> None:
    monkeypatch.setattr(review, "render_from_master", lambda *_, **__: iter(()))
    work = Work(record(), served=kept(marks()) if served else None, plans=plans)
    assert work.render(monkeypatch) == names


def test_a_release_whose_master_was_replaced_is_superseded(monkeypatch: pytest.MonkeyPatch) -> None:
    work = Work(record(), served=kept(marks()), plans=("plan",))
    with pytest.raises(Superseded) as raised:
        work.render(monkeypatch)
    assert raised.value.wrote is True


BODY = png_noise(4, 3)


@dataclass
class Store:
    """One object, opened with its current entity tag; None once it is deleted."""

    etag: str | None = '"etag"'
    closed: bool = False

    def open(self, key: str) -> Any:
        if self.etag is None:
            return None
        body = io.BytesIO(BODY)
        return SimpleNamespace(head=kept({}, len(BODY), self.etag), body=body)


def reprint(store: Any, master: ObjectHead, limits: Limits) -> list[Any]:
    shared: list[Deadline] = []

    def expose(data: bytes, plans: Any, _watermarks: Any, deadline: Deadline, *, mezzanines: bool, rights: str) -> Any:
        shared.append(deadline)
        return [(plans, data)]

    def render(series: Any, deadline: Deadline) -> Any:
        assert shared == [deadline], "the decode and the renders have one limit"
        return series

    examiner: Any = SimpleNamespace(limits=limits, cpu_limit=INGEST, decode=expose, render=render)
    plans: Any = ["plan"]
    return list(render_from_master(store, examiner, master, plans, {}))


def test_a_master_is_read_whole_up_to_the_limit_of_bytes() -> None:
    there = kept({}, len(BODY))
    assert reprint(Store(), there, Limits(max_bytes=len(BODY))) == [(["plan"], BODY)]
    with pytest.raises(OverLimits, match=f"{len(BODY):,} bytes; the limit is {len(BODY) - 1:,}"):
        reprint(Store(), there, Limits(max_bytes=len(BODY) - 1))


@pytest.mark.parametrize("etag", [None, '"other"', '"a"', '"z"', ""])
def test_a_master_that_is_another_or_gone_is_not_read(etag: str | None) -> None:
    with pytest.raises(ObjectChanged):
        reprint(Store(etag), kept({}, len(BODY)), Limits())


def test_a_master_over_the_limit_of_pixels_is_not_decoded() -> None:
    with pytest.raises(OverLimits):
        reprint(Store(), kept({}, len(BODY)), Limits(max_pixels=11))
    assert reprint(Store(), kept({}, len(BODY)), Limits(max_pixels=12))


def test_an_attempt_at_what_is_done_names_the_attempt_before() -> None:
    attempt = review._start_attempt(Work(record()).context, record())
    assert isinstance(attempt, EventAttempt)
    assert (attempt.key, attempt.sequencer, attempt.replaces_token) == (KEY, CURRENT, "token")
