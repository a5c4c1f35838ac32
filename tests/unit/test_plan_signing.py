"""Signatures."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from darkroom.errors import BadSignature, Expired
from darkroom.plan.options import OPTIONS_BY_NAME
from darkroom.signing import sign, verify

PATH = "/photo.jpg/_/w-801.auto"
# printf '/photo.jpg/_/w-801.auto' | openssl dgst -sha256 -hmac test-key -binary | base64 | tr '+/' '-_' | tr -d =
SIGNATURE = "y-Ljtr4QT0LuEtZGLVGKtylOHt-3t1IB8e4CZPww2Rc"
EXPIRING = "4fYk4HmBpJxXpmHhOgjsX4jh4d5wgtITRhlk2nnf0qs"


def test_signatures_of_openssl() -> None:
    assert sign(PATH, "test-key") == SIGNATURE
    assert sign(PATH, "test-key", 1_900_000_000) == EXPIRING


@given(
    path=st.text(max_size=20), key=st.text(min_size=1, max_size=20), expires_s=st.none() | st.integers(1, 9_999_999_999)
)
def test_a_signature_is_one_that_the_option_takes(path: str, key: str, expires_s: int | None) -> None:
    signature = sign(path, key, expires_s)
    assert OPTIONS_BY_NAME["s"].type.parse([signature]) == signature
    verify(path, signature, expires_s, [key], 0)


@pytest.mark.parametrize("keys", [["test-key"], ["test-key", ""], ["new", "test-key"], ["test-key", "old"]])
def test_either_key_is_valid(keys: list[str]) -> None:
    verify(PATH, SIGNATURE, None, keys, 2e9)
    verify(PATH, EXPIRING, 1_900_000_000, keys, 1_899_999_999.9)


@pytest.mark.parametrize(
    ("path", "signature", "expires_s", "keys"),
    [
        (PATH, SIGNATURE, None, ["other"]),
        (PATH, SIGNATURE, None, []),
        (PATH, SIGNATURE, None, ["", ""]),
        (PATH, SIGNATURE, 1_900_000_000, ["test-key"]),
        (PATH, EXPIRING, None, ["test-key"]),
        (PATH, EXPIRING, 1_900_000_001, ["test-key"]),
        (PATH.replace("801", "802"), SIGNATURE, None, ["test-key"]),
        (PATH, "", None, ["test-key"]),
        (PATH, SIGNATURE + "=", None, ["test-key"]),
        (PATH, SIGNATURE.swapcase(), None, ["test-key"]),
    ],
)
def test_forgeries(path: str, signature: str, expires_s: int | None, keys: list[str]) -> None:
    with pytest.raises(BadSignature):
        verify(path, signature, expires_s, keys, 0)


def test_a_signature_without_a_key_is_none() -> None:
    with pytest.raises(BadSignature):
        verify(PATH, sign(PATH, ""), None, [""], 0)


@pytest.mark.parametrize("now_s", [1_900_000_000, 1_900_000_000.5, 2e9])
def test_expiry(now_s: float) -> None:
    with pytest.raises(Expired):
        verify(PATH, EXPIRING, 1_900_000_000, ["test-key"], now_s)
