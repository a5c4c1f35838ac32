"""Large images: start of the work, repeated messages, and each outcome."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Any

import pytest

from darkroom.errors import (
    Busy,
    ChecksumMismatch,
    DamagedSource,
    DarkroomError,
    InfectedUpload,
    OverLimits,
    SceneFailed,
    SourceMissing,
)
from darkroom.image_keys import HELD_MASTERS, MASTERS
from darkroom.imaging.source import RangedBytes, Source
from darkroom.plan.limits import Limits
from darkroom.services.master_reader import TIFF
from darkroom_pipeline.aws.record import CLAIMED, READY, LargeImageRef, MasterRef, Record, build_image_id
from darkroom_pipeline.aws.s3 import ObjectHead
from darkroom_pipeline.services.ingest import large_image
from darkroom_pipeline.services.ingest.claims import Claims, Lease, StaleIndex
from darkroom_pipeline.services.ingest.context import IngestContext, IngestOutcome
from darkroom_pipeline.services.ingest.events import EventKind, IngestEvent
from darkroom_pipeline.services.ingest.examine import FetchedUpload
from darkroom_pipeline.services.ingest.large_image import FORMATS, LEASE_S, TRIES
from darkroom_pipeline.services.ingest.stores import MasterStore
from tests.images.photographs import jpeg_photo, png_noise

from .ingest_stores import build_context

KEY, SEQUENCER, VERSION, SHA256 = "map.png", "0A", "v1", "a" * 64
NOW_S = 1_000_000.0
IMAGE_ID = build_image_id(KEY, SEQUENCER, VERSION)


def kept(key: str = KEY, size_bytes: int = 3) -> ObjectHead:
    return ObjectHead(key, '"etag"', size_bytes, VERSION, 0.0, {}, {}, {})


@dataclass
class Work:
    """A key in the index, a state machine and the stores, with everything that was done to them."""

    record: Record | None = None
    present: bool = True
    started: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    calls: list[tuple[str, Any]] = field(default_factory=list)
    outcome: Callable[[], IngestOutcome] | None = None
    limits: Limits = field(default_factory=Limits)
    scanner: Any = None

    def _call(self, name: str, result: Any = None) -> Callable[..., Any]:
        def call(*arguments: Any, **_: Any) -> Any:
            self.calls.append((name, arguments))
            return result

        return call

    def _settle(self, record: Record) -> None:
        self.record = record

    def _scan(self, data: bytes) -> None:
        self.calls.append(("scan", data))
        if self.scanner is not None and self.scanner(data):
            raise InfectedUpload

    @property
    def context(self) -> IngestContext:
        claims: Any = SimpleNamespace(
            request_check=self._call("request_check"),
            clock=lambda: NOW_S,
            get_own_record=lambda lease: self.record,
            settle=self._settle,
            index=SimpleNamespace(release_lease=self._call("release")),
            acquire=lambda key, sequencer, replaces_token: Lease(key, sequencer, "token"),
            build_busy=lambda known: Claims.build_busy(claims, known),
        )
        media: Any = SimpleNamespace(copy=self._call("copy", '"new"'), list_pages=lambda folder: iter(()))
        return build_context(
            claims=claims,
            media=media,
            masters=MasterStore(claims, media, MASTERS),
            held_masters=MasterStore(claims, media, HELD_MASTERS),
            derivatives=SimpleNamespace(purge=self._call("purge")),
            examiner=SimpleNamespace(
                limits=self.limits, scanner=self.scanner, scan=self._scan, detect_converted_format=lambda upload: ""
            ),
            observer=SimpleNamespace(step=lambda name: nullcontext(), log=self._call("log"), count=self._call("count")),
            uploads=SimpleNamespace(head=self._head),
            open_state_machine=lambda: SimpleNamespace(start=self._start),
            keep_gps=False,
        )

    def complete(self, event: IngestEvent, monkeypatch: pytest.MonkeyPatch) -> IngestOutcome:
        monkeypatch.setattr(large_image, "announce", lambda context, record: self._call("announce")(record))
        monkeypatch.setattr(large_image, "refuse", self._refuse)
        return large_image.complete(self.context, event, self.record)

    def _start(self, name: str, document: dict[str, str]) -> str:
        self.started.append((name, document))
        return "execution"

    def _head(self, key: str, version_id: str) -> ObjectHead | None:
        assert (key, version_id) == (KEY, VERSION)
        return kept() if self.present else None

    def _refuse(self, context: Any, attempt: Any, upload: FetchedUpload, error: DarkroomError) -> IngestOutcome:
        self.calls.append(("refuse", (upload, error)))
        return IngestOutcome.REFUSED

    def called(self, name: str) -> list[Any]:
        return [arguments for one, arguments in self.calls if one == name]


def claimed(token: str = "begun", lease_until_s: float = NOW_S + LEASE_S, **changed: Any) -> Record:
    started = replace(LargeImageRef(IMAGE_ID, "begun", 1, SHA256, VERSION), **changed)
    return Record(KEY, CLAIMED, SEQUENCER, token, lease_until_s=int(lease_until_s), large_image=started)


def message(**further: str) -> IngestEvent:
    return IngestEvent(EventKind.LARGE_IMAGE, KEY, "", version_id=VERSION, **{"large_image_id": IMAGE_ID, **further})


def begin(work: Work, body: bytes | None) -> None:
    attempt: Any = SimpleNamespace(acquire=lambda: Lease(KEY, SEQUENCER, "token"))
    header: Any = SimpleNamespace(
        format="png", upright_width=8, upright_height=4, frames=1, colour="rgb", bits=8, has_alpha=False, gain_map=False
    )
    upload = FetchedUpload(kept(size_bytes=77), body, SHA256, (body or b"")[:100])
    assert large_image.start(work.context, attempt, upload, header) is IngestOutcome.STARTED


def test_the_first_execution_is_number_one() -> None:
    work = Work(Record(KEY, CLAIMED, SEQUENCER, "token"))
    begin(work, None)
    assert work.started == [(IMAGE_ID, {"scene": IMAGE_ID, "key": KEY, "version_id": VERSION})]
    assert work.record is not None
    assert LEASE_S == 18_000
    assert (work.record.state, work.record.lease_until_s) == (CLAIMED, int(NOW_S + LEASE_S))
    facts = work.record.large_image.facts
    assert (facts["format"], facts["width"], facts["height"], facts["size_bytes"]) == ("png", 8, 4, 77)
    named = {
        name: getattr(work.record.large_image, name)
        for name in ("id", "token", "tries", "sha256", "version_id", "provenance")
    }
    assert named == {
        "id": IMAGE_ID,
        "token": "token",
        "tries": 1,
        "sha256": SHA256,
        "version_id": VERSION,
        "provenance": {},
    }
    assert work.called("count") == [("LargeImagesStarted",)]


@pytest.mark.parametrize("tries", range(1, TRIES + 2))
def test_three_executions_are_tried(monkeypatch: pytest.MonkeyPatch, tries: int) -> None:
    assert TRIES == 3
    work = Work(claimed(tries=tries))
    if tries >= 3:
        with pytest.raises(SceneFailed) as raised:
            work.complete(message(fault="States.Timeout"), monkeypatch)
        assert raised.value.detail == f"States.Timeout; {tries} executions of {IMAGE_ID} failed"
        assert work.started == []
        assert work.called("release")[-1] == (KEY, "token"), "the next attempt need not wait"
        return
    assert work.complete(message(fault="States.Timeout"), monkeypatch) is IngestOutcome.STARTED
    assert work.record is not None
    assert (work.record.large_image.tries, work.record.large_image.token) == (tries + 1, "token")
    assert [name for name, _ in work.started] == [IMAGE_ID]


@pytest.mark.parametrize(("left_s", "retry_in_s"), [(30.0, 30.0), (1.0, 1.0), (2.0, 2.0), (0.0, 1.0), (-60.0, 1.0)])
def test_a_message_before_its_record_comes_again_after_the_lease(
    monkeypatch: pytest.MonkeyPatch, left_s: float, retry_in_s: float
) -> None:
    for scene in ("", "z"):
        work = Work(claimed("other", NOW_S + left_s, id=scene))
        with pytest.raises(Busy) as raised:
            work.complete(message(), monkeypatch)
        assert raised.value.retry_in_s == retry_in_s
        assert raised.value.detail == f"{KEY} is claimed by other"
        assert work.calls == []


@pytest.mark.parametrize("id_", ["", "0", "z"])
def test_a_message_about_another_event_is_dropped(monkeypatch: pytest.MonkeyPatch, id_: str) -> None:
    for known in (None, claimed(id=id_)):
        work = Work(known)
        other = build_image_id(KEY, "09", VERSION)
        assert work.complete(message(large_image_id=other), monkeypatch) is IngestOutcome.DROPPED
        assert (work.called("announce"), work.called("release"), work.started) == ([], [], [])


def test_a_message_about_a_settled_key_announces_it_again(monkeypatch: pytest.MonkeyPatch) -> None:
    known = Record(KEY, READY, SEQUENCER, "token", large_image=LargeImageRef(IMAGE_ID))
    work = Work(known)
    assert work.complete(message(), monkeypatch) is IngestOutcome.DROPPED
    assert work.called("announce") == [(known,)]


@pytest.mark.parametrize(
    ("present", "code"), [(False, ""), (False, "damaged"), (True, SourceMissing.code), (False, SourceMissing.code)]
)
def test_an_upload_that_is_gone_releases_the_key(monkeypatch: pytest.MonkeyPatch, present: bool, code: str) -> None:
    work = Work(claimed(), present=present)
    assert work.complete(message(code=code), monkeypatch) is IngestOutcome.DROPPED
    assert work.called("log") == [("INFO", "upload missing")]
    assert work.called("release") == [(KEY, "begun"), (KEY, "token")]
    assert work.called("refuse") == []


@pytest.mark.parametrize("token", ["other", "a", "z"])
def test_the_claim_of_another_attempt_is_not_released(monkeypatch: pytest.MonkeyPatch, token: str) -> None:
    work = Work(claimed(token), present=False)
    assert work.complete(message(), monkeypatch) is IngestOutcome.DROPPED
    assert work.called("release") == [(KEY, "token")]


@pytest.mark.parametrize(("code", "kind"), [("damaged", DamagedSource), ("no-such-code", DarkroomError)])
def test_a_code_refuses_the_upload_with_its_reason(
    monkeypatch: pytest.MonkeyPatch, code: str, kind: type[DarkroomError]
) -> None:
    work = Work(claimed())
    assert work.complete(message(code=code, reason="Row 7 is damaged"), monkeypatch) is IngestOutcome.REFUSED
    [(upload, error)] = work.called("refuse")
    assert (upload.head, upload.data, upload.sha256) == (kept(), None, SHA256)
    assert (type(error), error.message) == (kind, "Row 7 is damaged")


def test_a_newer_master_is_published_over(monkeypatch: pytest.MonkeyPatch) -> None:
    work = Work(claimed())
    sequencers: list[str] = []

    def publish(_: Any, lease: Lease, own: Record, upload: FetchedUpload, large_image_id: str) -> IngestOutcome:
        sequencers.append(lease.sequencer)
        if len(sequencers) == 1:
            raise StaleIndex("0F")
        return IngestOutcome.READY

    monkeypatch.setattr(large_image, "publish", publish)
    assert work.complete(message(), monkeypatch) is IngestOutcome.READY
    assert sequencers == [SEQUENCER, "0F"]


@pytest.mark.parametrize("name", ["masters", "held"])
def test_only_a_master_that_is_served_is_replaced_with_a_purge(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    work = Work(claimed())

    def replace_object(store: MasterStore, lease: Lease, write: Any) -> tuple[str, bool]:
        return write(None), True

    monkeypatch.setattr(MasterStore, "replace", replace_object)
    pyramid = kept("scenes/x/master.tif", 99)
    upload = FetchedUpload(kept(), None, SHA256)
    lease = Lease(KEY, SEQUENCER, "token")
    described = large_image.copy_pyramid(work.context, lease, upload, pyramid, "rights", held=name == "held")
    assert described.ref == MasterRef('"new"', SEQUENCER, VERSION, TIFF, 99, "pyramid", rights="rights")
    assert work.called("purge") == ([(KEY,)] if name == "masters" else [])
    [(_, source, target)] = work.called("copy")
    assert (source, target) == (pyramid.key, f"{name}/{KEY}")


def header_of(work: Work, body: bytes, *, fetched: bool = True, head: bytes | None = None) -> Any:
    sums = {"sha256": "other"}
    upload = FetchedUpload(
        kept(size_bytes=len(body)), body if fetched else None, SHA256, body if head is None else head, sums
    )
    return large_image.read_header(work.context, upload, OverLimits("over"))


LARGE = Limits(max_pixels=6, max_scene_pixels=4_000_000)


def test_a_large_image_that_was_fetched_is_scanned() -> None:
    body = png_noise(4, 3)
    work = Work(limits=LARGE, scanner=lambda data: False)
    assert (header_of(work, body).width, work.called("scan")) == (4, [body])
    with pytest.raises(InfectedUpload):
        header_of(Work(limits=LARGE, scanner=lambda data: data == body), body)


def test_what_is_no_large_image_is_over_the_limits() -> None:
    body = png_noise(4, 3)
    refused = [
        (Work(limits=LARGE, scanner=lambda data: False), {"fetched": False}),
        (Work(limits=Limits(max_pixels=6, max_scene_pixels=6)), {}),
        (Work(limits=Limits(max_pixels=6, max_scene_pixels=5)), {}),
        (Work(limits=LARGE), {"head": b""}),
        (Work(limits=LARGE), {"head": b"GIF89a" + bytes(20)}),
    ]
    for work, further in refused:
        with pytest.raises(OverLimits, match=r"^over$"):
            header_of(work, body, **further)  # type: ignore[arg-type]
        assert work.called("scan") == []
    with pytest.raises(OverLimits):
        header_of(Work(limits=Limits(max_pixels=6, max_scene_pixels=7)), body)
    assert {"tiff", "jpeg", "png"} == FORMATS


def test_a_large_image_is_compared_with_its_checksums() -> None:
    body = png_noise(4, 3)
    declared = ObjectHead(KEY, '"etag"', len(body), VERSION, 0.0, {}, {}, {"sha256": "A" * 43 + "="})
    work = Work(limits=LARGE)
    with pytest.raises(ChecksumMismatch):
        large_image.read_header(work.context, FetchedUpload(declared, body, SHA256, body), OverLimits())


def test_slices_of_a_remote_file_are_those_of_its_bytes() -> None:
    data = bytes(range(12))
    file = RangedBytes(Source.from_bytes(data))
    assert len(file) == 12
    bounds = (None, *range(-14, 15))
    for part in (slice(start, end) for start in bounds for end in bounds):
        assert file[part] == data[part]


@pytest.mark.parametrize(
    ("fetched", "format_", "sources"),
    [(True, "png", 0), (True, "jpeg", 0), (False, "png", 0), (False, "jpeg", 1), (False, "tiff", 1)],
)
def test_the_provenance_of_a_png_is_read_only_where_it_was_fetched(
    monkeypatch: pytest.MonkeyPatch, fetched: bool, format_: str, sources: int
) -> None:
    body = jpeg_photo()
    read: list[object] = []
    monkeypatch.setattr(
        "darkroom_pipeline.services.ingest.large_image.read_provenance",
        lambda data, header, keep_gps: read.append(data) or {"read": 1},
    )
    header: Any = SimpleNamespace(format=format_)
    upload = FetchedUpload(kept(size_bytes=len(body)), body if fetched else None, SHA256)
    found = large_image._read_provenance(Work().context, upload, header)
    if not fetched and format_ == "png":
        assert (found, read) == ({}, [])
        return
    assert found == {"read": 1}
    assert [type(one) for one in read] == [RangedBytes if sources else bytes]
