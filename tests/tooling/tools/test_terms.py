"""Tests of the word list that `make lint` enforces."""

from __future__ import annotations

from tools.terms import ALLOWED, find_words, read_rules

RULES = read_rules({"prose": {"whoever": "the client"}, "python": {"Vault|take_in": "S3Bucket, ingest"}})


def found(text: str, *, python: bool = True) -> list[tuple[int, str]]:
    return [(number, word) for number, word, _ in find_words(RULES, text, python=python)]


def test_prose_is_checked_in_any_letter_case() -> None:
    assert found("Fine.\nWhoever asks", python=False) == [(2, "Whoever")]


def test_identifiers_are_checked_in_python_only_and_as_whole_words() -> None:
    text = "Vault(take_in)\nVaulted, a-Vault, take_into, vault"
    assert found(text) == [(1, "Vault"), (1, "take_in")]
    assert found(text, python=False) == []


def test_a_line_may_allow_a_word() -> None:
    assert found(f"Vault  # the AWS service; {ALLOWED}") == []
