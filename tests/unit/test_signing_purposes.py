"""Purposes of signatures: nothing that is signed for one is valid for another."""

from __future__ import annotations

import ast
import base64
import hmac
import json
from collections.abc import Callable, Mapping
from itertools import product
from pathlib import Path

import pytest

from darkroom import signing
from darkroom.client_findings import has_valid_signature, sign_findings
from darkroom.errors import DarkroomError
from darkroom.plan.url_builder import sign_literal
from darkroom.services.upload_requests import Grant, make_token, verify_token
from darkroom.signing import Purpose, encode_base64url, sign, sign_message, verify
from evidence.tokens import EvidenceGrant
from evidence.tokens import make_token as make_evidence_token
from evidence.tokens import verify_token as verify_evidence_token
from map_tiles.requests import parse_request, sign_target
from medical import access
from tools.signing_vectors import FILE

KEY = "0123456789abcdef0123456789abcdef"
NOW_S, EXPIRES_S = 1_800_000_000, 1_800_000_900
STUDY = "/dicomweb/studies/2.25.1/series/2.25.2/instances/2.25.3/rendered"
TILEJSON = "/tiles/a.tif/tilejson.json?bands=1"
ROOT = Path(__file__).parents[2]


class Keys:
    def get(self, *, refresh: bool = False) -> tuple[str, ...]:
        return (KEY,)


def grant(text: str) -> str:
    return encode_base64url(text.encode())


def accepts_medical_url(signature: str) -> None:
    query = {"exp": str(EXPIRES_S), "s": signature}
    event = {"rawPath": STUDY, "rawQueryString": f"exp={EXPIRES_S}&s={signature}"}
    access.authorise(event, "2.25.1", query, Keys(), NOW_S)


def accepts_findings(signature: str) -> None:
    assert has_valid_signature("a.jpg", "ab", "e30", signature, [KEY])


CREDENTIALS: Mapping[Purpose, tuple[str, Callable[[str], object]]] = {
    Purpose.IMAGE: ("/a.jpg/_/w-801.auto", lambda one: verify("/a.jpg/_/w-801.auto", one, None, [KEY], NOW_S)),
    Purpose.UPLOAD_TOKEN: (
        grant(f"{EXPIRES_S}::trips/"),
        lambda one: verify_token(f"{grant(f'{EXPIRES_S}::trips/')}.{one}", [KEY], NOW_S),
    ),
    Purpose.FINDINGS: ("a.jpg\nab\ne30", accepts_findings),
    Purpose.TILE_URL: (TILEJSON, lambda one: parse_request(*f"{TILEJSON}&s={one}".split("?"), Keys(), NOW_S)),
    Purpose.MEDICAL_URL: (f"{STUDY}?exp={EXPIRES_S}", accepts_medical_url),
    Purpose.MEDICAL_TOKEN: (
        grant(f"{EXPIRES_S}:*"),
        lambda one: access.verify_token(f"{grant(f'{EXPIRES_S}:*')}.{one}", [KEY], NOW_S),
    ),
    Purpose.EVIDENCE_TOKEN: (
        grant(f"{EXPIRES_S}:ada:trips/"),
        lambda one: verify_evidence_token(f"{grant(f'{EXPIRES_S}:ada:trips/')}.{one}", [KEY], NOW_S),
    ),
}
"""For each purpose a text that is valid for it, and what accepts a signature of that text."""

UNVERIFIED = {Purpose.LARGE_COPY}
"""Names of objects, which are computed and never read."""


def test_each_purpose_has_a_verifier() -> None:
    assert set(Purpose) == CREDENTIALS.keys() | UNVERIFIED


@pytest.mark.parametrize("purpose", CREDENTIALS)
def test_a_signature_is_valid_for_its_purpose(purpose: Purpose) -> None:
    text, accept = CREDENTIALS[purpose]
    accept(sign_message(text, KEY, purpose))


