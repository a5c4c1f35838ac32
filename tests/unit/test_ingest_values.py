"""The dataclasses of ingest: values and services that nothing changes, but for one attempt."""

from __future__ import annotations

import importlib
import io
import pkgutil
from collections.abc import Iterator
from dataclasses import FrozenInstanceError, fields, is_dataclass
from typing import Any
from unittest.mock import MagicMock

import pytest

import darkroom.services.ingest
from darkroom.aws.index import Claimed
from darkroom.aws.record import CLAIMED, HELD, Record
from darkroom.aws.s3 import ObjectHead
from darkroom.errors import Busy, OverLimits
from darkroom.plan.limits import Limits
from darkroom.services.ingest.claims import SHA256, Attempt, Claims, Lease, Superseded
from darkroom.services.ingest.cutting import Cutting
from darkroom.services.ingest.ending import IngestOutcome
from darkroom.services.ingest.events import EventKind, IngestEvent, build_repair_message, read_event
from darkroom.services.ingest.examine import FetchedUpload, UploadExaminer, fetch_upload
from darkroom.services.ingest.moderating import Moderating
from darkroom.services.ingest.moderation import Moderation
from darkroom.services.ingest.moving import Moving
from darkroom.services.ingest.publish import Publisher
from darkroom.services.ingest.quarantine import Quarantine
from darkroom.services.ingest.reprints import Reprints
from darkroom.services.ingest.service import Ingest
from darkroom.services.s3_keys import MASTERS

KEY = "photo.jpg"
FILLED = {Attempt}
WITH_SLOTS = {IngestEvent, Lease, FetchedUpload}
"""Values of which there may be many at once."""


def find_dataclasses() -> set[type]:
    """Return all dataclasses that modules of the package define."""
    package = darkroom.services.ingest
    names = [one.name for one in pkgutil.walk_packages(package.__path__, f"{package.__name__}.")]
    members = [(name, one) for name in names for one in vars(importlib.import_module(name)).values()]
    return {one for name, one in members if isinstance(one, type) and is_dataclass(one) and one.__module__ == name}


def build_stub(**values: Any) -> Any:
    """Return an object that has any attribute, and ``values``, named by their paths with ``__`` for the dot."""
    return MagicMock(**{name.replace("__", "."): value for name, value in values.items()})


def build_kept(size_bytes: int = 3, **metadata: str) -> ObjectHead:
    return ObjectHead(KEY, '"etag"', size_bytes, "v1", 0.0, {}, metadata, {})


def make_values() -> Iterator[object]:
    """Yield values that the code of the package makes, or that it runs code of."""
    change = read_event(str(build_repair_message(KEY)).replace("'", '"'))
    assert change is not None
    yield change
    claims = Claims(build_stub(claim__return_value=Claimed()), build_stub(), build_stub(), MASTERS, 60)
    hold = claims.take(KEY, "0A", instead_of="")
    yield from (claims, hold)
    body = io.BytesIO(b"abc")
    upload = fetch_upload(build_stub(open__return_value=(build_kept(), body)), KEY, Limits())
    assert upload is not None
    examiner = UploadExaminer(Limits(), build_stub())
    examiner.scan(b"")
    yield from (upload, examiner)
    publisher = Publisher(claims, build_stub(), build_stub(), build_stub(), build_stub())
    yield from (publisher, publisher.masters, publisher.held)
    quarantine = Quarantine(build_stub(copy__return_value=None), build_stub())
    assert quarantine.store(build_kept(), "0A", OverLimits(), digest="", trace_id="") == ""
    moderation = Moderation(build_stub(of__return_value=None), blocks=True)
    assert moderation.get_verdict(KEY, "") is None
    yield from (quarantine, moderation)
    yield from make_services(moderation)
    yield from make_parts(hold)


def make_services(moderation: Moderation) -> Iterator[object]:
    """Yield the service and its parts, after messages that leave the record as it is."""
    held = {"sha256": "a", "flagged": False, "facts": {}, "master": {"content_type": "", "size_bytes": 0, "how": ""}}
    records = {
        EventKind.VERDICT: Record(KEY, HELD, "0A", announced=True, held=held),
        EventKind.LARGE_IMAGE: Record(KEY, CLAIMED, "0A", scene={"id": "another", "token": "token"}),
    }
    for kind, known in records.items():
        claims = build_stub(index__get__return_value=known, clock__return_value=0.0, holding=None)
        brought = darkroom.services.ingest.client_findings.ClientFindingsReader(None, build_stub(), "1", build_stub())
        assert brought.read(FetchedUpload(build_kept(), b"abc", "")) is None
        ingest = Ingest(
            examiner=build_stub(),
            publisher=build_stub(claims=claims),
            quarantine=build_stub(),
            moderation=moderation,
            brought=brought,
            bus=build_stub(),
            audit=build_stub(),
            observer=build_stub(),
            machine=build_stub(),
        )
        scene = darkroom.services.ingest.announcements.build_image_id(KEY, "0A", "")
        if kind is EventKind.LARGE_IMAGE:
            with pytest.raises(Busy):
                ingest.handle(IngestEvent(kind, KEY, "", scene=scene))
        else:
            assert ingest.handle(IngestEvent(kind, KEY, "")) is IngestOutcome.DROPPED
        intake = ingest._intake
        yield from (brought, ingest, intake, intake.ending, intake.prints, Moderating(intake))
        yield Cutting(intake, build_stub())


def make_parts(hold: Lease) -> Iterator[object]:
    """Yield the parts that move masters and read them again, after one use by moderation."""
    own = Record(KEY, CLAIMED, "0A", sha256="a", master={"sequencer": "09"})
    intake = build_stub(
        examiner__limits=Limits(),
        publisher__claims__own__return_value=own,
        publisher__claims__master__return_value=None,
        publisher__claims__source__open__return_value=None,
        publisher__held__head__return_value=build_kept(**{SHA256: "a"}),
        publisher__taken_down__return_value=own,
    )
    assert Moderating(intake).as_found(build_stub(), own) is IngestOutcome.HELD
    with pytest.raises(Superseded):
        Moderating(intake)._reprinted(build_kept(), [], {})
    yield from (Moving(intake.publisher), Reprints(build_stub(), intake.examiner))


def test_values_are_frozen() -> None:
    seen: set[type] = set()
    for value in make_values():
        assert is_dataclass(value)
        seen.add(type(value))
        for field in fields(value):
            with pytest.raises(FrozenInstanceError):
                setattr(value, field.name, None)
    assert {one.__name__ for one in find_dataclasses() - FILLED - seen} == {"IngestConsumer"}
    assert all(one.__dataclass_params__.frozen for one in find_dataclasses() - FILLED)  # type: ignore[attr-defined]


def test_slots() -> None:
    made = {type(value): hasattr(value, "__dict__") for value in make_values()}
    assert {one for one, is_open in made.items() if not is_open} == WITH_SLOTS
    assert {one for one in find_dataclasses() if "__slots__" in vars(one)} == WITH_SLOTS
