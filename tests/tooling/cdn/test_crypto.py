"""The module ``crypto`` of the local CDN, compared with Python's."""

from __future__ import annotations

import hashlib
import hmac
import json
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from py_mini_racer import JSEvalException, MiniRacer

import cloudfront_local


@pytest.fixture(scope="module")
def engine() -> Iterator[MiniRacer]:
    found = MiniRacer()
    found.eval((Path(cloudfront_local.__file__).parent / "crypto.js").read_text(encoding="utf-8"))
    yield found
    found.close()


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=200)


@given(key=TEXTS, text=TEXTS)
def test_digests_are_those_of_python(engine: MiniRacer, key: str, text: str) -> None:
    call = f"__crypto.createHmac('sha256', {json.dumps(key)}).update({json.dumps(text)}).digest"
    expected = hmac.digest(key.encode(), text.encode(), "sha256")
    assert engine.eval(f"{call}('hex')") == expected.hex()
    assert engine.eval(f"{call}('base64')") == b64encode(expected).decode()
    assert engine.eval(f"{call}('base64url')") == urlsafe_b64encode(expected).decode().rstrip("=")
    halves = f"update({json.dumps(text[:7])}).update({json.dumps(text[7:])})"
    assert engine.eval(f"__crypto.createHash('sha256').{halves}.digest('hex')") == (
        hashlib.sha256(text.encode()).hexdigest()
    )


def test_what_it_does_not_compute_is_an_error(engine: MiniRacer) -> None:
    with pytest.raises(JSEvalException, match="computes sha256 only, not 'md5'"):
        engine.eval("__crypto.createHash('md5')")
    with pytest.raises(JSEvalException, match="no encoding 'latin1'"):
        engine.eval("__crypto.createHash('sha256').update('a').digest('latin1')")