@pytest.mark.parametrize(
    ("signed_for", "used_for"), [pair for pair in product(Purpose, CREDENTIALS) if len({*pair}) == 2]
)
def test_a_signature_is_valid_for_no_other_purpose(signed_for: Purpose, used_for: Purpose) -> None:
    """The signer of one purpose signs each text that the verifier of the other could be looking for."""
    text, accept = CREDENTIALS[used_for]
    texts = {text, used_for.value + text, text.removeprefix(signed_for.value), f"/{text}", f"/{used_for.value}{text}"}
    texts |= {f"key:{used_for.value}", f"/key:{used_for.value}"}
    for one in texts:
        try:
            signature = sign_message(one, KEY, signed_for)
        except ValueError:
            assert signed_for is Purpose.IMAGE, "only images have texts that no domain precedes"
            continue
        with pytest.raises((DarkroomError, AssertionError)):
            accept(signature)


def test_texts_of_two_purposes_are_never_equal() -> None:
    domains = [purpose.value or "/" for purpose in Purpose]
    for one, other in product(domains, domains):
        assert one == other or not other.startswith(one)


def test_signers_of_images_open_no_other_kind_of_resource() -> None:
    """What a page that signs any target would hand out: medical images, and maps with their own styles."""
    opened = sign_literal(STUDY, KEY, EXPIRES_S).rpartition("s=")[2]
    canonical = sign(STUDY, KEY, EXPIRES_S)
    for signature in (opened, canonical):
        with pytest.raises(DarkroomError):
            accepts_medical_url(signature)
    for target in (TILEJSON, "/tiles/a.tif/{z}/{x}/{y}.png?bands=1"):
        with pytest.raises(DarkroomError):
            parse_request(
                *f"{target}&s={sign_message(target, KEY)}".replace("{z}/{x}/{y}", "0/0/0").split("?"), Keys(), 0
            )
    parse_request(*sign_target(TILEJSON, KEY).split("?"), Keys(), NOW_S)


def test_a_text_without_a_slash_is_not_signed_for_images() -> None:
    with pytest.raises(ValueError, match="slash"):
        sign_message("upload-token:MTkw", KEY)
    assert not signing.is_signed("upload-token:MTkw", "x" * 43, [KEY])


def test_each_product_function_signs_for_its_own_purpose() -> None:
    """The functions that commands and services call, not only the one below them."""
    verify_token(make_token(Grant("trips/", EXPIRES_S), KEY), [KEY], NOW_S)
    access.verify_token(access.make_token(access.Grant(EXPIRES_S, "*"), KEY), [KEY], NOW_S)
    verify_evidence_token(make_evidence_token(EvidenceGrant("trips/", EXPIRES_S, "ada"), KEY), [KEY], NOW_S)
    accepts_findings(sign_findings("a.jpg", "ab", "e30", KEY))
    accepts_medical_url(access.sign_target(STUDY, KEY, EXPIRES_S).rpartition("s=")[2])


def test_keys_are_derived_as_the_page_says() -> None:
    """Without the code that signs: docs/reference/signatures.md, "Purposes"."""
    document = json.loads(FILE.read_text(encoding="utf-8"))
    assert {one["purpose"] for one in document["purposes"]} == {one.name.lower().replace("_", "-") for one in Purpose}
    for one in document["purposes"]:
        key = document["key"].encode()
        if one["derived"]:
            key = hmac.digest(key, b"key:" + one["domain"].encode(), "sha256")
        digest = hmac.digest(key, (one["domain"] + one["text"]).encode(), "sha256")
        assert base64.urlsafe_b64encode(digest).rstrip(b"=").decode() == one["signature"], one["purpose"]


SIGNING = {"sign_message", "is_signed"}
OF_IMAGES = {"signing.py", "url_builder.py"}


def test_code_outside_of_images_names_a_purpose() -> None:
    """The default is for URLs of images alone."""
    found: list[tuple[str, bool]] = []
    for file in [
        path for folder in ("layers", "functions", "tools", "cli", "local") for path in (ROOT / folder).rglob("*.py")
    ]:
        if file.name in OF_IMAGES or "node_modules" in file.parts:
            continue
        found += [
            (file.name, any("urpose" in ast.unparse(one) for one in call.args))
            for call in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
            if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in SIGNING
        ]
    assert found
    assert [name for name, named in found if not named] == []
