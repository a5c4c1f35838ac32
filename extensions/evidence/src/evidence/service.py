"""Build the report about an image for a person, and record that it was read."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from darkroom.errors import BadToken, DarkroomError, NotGranted, NotIngested
from darkroom.image_keys import ObjectNames
from darkroom.services.upload_requests import Grant
from darkroom.signing import KeySource, try_keys
from darkroom_pipeline.aws.index import Index
from darkroom_pipeline.aws.s3 import S3Bucket
from darkroom_pipeline.services.similarity import SimilaritySearch

from .custody import EXPORTED, READ, Custody
from .documents import miss, refuse
from .measures import MEASURES
from .originals import CUSTODY, EXPIRED, TOO_LARGE, UPLOADS, Original, Originals
from .process import AnalysisFailed, AnalysisProcess
from .report import NO_TOTAL, build_measures
from .tokens import EvidenceGrant, verify_token

VERSION = 1
"""Of the report's form."""

MAX_COPIES = 3
"""Near copies that are compared. The search lists more."""

MAX_COPY_BYTES = 16 * 1024**2
_REASONS = {
    EXPIRED: "The upload is gone: the uploads bucket keeps it for a limited time, and there is no locked copy",
    TOO_LARGE: "The upload is larger than those that are analysed",
}


@dataclass(frozen=True)
class EvidenceService:
    """The service with its adapters."""

    index: Index
    originals: Originals
    masters: S3Bucket
    master_names: ObjectNames
    search: SimilaritySearch
    custody: Custody
    analysis: AnalysisProcess
    keys: KeySource[Sequence[str]]
    clock: Callable[[], float] = time.time

    def authorise(self, token: str, key: str) -> EvidenceGrant:
        """Verify a token for ``key``; raises BadToken, NotGranted, Unavailable."""
        grant = try_keys(self.keys, lambda keys: verify_token(token, keys, self.clock()), BadToken)
        if not grant.keys.covers(key):
            raise NotGranted("The evidence token does not cover this key")
        return grant

    def read(self, key: str, grant: EvidenceGrant) -> dict[str, Any]:
        """Return the report about ``key`` after recording that the person reads it. Raises DarkroomError."""
        report = self._build(key, grant.keys)
        return self._record(report, READ, grant.person)

    def export(self, key: str, person: str, reason: str) -> dict[str, Any]:
        """Return the report about ``key`` for an export by an operator, after recording it. Raises DarkroomError."""
        report = self._build(key, Grant(f"{key.rpartition('/')[0]}/" if "/" in key else key, 1))
        return self._record(report, EXPORTED, person, reason=reason)

    def _record(self, report: dict[str, Any], kind: str, person: str, **facts: object) -> dict[str, Any]:
        original = report["original"]
        record = self.custody.append(
            kind, report["key"], person, version_id=original["version_id"], sha256=original["sha256"], **facts
        )
        return report | {"custody": {"record": record.document["number"], "record_sha256": record.sha256}}

    def _build(self, key: str, keys: Grant) -> dict[str, Any]:
        record = self.index.get(key)
        if record is None:
            raise NotIngested
        original = self.originals.find(record)
        copies, copies_missing = self._find_copies(key, keys)
        analysed: Mapping[str, Any] = {}
        if original.place in (CUSTODY, UPLOADS):
            analysed = self._analyse(original, [str(one["key"]) for one in copies])
        else:
            analysed = {name: miss(_REASONS[original.place]) for name in MEASURES}
            copies, copies_missing = [], copies_missing or _REASONS[original.place]
        return {
            "version": VERSION,
            "key": key,
            "state": record.state,
            "at": datetime.fromtimestamp(self.clock(), UTC).isoformat(timespec="seconds"),
            "original": original.document,
            "measures": build_measures(record, analysed, copies, copies_missing),
            "total": None,
            "why_no_total": NO_TOTAL,
        }

    def _find_copies(self, key: str, keys: Grant) -> tuple[list[Mapping[str, Any]], str]:
        """Return near copies of ``key`` that the token covers, and why there are none."""
        if not keys.prefix.endswith("/"):
            return [], "The token covers this image alone"
        try:
            found: Any = self.search.find(keys, key)["results"]
        except DarkroomError as error:
            return [], error.message
        return [one for one in found if one["copy"]][:MAX_COPIES], ""

    def _analyse(self, original: Original, copies: Sequence[str]) -> Mapping[str, Any]:
        bodies = {key: body for key in copies if (body := self._read_master(key)) is not None}
        try:
            return self.analysis.analyse(original.data, bodies)
        except AnalysisFailed as error:
            return dict.fromkeys(MEASURES, refuse(str(error))) | {"near_copies": {}}

    def _read_master(self, key: str) -> bytes | None:
        name = self.master_names.name(key)
        head = self.masters.head(name)
        return self.masters.read(name) if head is not None and head.size_bytes <= MAX_COPY_BYTES else None
