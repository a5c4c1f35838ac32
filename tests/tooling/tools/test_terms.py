"""Tests of the word list that `make lint` enforces."""

from __future__ import annotations

import tomllib

import pytest

from tools.terms import ALLOWED, WORDS, find_words, read_rules

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


@pytest.mark.parametrize("text", ["no picture", "Pictures of", "a picture.", 'f"{n} pictures"'])  # terms: allow
def test_an_image_is_not_called_a_picture_in_prose(text: str) -> None:
    assert list(find_words(read_rules(tomllib.loads(WORDS.read_text(encoding="utf-8"))), text, python=False))


@pytest.mark.parametrize("text", ['{"picture": 1}', "`picture`", "<picture>", "each.picture", "review/picture"])
def test_names_may_contain_a_word_that_prose_may_not(text: str) -> None:
    assert not list(find_words(read_rules(tomllib.loads(WORDS.read_text(encoding="utf-8"))), text, python=False))
