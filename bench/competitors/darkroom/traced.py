"""Wrap the function's ``app.py``, and set the trace of an invocation as Lambda's runtime does.

The runtime client reads it from a header that the emulator does not forward; a Function URL's event contains it, too.
The settings document is read from S3, with the content of BENCH_SETTINGS.
"""

import os
from typing import Any

from darkroom.services import live_settings as stored

_live = stored.LiveSettings


def _open(read: Any, observer: Any) -> stored.LiveSettings:
    def read_both(key: str) -> bytes:
        read(key)
        return os.environ["BENCH_SETTINGS"].encode()

    return _live(read_both, observer)


stored.LiveSettings = _open  # type: ignore[assignment,misc]

from app import handler as _handler  # type: ignore[import-not-found]  # noqa: E402 - after the line above


def handler(event: dict[str, Any], context: object) -> object:
    """Respond as the function does."""
    os.environ["_X_AMZN_TRACE_ID"] = event["headers"].get("x-amzn-trace-id", "")
    return _handler(event, context)
