"""The dataclasses of ingest are frozen, but for those of one attempt."""

from __future__ import annotations

import importlib
import io
import pkgutil
from collections.abc import Iterator
from dataclasses import FrozenInstanceError, fields, is_dataclass
from typing import Any
from unittest.mock import MagicMock

import pytest

import darkroom_pipeline.services.ingest
from darkroom.errors import Busy, OverLimits
from darkroom.image_keys import MASTERS
from darkroom.plan.limits import Limits
from darkroom_pipeline.aws.record import CLAIMED, HELD, HeldUpload, LargeImageRef, Record, build_image_id
from darkroom_pipeline.aws.s3 import ObjectHead
from darkroom_pipeline.services.ingest.admit import Candidate
from darkroom_pipeline.services.ingest.claims import Claims, EventAttempt, Lease
from darkroom_pipeline.services.ingest.client_findings import ClientFindingsReader
from darkroom_pipeline.services.ingest.context import IngestContext, IngestOutcome
from darkroom_pipeline.services.ingest.derivative_store import DerivativeStore
from darkroom_pipeline.services.ingest.events import EventKind, IngestEvent, build_repair_message, read_event
from darkroom_pipeline.services.ingest.examine import FetchedUpload, UploadExaminer, fetch_upload
from darkroom_pipeline.services.ingest.handler import IngestConsumer, handle_event
from darkroom_pipeline.services.ingest.moderation import Moderation, ReviewState
from darkroom_pipeline.services.ingest.quarantine import Quarantine
from darkroom_pipeline.services.ingest.stores import MasterStore

KEY = "photo.jpg"
FILLED = {EventAttempt}
WITH_SLOTS = {Candidate, IngestEvent, Lease, FetchedUpload}
"""Values of which there may be many at once."""


def find_dataclasses() -> set[type]:
    """Return all dataclasses that modules of the package define."""
    package = darkroom_pipeline.services.ingest
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
    event = read_event(str(build_repair_message(KEY)).replace("'", '"'))
    assert event is not None
    yield event
    claims = Claims(build_stub(claim__return_value=True), build_stub(), build_stub(), MASTERS, 60)
    lease = claims.acquire(KEY, "0A", replaces_token="")
    yield from (claims, lease)
    body = io.BytesIO(b"abc")
    upload = fetch_upload(build_stub(open__return_value=(build_kept(), body)), KEY, Limits())
    assert upload is not None
    examiner = UploadExaminer(Limits(), build_stub())
    examiner.scan(b"")
    yield from (upload, examiner, MasterStore(claims, build_stub(), MASTERS))
    yield DerivativeStore(build_stub(), build_stub(), build_stub(), build_stub())
    quarantine = Quarantine(build_stub(copy__return_value=None), build_stub())
    assert quarantine.store(build_kept(), "0A", OverLimits(), digest="", trace_id="") == ""
    moderation = Moderation(lambda: build_stub(get__return_value=None), build_stub(), blocks=True)
    assert moderation.get_verdict(KEY, "") is None
    findings = ClientFindingsReader(None, build_stub(), "1", build_stub())
    assert findings.read(FetchedUpload(build_kept(), b"abc", "")) is None
    yield from (quarantine, moderation, findings, Candidate(upload, ReviewState.PASSED, None, (), {}))
    yield from make_contexts(moderation, findings)


def make_contexts(moderation: Moderation, findings: ClientFindingsReader) -> Iterator[object]:
    """Yield the context and the consumer, after messages that leave the record as it is."""
    records = {
        EventKind.VERDICT: Record(KEY, HELD, "0A", announced=True, held=HeldUpload("a")),
        EventKind.LARGE_IMAGE: Record(KEY, CLAIMED, "0A", large_image=LargeImageRef("another", "token")),
    }
    for kind, known in records.items():
        index = build_stub(get__return_value=known)
        claims = Claims(index, build_stub(), build_stub(), MASTERS, 60, lambda: 0.0)
        parts = {one.name: build_stub() for one in fields(IngestContext)}
        parts |= {"claims": claims, "moderation": moderation, "open_client_findings": lambda: findings}
        context = IngestContext(**parts)
        large_image_id = build_image_id(KEY, "0A", "")
        if kind is EventKind.LARGE_IMAGE:
            with pytest.raises(Busy):
                handle_event(context, IngestEvent(kind, KEY, "", large_image_id=large_image_id))
        else:
            assert handle_event(context, IngestEvent(kind, KEY, "")) is IngestOutcome.DROPPED
        yield from (context, IngestConsumer(build_stub(), build_stub(), 1, context, build_stub()))


def test_values_are_frozen() -> None:
    seen: set[type] = set()
    for value in make_values():
        assert is_dataclass(value)
        seen.add(type(value))
        for field in fields(value):
            with pytest.raises(FrozenInstanceError):
                setattr(value, field.name, None)
    assert find_dataclasses() - FILLED - seen == set()
    assert all(one.__dataclass_params__.frozen for one in find_dataclasses() - FILLED)  # type: ignore[attr-defined]


def test_slots() -> None:
    made = {type(value): hasattr(value, "__dict__") for value in make_values()}
    assert {one for one, is_open in made.items() if not is_open} == WITH_SLOTS
    assert {one for one in find_dataclasses() if "__slots__" in vars(one)} == WITH_SLOTS
