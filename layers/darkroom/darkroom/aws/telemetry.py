"""Structured logs: one JSON object a line, in the field names of Powertools' Logger, without importing it."""

from __future__ import annotations

import json
import os
import sys
from datetime import UTC, datetime


def log(level: str, message: str, **fields: object) -> None:
    """Write one line. ``fields`` must be JSON values; anything else is written as its text."""
    line: dict[str, object] = {
        "level": level,
        "message": message,
        "timestamp": datetime.now(UTC).isoformat(timespec="milliseconds"),
        "service": os.environ.get("POWERTOOLS_SERVICE_NAME") or os.environ.get("AWS_LAMBDA_FUNCTION_NAME", "darkroom"),
        "xray_trace_id": os.environ.get("_X_AMZN_TRACE_ID", ""),
        **fields,
    }
    sys.stdout.write(json.dumps(line, default=str, ensure_ascii=True) + "\n")
    sys.stdout.flush()
