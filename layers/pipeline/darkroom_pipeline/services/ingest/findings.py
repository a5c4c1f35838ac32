"""What is known of an upload beside its bytes: verdicts of moderation, and client-supplied findings."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from darkroom.aws.telemetry import Observer
from darkroom.client_findings import ClientFindings, decode_findings, has_valid_signature
from darkroom.errors import ObjectChanged
from darkroom.findings import CLIENT, FACES, TAGS, Face, Finding, Findings, Label, Region
from darkroom.signing import KeySource

from ...aws.documents import DocumentStore
from ...aws.findings_store import FindingsStore, Verdict, VerdictTable
from ...aws.record import READY, Record
from ...aws.s3_objects import FINDINGS, FINDINGS_SIGNATURE
from .events import IngestEvent, decision_name
from .examine import FetchedUpload
from .stores import TRIES

OFF, LABEL, BLOCK = "off", "label", "block"
"""Policies: no moderation; verdicts are recorded; uploads wait for their verdict."""


class ReviewState(StrEnum):
    """Whether an upload may be served, must wait for a verdict, or must not be served."""

    PASSED = "passed"
    WAITING = "waiting"
    FLAGGED = "flagged"


@dataclass(frozen=True)
class Moderation:
    """The policy. ``blocks``: uploads wait for their verdict. ``decisions`` has the decisions of people."""

    verdicts: VerdictTable
    decisions: DocumentStore
    blocks: bool

    def get_review_state(self, key: str, known: Record | None, sha256: str) -> ReviewState:
        """Return the state of an upload of ``key`` with these bytes. ``known`` is the record of the key before."""
        if not self.blocks:
            return ReviewState.PASSED
        same = known is not None and known.sha256 == sha256
        if same and known is not None and known.released:
            return ReviewState.PASSED
        if (verdict := self.get_verdict(key, sha256)) is not None:
            return ReviewState.FLAGGED if verdict.flagged else ReviewState.PASSED
        served = same and known is not None and known.state == READY
        return ReviewState.PASSED if served else ReviewState.WAITING  # the verdict of what is served is on its way

    def get_verdict(self, key: str, sha256: str) -> Verdict | None:
        """Return the verdict on ``key`` if it is about these bytes."""
        found = self.verdicts.get(key)
        return found if found is not None and found.sha256_of == sha256 else None

    def is_superseded(self, event: IngestEvent) -> bool:
        """Whether the decision in ``event`` is not the last one. Without ``seen`` it cannot be known, and is false."""
        if not event.seen:
            return False
        last = self.decisions.get(decision_name(event.key)).fields
        return (last.get("seen"), last.get("decision"), last.get("by")) != (event.seen, event.kind, event.by)

    def get_explanation(self, record: Record) -> dict[str, Any]:
        """Return the document of the explanation of why the held upload of ``record`` is flagged; {} without one."""
        verdict = self.get_verdict(record.key, record.held.sha256) if record.held.flagged else None
        return json.loads(verdict.explanation) if verdict is not None and verdict.explanation else {}

    def allows_copy(self, donor: Record, state: ReviewState) -> bool:
        """Whether an upload of the same bytes as ``donor``, which is served, may be served."""
        if state is ReviewState.PASSED or donor.released:
            return True
        if state is ReviewState.FLAGGED:
            return False
        verdict = self.get_verdict(donor.key, donor.sha256)
        return verdict is not None and not verdict.flagged


MODEL = "client"
"""Name of the model in findings whose model is unknown."""

_SCALE = 10_000


@dataclass(frozen=True)
class ClientFindingsReader:
    """Reads client-supplied findings, and stores them as findings of ``generation``.

    Without ``keys`` all are ignored.
    """

    keys: KeySource[Sequence[str]] | None
    archive: FindingsStore
    generation: str
    observer: Observer

    def read(self, upload: FetchedUpload) -> ClientFindings | None:
        """Return the findings of ``upload``; None if they are not signed with our key: the upload is not refused.

        Raises Unavailable if the keys cannot be read.
        """
        metadata = upload.head.metadata
        text = metadata.get(FINDINGS)
        if text is None or self.keys is None:
            return None
        signature = metadata.get(FINDINGS_SIGNATURE, "")
        try:
            if self._is_signed(upload, text, signature):
                return decode_findings(text)
            self._ignore(upload, "forged" if signature else "unsigned")
        except ValueError as error:
            self._ignore(upload, "malformed", str(error))
        return None

    def store(self, key: str, findings: ClientFindings | None, master_etag: str) -> None:
        """Store ``findings`` for the master of ``key``, unless it has findings. Raises ObjectChanged, Unavailable."""
        if findings is None:
            return
        with self.observer.step("findings"):
            self._put(key, _convert(findings, self.generation, master_etag.strip('"')))

    def _is_signed(self, upload: FetchedUpload, text: str, signature: str) -> bool:
        if self.keys is None or not signature:
            return False
        named = (upload.head.key, upload.sha256, text, signature)
        return has_valid_signature(*named, self.keys.get()) or has_valid_signature(*named, self.keys.get(refresh=True))

    def _ignore(self, upload: FetchedUpload, reason: str, detail: str = "") -> None:
        self.observer.log("WARNING", "client findings ignored", key=upload.head.key, reason=reason, detail=detail)
        self.observer.count("FindingsIgnored", reason=reason)

    def _put(self, key: str, findings: Findings) -> None:
        for _ in range(TRIES):
            stored = self.archive.read_sidecar(self.generation, key)
            known = stored.findings if stored is not None else None
            if known is not None and known.source_etag == findings.source_etag:
                return
            with suppress(ObjectChanged):
                self.archive.put_sidecar(key, findings, replaces=stored)
                return
        raise ObjectChanged(detail=f"the findings of {key} changed {TRIES} times")


def _convert(given: ClientFindings, generation: str, source_etag: str) -> Findings:
    found: dict[str, Finding] = {}
    if given.faces is not None:
        faces = tuple(Face(Region(*(part / _SCALE for part in face[:4])), face.score / _SCALE) for face in given.faces)
        found[FACES] = Finding(FACES, MODEL, "", CLIENT, faces=faces)
    if given.tags is not None:
        labels = tuple(Label(tag.name, tag.score / _SCALE) for tag in given.tags)
        found[TAGS] = Finding(TAGS, MODEL, "", CLIENT, labels=labels)
    now = datetime.now(UTC).isoformat(timespec="seconds")
    return Findings(generation, source_etag, found, analysed_at=now)
