"""Findings that came with an upload: they hold until inference has looked at the picture itself."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime

from ...aws.findings_store import FindingsStore
from ...aws.presigned_post import FINDINGS, FINDINGS_SIGNATURE
from ...aws.telemetry import Observer
from ...client_findings import ClientFindings, decode_findings, has_valid_signature
from ...errors import ObjectChanged
from ...findings import CLIENT, FACES, TAGS, Face, Finding, Findings, Label, Region
from ...plan.signing import KeySource
from .examine import FetchedUpload
from .master_store import TRIES

MODEL = "client"
"""The name of the model in findings of which nobody here knows by what they were made."""

_WHOLE = 10_000


@dataclass(frozen=True)
class ClientFindingsReader:
    """Reads them, and keeps them where those of inference will be, under ``generation``.

    ``keys`` None: nothing that comes along is believed.
    """

    keys: KeySource[Sequence[str]] | None
    archive: FindingsStore
    generation: str
    observer: Observer

    def read(self, upload: FetchedUpload) -> ClientFindings | None:
        """What came with ``upload``; None if it is not signed by us, which is no reason to refuse a picture.

        Raises Unavailable where the keys cannot be had.
        """
        text = upload.head.metadata.get(FINDINGS)
        if text is None or self.keys is None:
            return None
        signature = upload.head.metadata.get(FINDINGS_SIGNATURE, "")
        try:
            if self._is_ours(upload, text, signature):
                return decode_findings(text)
            self._ignored(upload, "forged" if signature else "unsigned")
        except ValueError as error:
            self._ignored(upload, "malformed", str(error))
        return None

    def store(self, key: str, brought: ClientFindings | None, master_etag: str) -> None:
        """Write ``brought`` down for the master of ``key``, unless there are findings on that master.

        Raises Changed, Unavailable.
        """
        if brought is None:
            return
        with self.observer.step("findings"):
            self._put(key, _findings(brought, self.generation, master_etag.strip('"')))

    def _is_ours(self, upload: FetchedUpload, text: str, signature: str) -> bool:
        if self.keys is None or not signature:
            return False
        named = (upload.head.key, upload.sha256, text, signature)
        return has_valid_signature(*named, self.keys.get()) or has_valid_signature(*named, self.keys.get(refresh=True))

    def _ignored(self, upload: FetchedUpload, reason: str, detail: str = "") -> None:
        self.observer.log("WARNING", "findings are ignored", key=upload.head.key, reason=reason, detail=detail)
        self.observer.count("FindingsIgnored", reason=reason)

    def _put(self, key: str, findings: Findings) -> None:
        for _ in range(TRIES):
            there = self.archive.read_sidecar(self.generation, key)
            known = there.findings if there is not None else None
            if known is not None and known.source_etag == findings.source_etag:
                return
            with suppress(ObjectChanged):
                self.archive.put_sidecar(key, findings, replaces=there)
                return
        raise ObjectChanged(detail=f"the findings of {key} do not hold still")


def _findings(brought: ClientFindings, generation: str, source_etag: str) -> Findings:
    found: dict[str, Finding] = {}
    if brought.faces is not None:
        faces = tuple(
            Face(Region(*(part / _WHOLE for part in face[:4])), face.score / _WHOLE) for face in brought.faces
        )
        found[FACES] = Finding(FACES, MODEL, "", CLIENT, faces=faces)
    if brought.tags is not None:
        labels = tuple(Label(tag.name, tag.score / _WHOLE) for tag in brought.tags)
        found[TAGS] = Finding(TAGS, MODEL, "", CLIENT, labels=labels)
    now = datetime.now(UTC).isoformat(timespec="seconds")
    return Findings(generation, source_etag, found, analysed_at=now)
