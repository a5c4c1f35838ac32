"""Error types of failed invocations."""

from __future__ import annotations

import re
from typing import Any

UNNAMED = "Runtime.HandlerError"
_RAISED = re.compile(r"(?:\w+\.)*(\w+)(?:: (.*))?")
"""The last line of a traceback: qualified class name and first line of the message."""


def name_failures_as_lambda_does(functions: Any) -> None:
    """Return the exception class as ``errorType`` to callers of Python functions; retries of state machines match it.

    Source: Lambda developer guide, "Exceptions returned to client". MiniStack 1.5.33 returns Runtime.HandlerError for
    all exceptions. ``functions`` is its Lambda module.
    """
    own = functions._execute_function_with_config_scope

    def execute(*arguments: Any, **named: Any) -> Any:
        result = own(*arguments, **named)
        body = result.get("body") if isinstance(result, dict) and result.get("error") else None
        if isinstance(body, dict) and body.get("errorType") == UNNAMED:
            kind = find_error_type(str(result.get("log", "")), str(body.get("errorMessage", "")))
            return {**result, "body": {**body, "errorType": kind or UNNAMED}}
        return result

    functions._execute_function_with_config_scope = execute


def find_error_type(log: str, message: str) -> str:
    """Return the exception class with ``message`` in the last traceback of ``log``, "" if there is none."""
    first = message.partition("\n")[0]
    found = (_RAISED.fullmatch(line) for line in reversed(log.splitlines()))
    return next((one[1] for one in found if one is not None and (one[2] or "") == first), "")
