"""Signatures of canonical requests and of URLs as they are written, and the test vectors of both."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from darkroom.errors import BadKey, BadSignature, Expired
from darkroom.plan.native_url import parse_url
from darkroom.plan.options import OPTIONS_BY_NAME
from darkroom.plan.url_builder import sign_literal
from darkroom.signing import remove_signature, sign, sign_message, verify
from tools.signing_vectors import FILE, build_document, written

PATH = "/photo.jpg/_/w-801.auto"
# printf '/photo.jpg/_/w-801.auto' | openssl dgst -sha256 -hmac test-key -binary | base64 | tr '+/' '-_' | tr -d =
SIGNATURE = "y-Ljtr4QT0LuEtZGLVGKtylOHt-3t1IB8e4CZPww2Rc"
EXPIRING = "4fYk4HmBpJxXpmHhOgjsX4jh4d5wgtITRhlk2nnf0qs"


def test_signatures_of_openssl() -> None:
    assert sign(PATH, "test-key") == SIGNATURE
    assert sign(PATH, "test-key", 1_900_000_000) == EXPIRING


@given(
    path=st.text(max_size=20).map("/{}".format),
    key=st.text(min_size=1, max_size=20),
    expires_s=st.none() | st.integers(1, 9_999_999_999),
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


URL = "/photo.jpg?w=801"
# printf '/photo.jpg?w=801' | openssl dgst -sha256 -hmac test-key -binary | base64 | tr '+/' '-_' | tr -d =
LITERAL = "hhWuVijn0RQ-g-Bs6cYF8KdonOwPlcHW5iJHE3Ckxp8"
LITERAL_EXPIRING = "8OZBjpZ6IT1VKRXG5X-j_muQFKOTpMkhC1TT7EW5M-8"


@pytest.mark.parametrize(
    ("url", "text"),
    [
        ("/photo.jpg", "/photo.jpg"),
        ("/photo.jpg?s=x", "/photo.jpg"),
        ("/photo.jpg?signature=x", "/photo.jpg"),
        ("/photo.jpg?s=x&w=801", URL),
        ("/photo.jpg?w=801&s=x", URL),
        ("/photo.jpg?sat=1&s=x&q=2", "/photo.jpg?sat=1&q=2"),
        ("/s=x?w=801", "/s=x?w=801"),
        ("/photo.jpg?W=801&s=x&dl=s%3Dy", "/photo.jpg?W=801&dl=s%3Dy"),
    ],
)
def test_the_literal_text_is_the_url_without_its_signature(url: str, text: str) -> None:
    assert remove_signature(url) == text


def test_literal_signatures_of_openssl() -> None:
    assert sign_literal(URL, "test-key") == f"{URL}&s={LITERAL}"
    assert sign_literal(URL, "test-key", 1_900_000_000) == f"{URL}&exp=1900000000&s={LITERAL_EXPIRING}"
    assert sign_literal("/photo.jpg", "test-key").startswith("/photo.jpg?s=")


@pytest.mark.parametrize("target", [f"{URL}&exp=5&s=old", "photo.jpg?expires=5&w=801&signature=old", f"{URL}&"])
def test_a_literal_signature_replaces_an_earlier_one(target: str) -> None:
    assert sign_literal(target, "test-key") == f"{URL}&s={LITERAL}"


def test_what_browsers_change_is_encoded_before_it_is_signed() -> None:
    signed = sign_literal('/é <1>.jpg?dl=it\'s "a".jpg', "test-key")
    assert remove_signature(signed) == "/%C3%A9%20%3C1%3E.jpg?dl=it%27s%20%22a%22.jpg"


@pytest.mark.parametrize("target", ["", "/", "/a//b.jpg", "/photo.jpg/_/w-8192.auto", "/a/../b.jpg?w=801"])
def test_what_could_be_a_canonical_request_is_not_signed_literally(target: str) -> None:
    with pytest.raises(BadKey):
        sign_literal(target, "test-key")


def test_either_text_is_verified_and_the_result_says_which() -> None:
    assert not verify(PATH, SIGNATURE, None, ["test-key"], 0, f"{URL}&s={SIGNATURE}")
    for url in (f"{URL}&s={LITERAL}", f"/photo.jpg?s={LITERAL}&w=801"):
        assert verify(PATH, LITERAL, None, ["new", "test-key"], 0, url)


def test_an_error_has_the_texts_but_no_signature() -> None:
    with pytest.raises(BadSignature) as wrong:
        verify(PATH, "x" * 43, 5, ["test-key"], 0, f"{URL}&exp=5&s={'x' * 43}")
    assert wrong.value.message == (
        f"The signature matches neither '{PATH}?exp=5' (canonical request) nor '{URL}&exp=5' (URL as written)"
    )
    with pytest.raises(BadSignature, match=r"matches not '/photo.jpg/_/w-801.auto'"):
        verify(PATH, "x" * 43, None, ["test-key"], 0)


def test_a_literal_signature_expires() -> None:
    url = f"{URL}&exp=1900000000&s={LITERAL_EXPIRING}"
    assert verify(PATH, LITERAL_EXPIRING, 1_900_000_000, ["test-key"], 1_899_999_999, url)
    with pytest.raises(Expired):
        verify(PATH, LITERAL_EXPIRING, 1_900_000_000, ["test-key"], 1_900_000_000, url)
    with pytest.raises(BadSignature):
        verify(PATH, LITERAL_EXPIRING, 1_900_000_001, ["test-key"], 0, url.replace("0&s", "1&s"))


def test_the_vectors_are_current() -> None:
    assert FILE.read_text(encoding="utf-8") == written(), "run `make docs`"


def test_the_vectors_verify_in_both_forms() -> None:
    document: Any = build_document()
    vectors = [*document["images"], *document["targets"]]
    assert len({vector["signed"] for vector in vectors}) >= 200
    for vector in vectors:
        request, keys = parse_url(vector["signed"]), [document["key"]]
        assert verify(request.path, request.signature, request.expires_s, keys, 0, vector["signed"])
        assert sign_message(vector["text"], document["key"]) == request.signature
        assert not verify(request.path, vector["canonical_signature"], request.expires_s, keys, 0)
        assert sign_message(vector["canonical_text"], document["key"]) == vector["canonical_signature"]
