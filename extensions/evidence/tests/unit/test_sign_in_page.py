"""The page that asks for a token."""

from __future__ import annotations

from evidence.page import format_sign_in


def test_hidden_characters_of_the_key_are_escaped() -> None:
    page = format_sign_in("photo\u202egpj.exe\u2028.jpg")
    assert "photo\\u202egpj.exe" in page
    assert not {"\u202e", "\u2028"} & set(page)
