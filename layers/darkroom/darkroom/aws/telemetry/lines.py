"""Structured logs: one JSON object a line on standard output, in the field names of Powertools' Logger."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from datetime import UTC, datetime

from .headers import trace_id

_standing: dict[str, object] = {}


def service_name() -> str:
    """What this function is called in logs and metrics."""
    return os.environ.get("POWERTOOLS_SERVICE_NAME") or os.environ.get("AWS_LAMBDA_FUNCTION_NAME", "darkroom")


def serialised(document: Mapping[str, object]) -> str:
    """``document`` as JSON in ASCII, so that any text can be written; what JSON does not know, as its text."""
    return json.dumps(document, default=str, separators=(",", ":"))


def write(line: str) -> None:
    """Write one line where CloudWatch reads it, at once: nothing runs between two invocations."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def bear(fields: Mapping[str, object]) -> None:
    """From now on every line of this process bears ``fields`` instead of those that it bore."""
    _standing.clear()
    _standing.update(fields)


def borne() -> dict[str, object]:
    """The fields that every line bears now."""
    return dict(_standing)


def log(level: str, message: str, **fields: object) -> None:
    """Write one line, with the fields of the work in hand. ``fields`` must be JSON values, or are written as text."""
    line: dict[str, object] = {
        "level": level,
        "message": message,
        "timestamp": datetime.now(UTC).isoformat(timespec="milliseconds"),
        "service": service_name(),
    }
    if trace := trace_id():
        line["xray_trace_id"] = trace
    write(serialised({**line, **_standing, **fields}))
