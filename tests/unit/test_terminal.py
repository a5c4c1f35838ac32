"""Colour and tables of the command: on a terminal, and nowhere else."""

from __future__ import annotations

import os
import pty
import re
import sys
from collections.abc import Callable, Iterator

import pytest

from cli.doctor.checks import Finding, Outcome
from cli.doctor.checks import format_findings as format_doctor
from cli.main import main
from cli.terminal import Line, Style, Table, format_lines
from darkroom.visible_text import escape_controls

type Run = Callable[..., str]

LAST = "-- the end of the output --\n"

RED, GREEN, BOLD, END = "\x1b[31m", "\x1b[32m", "\x1b[1m", "\x1b[0m"


def read_line(terminal: int) -> str:
    """Return the next line. A terminal passes on what was written in parts of its own size, some of them later."""
    line = b""
    while not line.endswith(b"\n"):
        line += os.read(terminal, 1)
    return line.decode().replace("\r\n", "\n")


@pytest.fixture
def on_terminal(monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    """Run a command whose standard output and standard error are a terminal; its output."""
    reading, writing = pty.openpty()
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)

    def run(*words: str) -> str:
        with open(writing, "w", closefd=False) as terminal, monkeypatch.context() as streams:
            streams.setattr(sys, "stdout", terminal)
            streams.setattr(sys, "stderr", terminal)
            main(words)
            terminal.write(LAST)
        return "".join(iter(lambda: read_line(reading), LAST))

    yield run
    os.close(reading)
    os.close(writing)


def test_a_list_is_a_table_on_a_terminal_only(
    on_terminal: Run, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shown = on_terminal("extensions")
    assert re.match(rf"{re.escape(f'{BOLD}name{END}')} +{re.escape(f'{BOLD}summary{END}')}\n", shown)
    main(["extensions"])
    plain = capsys.readouterr().out
    assert "\x1b" not in plain
    assert shown.partition("\n")[2] == plain
    for name, value in (("NO_COLOR", "1"), ("TERM", "dumb")):
        with monkeypatch.context() as environment:
            environment.setenv(name, value)
            assert on_terminal("extensions") == plain
    monkeypatch.setenv("NO_COLOR", "")  # "when present and not an empty string"
    assert on_terminal("extensions") == shown
    assert "\x1b" not in on_terminal("extensions", "--json")


def test_headings_of_a_help_are_bold_and_errors_red(on_terminal: Run) -> None:
    assert f"{BOLD}Examples:{END}\n  darkroom keys encode" in on_terminal("keys", "encode", "--help")
    assert on_terminal("nothing").startswith(f"{RED}darkroom:{END} No such command")


def format_all(*lines: str | Table, styled: bool = True) -> list[str]:
    return list(format_lines(lines, escape_controls, styled=styled))


def test_a_part_of_a_line_has_its_style() -> None:
    line = Line(("ok", Style.GOOD), "  ", ("\x1b[2J", Style.PROBLEM))
    assert line == "ok  \x1b[2J"
    assert format_all(line) == [f"{GREEN}ok{END}  {RED}\\u001b[2J{END}"]
    assert format_all(line, "\x1b", styled=False) == ["ok  \\u001b[2J", "\\u001b"]


def test_columns_are_aligned_by_cells() -> None:
    rows = [("7", "写真.jpg", "a"), ("12", "e\u0301te\u0301.jpg", ("b", Style.PROBLEM)), ("1", "x\x1b", "c")]
    plain = ["7 写真.jpg"]
    head, *lines = format_all(Table(("n", "key", ""), rows, plain))
    assert head == f" {BOLD}n{END}  {BOLD}key{END}"
    assert lines == [
        " 7  写真.jpg  a",
        f"12  e\u0301te\u0301.jpg   {RED}b{END}",
        " 1  x\\u001b   c",
    ]
    assert format_all(Table(("n", "key", ""), rows, plain), styled=False) == plain
    assert format_all(Table(("n",), [], [])) == []


def test_outcomes_of_checks_are_red_and_green() -> None:
    found = [Finding("a", Outcome.OK, "fine"), Finding("b", Outcome.PROBLEM, "broken", ["repair"])]
    assert format_all(*format_doctor(found)) == [
        f"{GREEN}ok         {END}  a  fine",
        f"{RED}problem    {END}  b  broken",
        f"{BOLD}fixes{END}",
        "  $ repair",
    ]
