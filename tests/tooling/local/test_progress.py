"""Progress of the local stack: lines everywhere, spinners of overlapping steps on a terminal."""

from __future__ import annotations

import os
import pty
import re
import sys
from contextlib import suppress

import pytest

from local import progress
from local.progress import Progress


def test_a_log_gets_lines_without_control_characters(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "LONG_S", 0.0)
    shown = Progress()
    with shown.step("sam build [layers]"):
        shown.report("x" * 200)
    lines = [re.sub(r"^\[ +\d+\.\d s\] ", "", line) for line in capsys.readouterr().out.splitlines()]
    assert lines == ["sam build [layers] ...", "x" * 200, "  done in 0 s"]


def test_a_failed_step_is_not_reported_as_done(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "LONG_S", 0.0)
    with suppress(ZeroDivisionError), Progress().step("deploy"):
        raise ZeroDivisionError
    assert "done" not in capsys.readouterr().out


STEPS = """
from local.progress import Progress
shown = Progress()
with shown.step("first"):
    with shown.step("second"):
        shown.report("between")
shown.report("after")
"""


def test_a_terminal_gets_a_spinner_for_each_step() -> None:
    pid, terminal = pty.fork()
    if pid == 0:
        os.environ["TERM"] = "xterm"
        os.execv(sys.executable, [sys.executable, "-c", STEPS])
    seen = b""
    with suppress(OSError):  # the end of a pseudo-terminal
        while part := os.read(terminal, 4096):
            seen += part
    os.waitpid(pid, 0)
    text = seen.decode()
    assert all(word in text for word in ("first ...", "second ...", "between", "after"))
    assert "\x1b[" in text
    assert "0:00:00" in text
