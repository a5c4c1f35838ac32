"""Tests of the benchmark's command: what a run writes, and that a failing suite does not stop the others."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from bench import __main__ as command
from bench import page, runs
from bench.goals import Figure, Section
from bench.suites import ONCE, list_default_suites

pytestmark = pytest.mark.slow


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a page and two suites: one measures, and leaves the process on one core; the other fails."""
    for name, function in (("fine", fine), ("broken", broken)):
        module = ModuleType(f"bench.suites.{name}")
        module.__dict__.update(measure=function, __spec__=object())
        monkeypatch.setitem(sys.modules, module.__name__, module)
    marks = [page.GOALS, page.find_markers("fine"), page.find_markers("broken")]
    text = "\n".join(f"{one.begin}\nold text\n{one.end}" for one in marks)
    monkeypatch.setattr(page, "PAGE", tmp_path / "page.md")
    monkeypatch.setattr(runs, "RUNS", tmp_path / "runs.json")
    page.PAGE.write_text(text, encoding="utf-8")
    return tmp_path


def fine(rounds: str, progress: object) -> Section:
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    return Section(f"measured, {rounds}", [Figure("presets", 0.4, 0.3, 0.5)], ["the moon."])


def broken(rounds: str, progress: object) -> Section:
    raise ZeroDivisionError


def test_a_full_run_is_stored_and_evaluated(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cores = os.sched_getaffinity(0)
    assert command.run_once(["broken", "fine"], "full", whole=True) == 1
    text = page.PAGE.read_text(encoding="utf-8")
    assert "measured, full\n\n- Not measured: the moon." in text
    assert text.count("old text") == 1, "the failed suite keeps its old text"
    assert "| ≤ 0.75 | 0.40 | – | – | met in 1 of 1 |" in text
    assert [list(one.figures) for one in runs.read_runs(runs.RUNS)] == [["presets"]]
    assert os.sched_getaffinity(0) == cores
    assert "ZeroDivisionError" in capsys.readouterr().out


def test_a_part_alone_writes_its_place_and_keeps_no_run(place: Path) -> None:
    assert command.run_once(["fine"], "full", whole=False) == 0
    assert "measured, full" in page.PAGE.read_text(encoding="utf-8")
    assert sorted(path.name for path in place.iterdir()) == ["page.md"]


def test_a_suite_that_is_in_no_full_run_completes_the_last_one(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    command.run_once(["broken"], "full", whole=True)
    monkeypatch.setattr(command, "EXCLUDED", frozenset({"fine"}))
    assert command.run_once(["fine"], "full", whole=False) == 0
    assert [list(one.figures) for one in runs.read_runs(runs.RUNS)] == [["presets"]]
    assert "| ≤ 0.75 | 0.40 | – | – | met in 1 of 1 |" in page.PAGE.read_text(encoding="utf-8")


def test_a_quick_run_writes_nothing(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = page.PAGE.read_text(encoding="utf-8")
    assert command.run_once(["fine"], "quick", whole=True) == 0
    assert page.PAGE.read_text(encoding="utf-8") == before
    assert sorted(path.name for path in place.iterdir()) == ["page.md"]
    assert "presets: 0.40 (0.30–0.50), goal ≤ 0.75: met" in capsys.readouterr().out


def test_only_the_last_of_several_runs_measures_what_is_always_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[list[str]] = []

    def run(arguments: list[str], *, check: bool) -> subprocess.CompletedProcess[str]:
        started.append(arguments[3:])
        return subprocess.CompletedProcess(arguments, len(started) % 2)

    monkeypatch.setattr(subprocess, "run", run)
    assert command.run_repeatedly(3, ["--quick"]) == 1
    assert started == [["--quick", "--times-only"], ["--quick", "--times-only"], ["--quick"]]
    assert set(list_default_suites()) - set(list_default_suites(times_only=True)) == ONCE
