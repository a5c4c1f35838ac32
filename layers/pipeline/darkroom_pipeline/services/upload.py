"""The upload API: exchange a token for a presigned POST, and return the state of an upload. Files go to S3 directly."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

from darkroom.aws.telemetry import Observer
from darkroom.client_findings import sign_findings
from darkroom.errors import BadToken, NotGranted, NotIngested
from darkroom.image_keys import quote_key
from darkroom.plan.limits import Limits
from darkroom.services.upload_requests import DeclaredUpload, Grant, parse_upload_request, verify_token
from darkroom.signing import KeySource, try_keys

from ..aws.index import Index
from ..aws.presigned_post import PostPresigner
from ..aws.record import Record
from ..aws.s3_objects import FINDINGS, FINDINGS_SIGNATURE, PRIORITY
from ..aws.upload_counters import UploadCounters
from .upload_reports import count_reports, parse_reports

POST_LIFETIME_S = 900
"""Lifetime of a presigned POST: 15 minutes, within which a phone must start the upload."""

PATH = "/uploads"


@dataclass(frozen=True)
class UploadApi:
    """The service, with its adapters."""

    presigner: PostPresigner
    index: Index
    keys: KeySource[Sequence[str]]
    counters: UploadCounters
    observer: Observer
    max_bytes: int = Limits().max_bytes
    converted_formats: tuple[str, ...] = ()
    post_lifetime_s: int = POST_LIFETIME_S
    clock: Callable[[], float] = time.time

    def authorise(self, token: str) -> Grant:
        """Verify an upload token; raises BadToken, Unavailable."""
        return try_keys(self.keys, lambda keys: verify_token(token, keys, self.clock()), BadToken)

    def presign(self, grant: Grant, body: bytes) -> dict[str, object]:
        """Presign the upload that the JSON in ``body`` describes. Raises DarkroomError."""
        self.counters.count_request(grant.text, self.clock())
        upload = parse_upload_request(body, grant, self.max_bytes, self.converted_formats)
        if grant.max_files is not None:
            self.counters.count_file(grant.text, grant.max_files, grant.expires_s)
        expires_s = self.clock() + self.post_lifetime_s
        form = self.presigner.presign(
            upload.key,
            upload.media_type,
            upload.size_bytes,
            upload.checksum,
            expires_in_s=self.post_lifetime_s,
            metadata=self._findings(upload) | ({PRIORITY: grant.priority} if grant.priority else {}),
        )
        self.observer.log(
            "INFO", "upload presigned", key=upload.key, size_bytes=upload.size_bytes, type=upload.media_type
        )
        return {
            "key": upload.key,
            **asdict(form),
            "expires_at": datetime.fromtimestamp(int(expires_s), UTC).isoformat(),
            "status": f"{PATH}/{quote_key(upload.key)}",
        }

    def _findings(self, upload: DeclaredUpload) -> dict[str, str]:
        """What came along, signed so that ingest believes it of this very file."""
        if not upload.findings:
            return {}
        signature = sign_findings(upload.key, upload.sha256.hex(), upload.findings, self.keys.get()[0])
        return {FINDINGS: upload.findings, FINDINGS_SIGNATURE: signature}

    def report(self, grant: Grant, body: bytes) -> dict[str, object]:
        """Count how the uploads in ``body`` went; raises BadUpload, TooManyUploads, Unavailable."""
        self.counters.count_report(grant.text, self.clock())
        reports = parse_reports(body)
        count_reports(self.observer, reports)
        return {"accepted": len(reports)}

    def read_status(self, grant: Grant, key: str) -> dict[str, object]:
        """Return the state of the upload ``key``; raises NotGranted, NotIngested, Unavailable."""
        if not grant.covers(key):
            raise NotGranted
        record = self.index.get(key)
        if record is None:
            raise NotIngested
        return {"key": key, "state": record.state, **_details(record, grant)}


def _details(record: Record, grant: Grant) -> dict[str, object]:
    """Return the fields beside the state. ``same_as`` is returned only if the token permits uploads to that key."""
    match record.state:
        case "ready":
            same_as = {"same_as": record.same_as} if record.same_as and grant.covers(record.same_as) else {}
            return {**_version(record), **same_as, "picture": dict(record.facts)}
        case "refused":
            refusal = record.refusal
            return {**_version(record), "code": refusal.code, "reason": refusal.reason, "sha256": refusal.sha256}
        case "held":
            held = record.held
            return {**_version(record), "sha256": held.sha256, "flagged": held.flagged, "picture": dict(held.facts)}
    return {}


def _version(record: Record) -> dict[str, object]:
    return {"sha256": record.sha256, "version": record.version_id, "updated_at": record.updated_at}
