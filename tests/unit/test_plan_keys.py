"""Keys of sources, their percent-encoding and their encoding in canonical paths."""

from __future__ import annotations

import json
import re
from pathlib import Path
from urllib.parse import quote, unquote_to_bytes

import pytest
from hypothesis import given
from hypothesis import strategies as st

from darkroom.errors import BadKey
from darkroom.image_keys import (
    MAX_ENCODED_KEY_BYTES,
    MAX_KEY_BYTES,
    check_key,
    decode_key,
    encode_key,
    parse_key,
    quote_key,
    unquote,
)
from tests.odd_keys import odd_keys

CASES = json.loads((Path(__file__).parents[1] / "cases" / "keys.json").read_text(encoding="utf-8"))

TEXTS = st.text(st.characters(exclude_categories=["Cs"])) | st.text(".-/_~% éA29C🐈\u0301\n", max_size=12)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_cases_of_the_encoding(case: dict[str, str]) -> None:
    assert encode_key(case["key"]) == case["encoded"]
    assert decode_key(case["encoded"]) == case["key"]


@given(text=TEXTS)
def test_the_encoding_is_reversible_within_its_alphabet(text: str) -> None:
    encoded = encode_key(text)
    assert re.fullmatch("[A-Za-z0-9/._-]*", encoded)
    assert decode_key(encoded) == text


@given(one=TEXTS, other=TEXTS)
def test_the_encoding_is_injective_and_keeps_prefixes(one: str, other: str) -> None:
    assert (encode_key(one) == encode_key(other)) == (one == other)
    assert encode_key(one + other).startswith(encode_key(one))


@given(text=st.from_regex(r"(?:[A-Za-z0-9/_]|[A-Za-z0-9/_]-|\.(?!-))*-*", fullmatch=True))
def test_ordinary_keys_are_their_own_encoding(text: str) -> None:
    assert encode_key(text) == text


@given(text=st.text(".-/_~% éABCDEF0129", max_size=12))
def test_decoding_accepts_encodings_only(text: str) -> None:
    try:
        key = decode_key(text)
    except BadKey:
        return
    assert encode_key(key) == text


@pytest.mark.parametrize(
    "text",
    [
        *("é", "a b", "a~b", "%C3%A9", ".-", "a.-b", ".-C3", ".-c3a9", ".-C3a9", ".-41", ".-2F", ".-2D", "a.-2Db"),
        *(".-FF", ".-80", ".-C0AF", ".-EDA080", ".-F4908080", ".-C3.-A9", "\ud800"),
    ],
)
def test_decoding_refuses(text: str) -> None:
    with pytest.raises(BadKey):
        decode_key(text)


def test_odd_keys_are_valid_different_and_reach_the_limits() -> None:
    keys = odd_keys()
    assert len(set(keys)) == len(keys) == 200
    assert keys == odd_keys()
    assert all(check_key(key) == key and decode_key(encode_key(key)) == key for key in keys)
    assert max(len(key.encode()) for key in keys) == MAX_KEY_BYTES
    assert max(len(encode_key(key)) for key in keys) == MAX_ENCODED_KEY_BYTES
    assert all(any(piece in key for key in keys) for piece in "é +@[~%🐈")


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
    assert parse_key("/" + quote_key(key)) == key


@pytest.mark.parametrize(
    ("key", "message"),
    [
        ("", "names no image"),
        ("a" * (MAX_KEY_BYTES + 1), "longer than 700 bytes"),
        ("é" * (MAX_KEY_BYTES // 2) + "a", "longer than 700 bytes"),
        ("é" * 144 + " ", "takes 868 bytes once encoded; at most 867 are allowed"),
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
def test_invalid_keys(key: str, message: str) -> None:
    with pytest.raises(BadKey, match=message):
        check_key(key)
    with pytest.raises(BadKey, match=message):
        parse_key("/" + quote_key(key))


def test_a_path_that_is_not_encoded_well_is_no_key() -> None:
    with pytest.raises(BadKey, match="not percent-encoded UTF-8"):
        parse_key("/a%zz")
