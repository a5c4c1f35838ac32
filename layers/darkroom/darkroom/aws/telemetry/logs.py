"""Structured logs: one JSON object a line on standard output, in the field names of Powertools' Logger."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from datetime import UTC, datetime

from .trace_header import trace_id

_bound: dict[str, object] = {}


def service_name() -> str:
    """What this function is called in logs and metrics."""
    return os.environ.get("POWERTOOLS_SERVICE_NAME") or os.environ.get("AWS_LAMBDA_FUNCTION_NAME", "darkroom")


def to_json(document: Mapping[str, object]) -> str:
    """``document`` as JSON in ASCII, so that any text can be written; what JSON does not know, as its text."""
    return json.dumps(document, default=str, separators=(",", ":"))


def write_line(line: str) -> None:
    """Write one line where CloudWatch reads it, at once: nothing runs between two invocations."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def bind(fields: Mapping[str, object]) -> None:
    """From now on every line of this process bears ``fields`` instead of those that it bore."""
    _bound.clear()
    _bound.update(fields)


def bound_fields() -> dict[str, object]:
    """The fields that every line bears now."""
    return dict(_bound)


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
    write_line(to_json({**line, **_bound, **fields}))
