"""Tests of crash points, in a process of their own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from chaos.crash_points import ANYWHERE, DECISIVE, ROOT, STATUS, draw_crash_point


def die(crash_report: Path, within: str, after: int, invocation: int = 1) -> subprocess.CompletedProcess[str]:
    named = [str(crash_report), within, str(after), str(invocation)]
    command = [sys.executable, "-m", "tests.tooling.chaos.dying", *named]
    environment = os.environ | {"PYTHONPATH": f"{ROOT}:{ROOT / 'layers' / 'darkroom'}"}
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


def test_a_process_ends_at_the_line_that_was_drawn(tmp_path: Path) -> None:
    crash_report = tmp_path / "died"
    assert die(crash_report, ".", 1).returncode == STATUS
    first = crash_report.read_text()
    file, _, line = first.rpartition(":")
    assert file == "layers/darkroom/darkroom/image_keys.py"
    assert "return" in (ROOT / file).read_text().splitlines()[int(line) - 1]


def test_lines_are_counted_one_by_one(tmp_path: Path) -> None:
    """``quote_key`` is one line, and the process calls it three times."""
    ends = [die(tmp_path / str(after), ".", after) for after in (1, 2, 3, 4)]
    assert [(end.returncode, end.stdout.count("quoted")) for end in ends] == [
        (STATUS, 0),
        (STATUS, 1),
        (STATUS, 2),
        (0, 3),
    ]


def test_lines_are_counted_from_an_invocation_on(tmp_path: Path) -> None:
    ends = [die(tmp_path / str(number), ".", 1, invocation=number) for number in (1, 2, 3, 4)]
    assert [(end.returncode, end.stdout.count("quoted")) for end in ends] == [
        (STATUS, 0),
        (STATUS, 1),
        (STATUS, 2),
        (0, 3),
    ]


@pytest.mark.parametrize("within", ["services", "aws"])
def test_other_files_do_not_count(tmp_path: Path, within: str) -> None:
    end = die(tmp_path / "died", within, 1)
    assert (end.returncode, end.stdout.count("quoted")) == (0, 3), end.stderr
    assert not (tmp_path / "died").exists()


def test_crash_points_are_drawn_for_each_life() -> None:
    drawn = [draw_crash_point(7, "ingest-0", life, invocations=3, lines=200) for life in range(200)]
    assert drawn == [draw_crash_point(7, "ingest-0", life, invocations=3, lines=200) for life in range(200)]
    invocations = [end.invocation for end in drawn]
    assert set(invocations) == {1, 2, 3, 4, 5}
    assert 2.5 < sum(invocations) / len(invocations) < 3.5
    decisive = [end.after for end in drawn if end.within == DECISIVE]
    assert 0.6 < len(decisive) / len(drawn) < 0.95
    assert {end.within for end in drawn} == {DECISIVE, ANYWHERE}
    assert (min(decisive) >= 1, max(decisive) <= 200) == (True, True)
    assert 80 < sum(decisive) / len(decisive) < 120
