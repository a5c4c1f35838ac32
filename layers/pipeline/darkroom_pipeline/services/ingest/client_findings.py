"""Client-supplied findings: read from the metadata of an upload, and stored as findings of its master.

Few uploads have some, so that this module is imported with the first that has.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime

from darkroom.aws.telemetry import Observer
from darkroom.client_findings import ClientFindings, decode_findings, has_valid_signature
from darkroom.errors import ObjectChanged
from darkroom.findings import CLIENT, FACES, TAGS, Face, Finding, Findings, Label, Region
from darkroom.signing import KeySource

from ...aws.findings_store import FindingsStore
from ...aws.s3_objects import FINDINGS, FINDINGS_SIGNATURE
from .examine import FetchedUpload
from .stores import TRIES

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

    def store(self, key: str, findings: ClientFindings, master_etag: str) -> None:
        """Store ``findings`` for the master of ``key``, unless it has findings. Raises ObjectChanged, Unavailable."""
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
