"""Log lines: one JSON object each, in the field names of the functions' logs. Nothing of an image is in them."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from datetime import UTC, datetime

SERVICE = "endpoint"


def write(level: str, message: str, fields: Mapping[str, object]) -> None:
    """Write one line, in one piece: several processes share the output. Fields that are empty texts are left out."""
    line = {
        "level": level,
        "message": message,
        "timestamp": datetime.now(UTC).isoformat(timespec="milliseconds"),
        "service": SERVICE,
        **{name: value for name, value in fields.items() if value != ""},
    }
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()
