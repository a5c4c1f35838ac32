"""Client-supplied findings: accepted signatures and storage."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import Any

import pytest

from darkroom.client_findings import ClientFindings, FaceBox, Tag, encode_findings, sign_findings
from darkroom.errors import ObjectChanged
from darkroom.findings import CLIENT, FACES, TAGS, Face, Findings, Label, Region
from darkroom_pipeline.aws.findings_store import Sidecar
from darkroom_pipeline.aws.s3 import ObjectHead
from darkroom_pipeline.aws.s3_objects import FINDINGS, FINDINGS_SIGNATURE
from darkroom_pipeline.services.ingest.client_findings import MODEL, TRIES, ClientFindingsReader
from darkroom_pipeline.services.ingest.examine import FetchedUpload

from .ingest_stores import build_context

KEY, SHA256 = "photo.jpg", "ab" * 32
FOUND = ClientFindings((FaceBox(1000, 2000, 3000, 4000, 9000),), (Tag("tree", 5000),))
TEXT = encode_findings(FOUND)


@dataclass
class Keys:
    """Signing keys as they are cached, and as the secret has them."""

    cached: Sequence[str]
    fresh: Sequence[str]

    def get(self, *, refresh: bool = False) -> Sequence[str]:
        return self.fresh if refresh else self.cached


@dataclass
class Log:
    """An observer that records log lines and metrics."""

    logged: list[dict[str, object]] = field(default_factory=list)
    counted: list[tuple[str, Mapping[str, str]]] = field(default_factory=list)

    def log(self, level: str, message: str, **fields: object) -> None:
        self.logged.append({"level": level, "message": message, **fields})

    def count(self, metric: str, value: float = 1, unit: str = "Count", **dimensions: str) -> None:
        self.counted.append((metric, dimensions))

    def step(self, name: str) -> Any:
        return nullcontext()


@dataclass
class Archive:
    """One sidecar. The first ``conflicts`` writes lose to another writer, which leaves ``there``."""

    there: Sidecar | None = None
    conflicts: int = 0
    written: list[tuple[str, Findings, Sidecar | None]] = field(default_factory=list)
    reads: list[tuple[str, str]] = field(default_factory=list)

    def read_sidecar(self, generation: str, key: str) -> Sidecar | None:
        self.reads.append((generation, key))
        return self.there

    def put_sidecar(self, key: str, findings: Findings, *, replaces: Sidecar | None) -> None:
        if self.conflicts:
            self.conflicts -= 1
            raise ObjectChanged
        self.written.append((key, findings, replaces))


def build(keys: Keys | None, archive: Archive | None = None) -> tuple[ClientFindingsReader, Log]:
    log: Any = Log()
    stored: Any = archive or Archive()
    return ClientFindingsReader(keys, stored, "7", log), log


def upload(metadata: Mapping[str, str]) -> FetchedUpload:
    return FetchedUpload(ObjectHead(KEY, '"etag"', 3, "v1", 0.0, {}, metadata, {}), b"abc", SHA256)


def signed(signing_key: str, text: str = TEXT) -> FetchedUpload:
    return upload({FINDINGS: text, FINDINGS_SIGNATURE: sign_findings(KEY, SHA256, text, signing_key)})


@pytest.mark.parametrize(
    ("cached", "fresh", "accepted"),
    [
        (("new", "old"), ("new", "old"), {"new", "old"}),
        (("old", "older"), ("new", "old"), {"new", "old", "older"}),
        (("old",), ("new",), {"new", "old"}),
        ((), ("new",), {"new"}),
        (("old",), (), {"old"}),
    ],
)
def test_a_cached_key_and_a_fresh_key_each_suffice(
    cached: Sequence[str], fresh: Sequence[str], accepted: set[str]
) -> None:
    for signing_key in ("new", "old", "older", "other"):
        client_findings, log = build(Keys(cached, fresh))
        expected = FOUND if signing_key in accepted else None
        assert client_findings.read(signed(signing_key)) == expected
        assert [fields["reason"] for _, fields in log.counted] == ([] if expected else ["forged"])


def test_without_keys_or_findings_nothing_is_read_and_nothing_is_logged() -> None:
    for keys, metadata in ((None, signed("new").head.metadata), (Keys(("new",), ("new",)), {})):
        client_findings, log = build(keys)
        assert client_findings.read(upload(metadata)) is None
        assert (log.logged, log.counted) == ([], [])


def test_the_usual_upload_needs_no_reader_of_findings() -> None:
    opened: list[ClientFindingsReader] = []

    def open_reader() -> ClientFindingsReader:
        opened.append(build(Keys(("new",), ("new",)))[0])
        return opened[-1]

    context = build_context(open_client_findings=open_reader)
    assert (context.read_client_findings(upload({})), opened) == (None, [])
    assert context.read_client_findings(signed("new")) == FOUND


def test_each_reason_to_ignore_findings_is_logged_and_counted() -> None:
    cases = {
        "unsigned": upload({FINDINGS: TEXT}),
        "forged": upload({FINDINGS: TEXT, FINDINGS_SIGNATURE: "AAAA"}),
        "malformed": signed("new", "e30"),
    }
    for reason, one in cases.items():
        client_findings, log = build(Keys(("new",), ("new",)))
        assert client_findings.read(one) is None
        [line] = log.logged
        assert (line["level"], line["key"], line["reason"]) == ("WARNING", KEY, reason)
        assert bool(line["detail"]) is (reason == "malformed")
        assert log.counted == [("FindingsIgnored", {"reason": reason})]


def test_findings_are_stored_as_fractions_for_this_master() -> None:
    archive = Archive()
    client_findings, _ = build(None, archive)
    client_findings.store(KEY, FOUND, '"etag"')
    [(key, findings, replaces)] = archive.written
    assert (key, replaces, archive.reads) == (KEY, None, [("7", KEY)])
    assert (findings.generation, findings.source_etag, set(findings.found)) == ("7", "etag", {FACES, TAGS})
    assert findings.found[FACES].faces == (Face(Region(0.1, 0.2, 0.3, 0.4), 0.9),)
    assert findings.found[TAGS].labels == (Label("tree", 0.5),)
    assert {(one.model, one.version, one.origin) for one in findings.found.values()} == {(MODEL, "", CLIENT)}
    assert findings.analysed_at.endswith("+00:00")


@pytest.mark.parametrize(("found", "tasks"), [((), {FACES}), (None, set())])
def test_only_tasks_that_came_along_are_stored(found: tuple[FaceBox, ...] | None, tasks: set[str]) -> None:
    archive = Archive()
    client_findings, _ = build(None, archive)
    client_findings.store(KEY, ClientFindings(found), "etag")
    [(_, findings, _)] = archive.written
    assert set(findings.found) == tasks


def test_findings_on_this_master_stay_and_others_are_replaced() -> None:
    for there in (
        Sidecar(Findings("7", "earlier", {}), '"1"'),
        Sidecar(Findings("7", "z", {}), '"1"'),
        Sidecar(None, ""),
    ):
        archive = Archive(there)
        build(None, archive)[0].store(KEY, FOUND, "etag")
        assert [replaces for _, _, replaces in archive.written] == [there]
    archive = Archive(Sidecar(Findings("7", "etag", {}), '"1"'))
    build(None, archive)[0].store(KEY, FOUND, '"etag"')
    assert archive.written == []


@pytest.mark.parametrize("conflicts", range(TRIES + 1))
def test_a_write_is_tried_again_after_a_conflict(conflicts: int) -> None:
    archive = Archive(conflicts=conflicts)
    client_findings, _ = build(None, archive)
    if conflicts < TRIES:
        client_findings.store(KEY, FOUND, "etag")
    else:
        with pytest.raises(ObjectChanged):
            client_findings.store(KEY, FOUND, "etag")
    assert len(archive.written) == (conflicts < TRIES)
    assert len(archive.reads) == min(conflicts + 1, TRIES)
