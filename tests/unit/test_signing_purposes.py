"""Purposes of signatures: nothing that is signed for one is valid for another."""

from __future__ import annotations

import base64
import hmac
import json
from collections.abc import Callable
from itertools import product

import pytest

from darkroom import signing
from darkroom.client_findings import has_valid_signature, sign_findings
from darkroom.errors import DarkroomError
from darkroom.services.upload_requests import Grant, make_token, verify_token
from darkroom.signing import PURPOSES, Purpose, encode_base64url, sign_message, verify
from extensions import list_extensions
from tools.signing_vectors import FILE, list_purposes

KEY = "0123456789abcdef0123456789abcdef"
NOW_S, EXPIRES_S = 1_800_000_000, 1_800_000_900


def grant(text: str) -> str:
    return encode_base64url(text.encode())


def accepts_findings(signature: str) -> None:
    assert has_valid_signature("a.jpg", "ab", "e30", signature, [KEY])


CREDENTIALS: dict[Purpose, tuple[str, Callable[[str], object]]] = {
    Purpose.IMAGE: ("/a.jpg/_/w-801.auto", lambda one: verify("/a.jpg/_/w-801.auto", one, None, [KEY], NOW_S)),
    Purpose.UPLOAD_TOKEN: (
        grant(f"{EXPIRES_S}::trips/"),
        lambda one: verify_token(f"{grant(f'{EXPIRES_S}::trips/')}.{one}", [KEY], NOW_S),
    ),
    Purpose.FINDINGS: ("a.jpg\nab\ne30", accepts_findings),
}
for _extension in list_extensions():
    if (_module := _extension.load("tests.purposes")) is not None:
        CREDENTIALS |= _module.CREDENTIALS
"""For each purpose a text that is valid for it, and what accepts a signature of that text."""

ALL = tuple({**dict.fromkeys(PURPOSES), **dict.fromkeys(CREDENTIALS)})
"""Each purpose; those of extensions are objects of their packages."""

UNVERIFIED = {Purpose.LARGE_COPY}
"""Names of objects, which are computed and never read."""


def test_each_purpose_has_a_verifier() -> None:
    assert {one.name for one in list_purposes()} == {one.name for one in CREDENTIALS.keys() | UNVERIFIED}


@pytest.mark.parametrize("purpose", CREDENTIALS)
def test_a_signature_is_valid_for_its_purpose(purpose: Purpose) -> None:
    text, accept = CREDENTIALS[purpose]
    accept(sign_message(text, KEY, purpose))


@pytest.mark.parametrize(("signed_for", "used_for"), [pair for pair in product(ALL, CREDENTIALS) if len({*pair}) == 2])
def test_a_signature_is_valid_for_no_other_purpose(signed_for: Purpose, used_for: Purpose) -> None:
    """The signer of one purpose signs each text that the verifier of the other could be looking for."""
    text, accept = CREDENTIALS[used_for]
    texts = {
        text,
        used_for.domain + text,
        text.removeprefix(signed_for.domain),
        f"/{text}",
        f"/{used_for.domain}{text}",
    }
    texts |= {f"key:{used_for.domain}", f"/key:{used_for.domain}"}
    for one in texts:
        try:
            signature = sign_message(one, KEY, signed_for)
        except ValueError:
            assert signed_for is Purpose.IMAGE, "only images have texts that no domain precedes"
            continue
        with pytest.raises((DarkroomError, AssertionError)):
            accept(signature)


def test_texts_of_two_purposes_are_never_equal() -> None:
    domains = [purpose.domain or "/" for purpose in ALL]
    for one, other in product(domains, domains):
        assert one == other or not other.startswith(one)


def test_a_text_without_a_slash_is_not_signed_for_images() -> None:
    with pytest.raises(ValueError, match="slash"):
        sign_message("upload-token:MTkw", KEY)
    assert not signing.is_signed("upload-token:MTkw", "x" * 43, [KEY])


def test_each_product_function_signs_for_its_own_purpose() -> None:
    """The functions that commands and services call, not only the one below them."""
    verify_token(make_token(Grant("trips/", EXPIRES_S), KEY), [KEY], NOW_S)
    accepts_findings(sign_findings("a.jpg", "ab", "e30", KEY))


def test_keys_are_derived_as_the_page_says() -> None:
    """Without the code that signs: docs/reference/signatures.md, "Purposes"."""
    document = json.loads(FILE.read_text(encoding="utf-8"))
    assert {one["purpose"] for one in document["messages"]} == {one.name for one in ALL}
    for one in document["messages"]:
        key = document["key"].encode()
        if one["derived"]:
            key = hmac.digest(key, b"key:" + one["domain"].encode(), "sha256")
        digest = hmac.digest(key, (one["domain"] + one["text"]).encode(), "sha256")
        assert base64.urlsafe_b64encode(digest).rstrip(b"=").decode() == one["signature"], one["purpose"]
