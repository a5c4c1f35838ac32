"""The command that encodes keys."""

from __future__ import annotations

import io

import pytest

from cli.main import main


def test_keys_are_encoded_and_decoded(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    assert main(["keys", "encode", "é b.jpg", "photo.jpg"]) == 0
    written = capsys.readouterr().out
    assert written == ".-C3A9.-20b.jpg\nphoto.jpg\n"
    monkeypatch.setattr("sys.stdin", io.StringIO(written))
    assert main(["keys", "decode"]) == 0
    assert capsys.readouterr().out == "é b.jpg\nphoto.jpg\n"


@pytest.mark.parametrize("arguments", [["encode", "a//b", "a.jpg"], ["decode", "é.jpg", "a.jpg"]])
def test_what_is_no_key_is_reported_and_left_out(capsys: pytest.CaptureFixture[str], arguments: list[str]) -> None:
    assert main(["keys", *arguments]) == 2
    captured = capsys.readouterr()
    assert captured.out == "a.jpg\n"
    assert captured.err.startswith(f"darkroom: {arguments[1]}: ")
