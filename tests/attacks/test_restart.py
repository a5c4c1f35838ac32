"""A render that is abandoned in AWS's own runtime: it is answered, and so is the next invocation, by a new process."""

from __future__ import annotations

import json
import os
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bench.emulator import install_emulator, install_interpreter
from local.ports import find_free_ports
from tests.waiting import HANG_S, wait_until

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
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
def url(tmp_path: Path) -> Iterator[str]:
    (tmp_path / "app.py").write_text(FUNCTION, encoding="utf-8")
    port, api = find_free_ports(2)
    places = ["--runtime-interface-emulator-address", f"127.0.0.1:{port}", "--runtime-api-address", f"127.0.0.1:{api}"]
    environment = {
        **os.environ,
        "PYTHONPATH": f"{tmp_path}:{ROOT / 'layers' / 'darkroom'}",
        "AWS_LAMBDA_FUNCTION_TIMEOUT": "120",
        "KEPT": "yes",
    }
    command = [install_emulator(), *places, install_interpreter(), "-m", "awslambdaric", "app.handler"]
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=log, stderr=log)
    try:
        yield f"http://127.0.0.1:{port}/2015-03-31/functions/function/invocations"
    finally:
        process.kill()
        process.wait()


def invoke(url: str, *, slow: bool, fails: bool = False) -> dict[str, Any]:
    def answer() -> dict[str, Any] | None:
        request = urllib.request.Request(url, json.dumps({"slow": slow, "fails": fails}).encode())
        try:
            with urllib.request.urlopen(request, timeout=HANG_S) as response:
                return dict(json.load(response))
        except urllib.error.URLError:
            return None

    return wait_until(answer, "the emulator answers") or {}


def test_the_process_is_replaced_after_an_abandoned_render(url: str) -> None:
    first, slow, after, later = (invoke(url, slow=slow) for slow in (False, True, False, False))
    assert [one["code"] for one in (first, slow, after, later)] == ["ok", "too-slow", "ok", "ok"]
    assert first["started"] == slow["started"] < after["started"] == later["started"]
    assert len({one["pid"] for one in (first, slow, after, later)}) == 1
    assert after["variable"] == "yes"


def test_the_process_is_replaced_after_an_exception(url: str) -> None:
    """Workers of bulk jobs raise errors that their state machine retries."""
    first, failed, after = invoke(url, slow=False), invoke(url, slow=True, fails=True), invoke(url, slow=False)
    assert failed["errorType"] == "TooSlow"
    assert any("app.py" in line for line in failed["stackTrace"])
    assert first["started"] < after["started"]
