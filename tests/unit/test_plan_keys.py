"""Keys of sources and their one spelling."""

from __future__ import annotations

from urllib.parse import quote, unquote_to_bytes

import pytest
from hypothesis import given
from hypothesis import strategies as st

from darkroom.errors import BadKey
from darkroom.plan.keys import MAX_KEY_BYTES, check_key, quote_key, read_key, unquote


@given(text=st.text(st.characters(exclude_categories=["Cs"])))
def test_quoting_is_that_of_rfc_3986(text: str) -> None:
    assert quote_key(text) == quote(text, safe="/")
    assert unquote(quote_key(text)) == text


@given(text=st.text("%0123456789abcdefABCDEFg é/", max_size=12))
def test_unquoting_is_strict_and_else_that_of_the_library(text: str) -> None:
    try:
        read = unquote(text)
    except ValueError:
        return
    assert read.encode() == unquote_to_bytes(text)


@pytest.mark.parametrize(
    "text", ["%", "%2", "a%", "%zz", "%2g", "%g2", "%+1", "% 1", "%FF", "%C3", "%C0%AF", "%ED%A0%80", "\ud800"]
)
def test_unquoting_refuses(text: str) -> None:
    with pytest.raises(ValueError):
        unquote(text)


@pytest.mark.parametrize(
    "key", ["a", "a/b/c.jpg", "é", "a b", "_a/b_", ".a", "..a", "a..", "...", "a\\b", "~", "a" * MAX_KEY_BYTES]
)
def test_keys(key: str) -> None:
    assert check_key(key) == key
    assert read_key("/" + quote_key(key)) == key


@pytest.mark.parametrize(
    ("key", "told"),
    [
        ("", "names no image"),
        ("a" * (MAX_KEY_BYTES + 1), "longer than 700 bytes"),
        ("é" * (MAX_KEY_BYTES // 2) + "a", "longer than 700 bytes"),
        ("a\x1fb", "control character"),
        ("a\x7fb", "control character"),
        ("\x00", "control character"),
        ("/a", "empty segment"),
        ("a/", "empty segment"),
        ("a//b", "empty segment"),
        (".", "empty segment"),
        ("a/..", "empty segment"),
        ("_", "reserved"),
        ("a/_/b", "reserved"),
        ("_/b", "reserved"),
        ("b/_", "reserved"),
    ],
)
def test_what_is_no_key(key: str, told: str) -> None:
    with pytest.raises(BadKey, match=told):
        check_key(key)
    with pytest.raises(BadKey, match=told):
        read_key("/" + quote_key(key))


def test_a_path_that_is_not_encoded_well_is_no_key() -> None:
    with pytest.raises(BadKey, match="not percent-encoded UTF-8"):
        read_key("/a%zz")
