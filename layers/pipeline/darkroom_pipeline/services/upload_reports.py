"""Reports of clients about their uploads: the time and the rejections that the service itself cannot measure.

Reports are samples of a client that has an upload token, not proof: their values are limited, and no alarm uses them.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from darkroom.errors import BadUpload

if TYPE_CHECKING:
    from collections.abc import Sequence

    from darkroom.aws.telemetry import Observer

STORED, REJECTED, FAILED = OUTCOMES = ("stored", "rejected", "failed")
"""S3 has the file; the API, S3 or ingest refused it; the client gave up."""

MAX_REPORTS = 20
"""Uploads in one request."""

MAX_BODY_BYTES = 4096
MAX_MS = 3_600_000
_CODE = re.compile(r"[A-Za-z-]{1,40}")
_FIELDS = {"outcome", "ms", "code"}


@dataclass(frozen=True, slots=True)
class UploadReport:
    """How one upload went. ``ms``: the time until S3 had the file, None if unknown; ``code`` of the error, or ""."""

    outcome: str
    ms: int | None = None
    code: str = ""


def parse_reports(body: bytes) -> list[UploadReport]:
    """Parse the JSON of a request, ``{"uploads": [{"outcome": …, "ms": …, "code": …}, …]}``; raises BadUpload."""
    if len(body) > MAX_BODY_BYTES:
        raise BadUpload(f"The request has more than {MAX_BODY_BYTES} bytes")
    try:
        document = json.loads(body.decode())
    except (ValueError, RecursionError) as error:
        raise BadUpload("The request is not a JSON object", detail=str(error)) from error
    uploads = document.get("uploads") if isinstance(document, dict) and len(document) == 1 else None
    if not isinstance(uploads, list) or not 1 <= len(uploads) <= MAX_REPORTS:
        raise BadUpload(f"uploads: expected a list of 1 to {MAX_REPORTS} reports", field="uploads")
    return [_parse_report(upload) for upload in uploads]


def count_reports(observer: Observer, reports: Sequence[UploadReport]) -> None:
    """Count ``reports`` in two metrics without further dimensions, and log their outcomes and codes."""
    for report in reports:
        observer.count("ClientUploadRejected", 1 if report.outcome == REJECTED else 0)
        if report.ms is not None:
            observer.count("ClientUploadLatency", report.ms, "Milliseconds")
    outcomes = Counter(report.outcome for report in reports)
    codes = Counter(report.code for report in reports if report.code)
    observer.log("INFO", "uploads reported", outcomes=dict(outcomes), codes=dict(codes))


def _parse_report(value: object) -> UploadReport:
    if not isinstance(value, dict) or not value.keys() <= _FIELDS or value.get("outcome") not in OUTCOMES:
        raise BadUpload(f"uploads: expected an outcome of {', '.join(OUTCOMES)}, and ms or code", field="uploads")
    ms, code = value.get("ms"), value.get("code", "")
    if ms is not None and (not isinstance(ms, int) or isinstance(ms, bool) or not 0 <= ms <= MAX_MS):
        raise BadUpload(f"ms: expected a whole number from 0 to {MAX_MS}", field="ms")
    if code and not (isinstance(code, str) and _CODE.fullmatch(code)):
        raise BadUpload("code: expected up to 40 letters and hyphens", field="code")
    return UploadReport(value["outcome"], ms, code or "")
