"""What a function's failure is called."""

from __future__ import annotations

import re
from typing import Any

UNNAMED = "Runtime.HandlerError"
_RAISED = re.compile(r"(?:\w+\.)*(\w+)(?:: (.*))?")
"""The last line of a traceback: a class with its modules, and the first line of what it says."""


def name_failures_as_lambda_does(functions: Any) -> None:
    """Have whoever calls a Python function told the class of what it raised, by which state machines try again or not
    (Lambda developer guide, "Exceptions returned to client"). MiniStack 1.5.33 calls all of it Runtime.HandlerError.

    ``functions`` is its module of Lambda.
    """
    own = functions._execute_function_with_config_scope

    def execute(*arguments: Any, **named: Any) -> Any:
        result = own(*arguments, **named)
        body = result.get("body") if isinstance(result, dict) and result.get("error") else None
        if isinstance(body, dict) and body.get("errorType") == UNNAMED:
            kind = error_type_of(str(result.get("log", "")), str(body.get("errorMessage", "")))
            return {**result, "body": {**body, "errorType": kind or UNNAMED}}
        return result

    functions._execute_function_with_config_scope = execute


def error_type_of(log: str, message: str) -> str:
    """The class of what ended in ``message``, by the last traceback in ``log``; "" if that has none."""
    first = message.partition("\n")[0]
    found = (_RAISED.fullmatch(line) for line in reversed(log.splitlines()))
    return next((one[1] for one in found if one is not None and (one[2] or "") == first), "")
