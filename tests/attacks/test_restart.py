"""A render that is abandoned in AWS's own runtime: it is answered, and so is the next invocation, by a new process."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.emulated_lambda import EmulatedFunction, emulate

pytestmark = pytest.mark.slow

FUNCTION = """
import hashlib, os, time
from darkroom.errors import TooSlow
from darkroom.services.deadline import CpuLimit, Deadline
from darkroom.services.deadline import restart_if_abandoned

STARTED = time.time()

@restart_if_abandoned
def handler(event, context):
    try:
        if event["slow"]:
            Deadline(CpuLimit(0.3, 300)).run(lambda: hashlib.pbkdf2_hmac("sha256", b"", b"", 2_000_000_000))
        code = "ok"
    except TooSlow as error:
        code = error.code
        if event["fails"]:
            raise
    return {"code": code, "pid": os.getpid(), "started": STARTED, "variable": os.environ["KEPT"]}
"""


@pytest.fixture
def function(tmp_path: Path) -> Iterator[EmulatedFunction]:
    (tmp_path / "app.py").write_text(FUNCTION, encoding="utf-8")
    with emulate(tmp_path, {"KEPT": "yes"}) as running:
        yield running


def invoke(function: EmulatedFunction, *, slow: bool, fails: bool = False) -> dict[str, Any]:
    return function.invoke({"slow": slow, "fails": fails})


def test_the_process_is_replaced_after_an_abandoned_render(function: EmulatedFunction) -> None:
    first, slow, after, later = (invoke(function, slow=slow) for slow in (False, True, False, False))
    assert [one["code"] for one in (first, slow, after, later)] == ["ok", "too-slow", "ok", "ok"]
    assert first["started"] == slow["started"] < after["started"] == later["started"]
    assert len({one["pid"] for one in (first, slow, after, later)}) == 1
    assert after["variable"] == "yes"


def test_the_process_is_replaced_after_an_exception(function: EmulatedFunction) -> None:
    """Workers of bulk jobs raise errors that their state machine retries."""
    first, failed, after = (
        invoke(function, slow=False),
        invoke(function, slow=True, fails=True),
        invoke(function, slow=False),
    )
    assert failed["errorType"] == "TooSlow"
    assert any("app.py" in line for line in failed["stackTrace"])
    assert first["started"] < after["started"]
