"""Hidden characters are shown as escapes, by one function in Python and one in the pages."""

from __future__ import annotations

import json
import tomllib
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.framework import Call, Selection
from cli.main import main
from cli.settings.files import to_toml
from darkroom.aws.telemetry import to_json
from darkroom.visible_text import escape_controls, escape_html

BIDI = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
"""Unicode's characters with the property Bidi_Control (PropList.txt)."""
ODD = "photo\u202egpj.exe\x1b[2J\r\nready\t\x9b\x7f\u2028.jpg"
SHOWN = "photo\\u202egpj.exe\\u001b[2J\\u000d\\u000aready\\u0009\\u009b\\u007f\\u2028.jpg"


def is_hidden(character: str) -> bool:
    return character in BIDI or unicodedata.category(character) in ("Cc", "Zl", "Zp", "Cs")


def test_hidden_characters_are_escaped_and_no_others() -> None:
    assert escape_controls(ODD) == SHOWN
    for character in map(chr, range(0x30000)):
        assert (escape_controls(character) != character) == is_hidden(character), hex(ord(character))


def test_characters_can_be_kept() -> None:
    assert escape_controls("a\tb\nc\r", keep="\n\t") == "a\tb\nc\\u000d"


@given(st.text())
def test_settings_files_show_and_keep_every_text(text: str) -> None:
    written = to_toml({text or "key": text})
    assert escape_controls(written, keep="\n") == written
    assert tomllib.loads(written) == {text or "key": text}


def test_log_lines_are_printable_ascii() -> None:
    line = to_json({"key": ODD})
    assert line.isascii()
    assert line.isprintable()
    assert json.loads(line) == {"key": ODD}


def test_results_of_commands_are_escaped(capsys: pytest.CaptureFixture[str]) -> None:
    Call(Selection()).emit({"key": ODD}, [ODD])
    Call(Selection()).emit_one({"key": ODD}, [ODD])
    Call(Selection(), is_json=True).emit({"key": ODD})
    first, second, *document = capsys.readouterr().out.split("\n")
    assert first == second == SHOWN.replace("\\u0009", "\t")
    assert json.loads("".join(document)) == {"key": ODD}
    assert "".join(document).isprintable()


def test_errors_of_commands_are_escaped(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["keys", "decode", ODD]) == 2
    error = capsys.readouterr().err
    assert error.startswith(f"darkroom: {SHOWN}: ")
    assert error.rstrip("\n").isprintable()


def test_pages_in_html_are_escaped() -> None:
    assert escape_html("<b>\u202e\n") == "&lt;b&gt;\\u202e\n"
