"""Error types of failed functions in MiniStack."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from local.emulation.failures import name_failures_as_lambda_does

LOG = """Traceback (most recent call last):
  File "app.py", line 1, in handler
    raise SceneRefused("The source image is damaged")
darkroom.errors.SceneRefused: The source image is damaged
END RequestId: 1"""


def respond(result: Any) -> Any:
    """Return the patched response for MiniStack's own response."""
    functions = SimpleNamespace(_execute_function_with_config_scope=lambda *_: result)
    name_failures_as_lambda_does(functions)
    return functions._execute_function_with_config_scope("function", {})


def failed(log: str, message: str, kind: str = "Runtime.HandlerError") -> dict[str, Any]:
    return {"error": True, "body": {"errorMessage": message, "errorType": kind}, "log": log}


@pytest.mark.parametrize(
    ("log", "message", "kind"),
    [
        (LOG, "The source image is damaged", "SceneRefused"),
        ("Traceback\nKeyError: 'a'", "'a'", "KeyError"),
        ("Traceback\nmodule.Bare", "", "Bare"),
        ("Traceback\nValueError: one\ntwo", "one\ntwo", "ValueError"),
        ("Worker process died", "Worker process died", "Runtime.HandlerError"),
        ("", "anything", "Runtime.HandlerError"),
    ],
)
def test_the_error_type_is_the_exception_class(log: str, message: str, kind: str) -> None:
    assert respond(failed(log, message))["body"] == {"errorMessage": message, "errorType": kind}


@pytest.mark.parametrize(
    "result", [{"body": {"errorType": "Runtime.HandlerError"}}, failed(LOG, "", "X"), None], ids=str
)
def test_other_results_do_not_change(result: Any) -> None:
    assert respond(result) == result
