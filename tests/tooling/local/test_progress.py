"""Progress of the local stack: lines everywhere, spinners of overlapping steps on a terminal."""

from __future__ import annotations

import asyncio
import os
import pty
import re
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from local import deploy, processes, progress
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


BUILD = """\
Valid cache found, copying previously built resources for following layers (ImagingLayer)
Building layer 'FontsLayer'
Building codeuri: /src/functions/ingest runtime: python3.13 architecture: x86_64 functions: IngestFunction
requirements.txt file not found. Continuing the build without dependencies.
"""
DEPLOY = """\
Operation                LogicalResourceId        ResourceType             Replacement
CREATE_IN_PROGRESS       AWS::S3::Bucket          AuditBucket              -
CREATE_COMPLETE          AWS::S3::Bucket          AuditBucket              -
UPDATE_COMPLETE          AWS::Lambda::Function    IngestFunction           -
CREATE_IN_PROGRESS       AWS::CloudFront::Cache   CachePolicy              -
"""


def test_the_present_part_of_a_step_is_read_from_the_output_of_sam() -> None:
    lines = BUILD.splitlines(keepends=True)
    seen = [deploy.describe_build("".join(lines[:count])) for count in range(5)]
    assert seen == ["", "ImagingLayer", "FontsLayer", "IngestFunction", "IngestFunction"]
    assert (deploy.describe_deployment(""), deploy.describe_deployment(DEPLOY)) == ("", "2 resources, IngestFunction")


def test_output_is_followed_while_the_command_runs(tmp_path: Path) -> None:
    seen = tmp_path / "seen"
    script = f"import os, time\nprint('first', flush=True)\nwhile not os.path.exists({str(seen)!r}): time.sleep(0.01)"
    command = [sys.executable, "-c", f"{script}\nprint('second')"]
    done = asyncio.run(processes.run(command, env=dict(os.environ), cwd=tmp_path, follow=seen.write_text))
    assert (done.status, done.output) == (0, "first\nsecond\n")
    assert seen.read_text() == done.output


STEPS = """
from local.progress import Progress
shown = Progress()
with shown.step("first") as show:
    show("part 7")
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
    assert all(word in text for word in ("first ...", "first: part 7", "second ...", "between", "after"))
    assert "\x1b[" in text
    assert "0:00:00" in text
