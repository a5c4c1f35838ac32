"""Stands before the function's own ``app.py``, and does what Lambda's runtime does with the trace of an invocation.

The runtime client reads it from a header that the emulator does not hand on; a Function URL's event has it too.
"""

import os
from typing import Any

from app import handler as _handler  # type: ignore[import-not-found]


def handler(event: dict[str, Any], context: object) -> object:
    """Answer as the function does."""
    os.environ["_X_AMZN_TRACE_ID"] = event["headers"].get("x-amzn-trace-id", "")
    return _handler(event, context)
