"""Verify ID tokens of a real issuer over HTTP: what is accepted, and each way to forge or misuse one."""

from __future__ import annotations

import json
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization

from darkroom.errors import Unavailable
from darkroom_analysis.review.access import NotSignedIn, Role
from extensions.review_app.tests.issuer import ADA, ALAN, CLIENT_ID, GRACE, KEYS, Account, Issuer
from review_app.sign_in import to_person
from review_app.tokens import LEEWAY_S, REFRESH_S, REQUIRED, TokenVerifier

KEY_SET = "/.well-known/jwks.json"


def verifier(issuer: Issuer, **further: Any) -> TokenVerifier:
    return TokenVerifier(issuer.url, CLIENT_ID, **further)


def test_a_token_of_the_issuer_is_accepted(issuer: Issuer) -> None:
    own = verifier(issuer)
    for account in (ADA, GRACE, ALAN):
        assert own.verify(issuer.token(account))["email"] == account.email
    assert issuer.answers == {KEY_SET: 1}, "the key set is cached"


@pytest.mark.slow
def test_keys_may_be_elsewhere(issuer: Issuer) -> None:
    """An emulator signs with AWS's issuer, and serves its keys itself."""
    claimed = "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_abc"
    own = TokenVerifier(claimed, CLIENT_ID, issuer.url + KEY_SET)
    assert own.verify(issuer.token(iss=claimed))["name"] == ADA.name


def unsigned(token: str, header: dict[str, Any]) -> str:
    """Replace the header and drop the signature."""
    _, claims, _ = token.split(".")
    return f"{encoded(header)}.{claims}."


def encoded(document: dict[str, Any]) -> str:
    return urlsafe_b64encode(json.dumps(document).encode()).rstrip(b"=").decode()


def tampered(token: str) -> str:
    """Change a claim and keep the signature."""
    header, claims, signature = token.split(".")
    document = jwt.decode(token, options={"verify_signature": False}) | {"cognito:groups": ["reviewer"]}
    assert claims != encoded(document)
    return f"{header}.{encoded(document)}.{signature}"


def confused(token: str) -> str:
    """Sign by HMAC with the public key, for a verifier that lets the token choose the algorithm."""
    claims = jwt.decode(token, options={"verify_signature": False})
    public = KEYS[0].private.public_key()
    pem = public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    header, body = encoded({"alg": "HS256", "typ": "JWT", "kid": KEYS[0].id}), encoded(claims)
    import hashlib
    import hmac

    signature = hmac.new(pem, f"{header}.{body}".encode(), hashlib.sha256).digest()
    return f"{header}.{body}.{urlsafe_b64encode(signature).rstrip(b'=').decode()}"


FORGED: dict[str, Callable[[Issuer], str]] = {
    "nothing": lambda _: "",
    "no token": lambda _: "a.b.c",
    "without signature": lambda issuer: unsigned(issuer.token(), {"alg": "none", "kid": KEYS[0].id}),
    "RS256 without signature": lambda issuer: unsigned(issuer.token(), {"alg": "RS256", "kid": KEYS[0].id}),
    "another claim": lambda issuer: tampered(issuer.token(ALAN)),
    "HMAC by the public key": lambda issuer: confused(issuer.token()),
    "a foreign key": lambda issuer: issuer.token(key=KEYS[2]),
    "no key id": lambda issuer: jwt.encode(
        jwt.decode(issuer.token(), options={"verify_signature": False}), KEYS[0].private, "RS256"
    ),
    "a longer hash": lambda issuer: jwt.encode(
        jwt.decode(issuer.token(), options={"verify_signature": False}), KEYS[0].private, "RS512", {"kid": KEYS[0].id}
    ),
    "expired": lambda issuer: issuer.token(exp=int(time.time()) - LEEWAY_S - 5),
    "of the future": lambda issuer: issuer.token(iat=int(time.time()) + 3600),
    "for another client": lambda issuer: issuer.token(aud="another-client"),
    "of another pool": lambda issuer: issuer.token(iss=issuer.url + "/another"),
    "an access token": lambda issuer: issuer.token(token_use="access"),
    **{f"without {claim}": lambda issuer, claim=claim: issuer.token(without=claim) for claim in REQUIRED},  # type: ignore[misc]
}


@pytest.mark.sample(15)
@pytest.mark.parametrize("name", FORGED)
def test_any_other_token_is_refused(issuer: Issuer, name: str) -> None:
    with pytest.raises(NotSignedIn):
        verifier(issuer).verify(FORGED[name](issuer))


def test_the_same_key_id_with_another_key_is_refused(issuer: Issuer) -> None:
    key = KEYS[2]
    claims = jwt.decode(issuer.token(), options={"verify_signature": False})
    with pytest.raises(NotSignedIn):
        verifier(issuer).verify(jwt.encode(claims, key.private, "RS256", {"kid": KEYS[0].id}))


@pytest.mark.slow
def test_a_new_key_is_fetched_and_unknown_ones_are_not_fetched_again_and_again(issuer: Issuer) -> None:
    now_s = 1000.0
    own = verifier(issuer, monotonic=lambda: now_s)
    own.verify(issuer.token())
    issuer.published = [KEYS[1], KEYS[0]]
    assert own.verify(issuer.token())["name"] == ADA.name
    assert issuer.answers[KEY_SET] == 2
    for _ in range(20):
        with pytest.raises(NotSignedIn):
            own.verify(issuer.token(key=KEYS[2]))
    assert issuer.answers[KEY_SET] == 2, "a minute has not passed"
    now_s += REFRESH_S
    with pytest.raises(NotSignedIn):
        own.verify(issuer.token(key=KEYS[2]))
    assert issuer.answers[KEY_SET] == 3


@pytest.mark.slow
def test_a_key_set_without_a_usable_key_is_a_fault(issuer: Issuer) -> None:
    issuer.published = []
    own = verifier(issuer)
    with pytest.raises(Unavailable):
        own.verify(issuer.token(key=KEYS[0]))
    issuer.published = [KEYS[0]]
    assert own.verify(issuer.token())["name"] == ADA.name


@pytest.mark.slow
def test_keys_that_cannot_be_fetched_are_a_fault_and_no_answer(issuer: Issuer) -> None:
    issuer.broken = {KEY_SET}
    own = verifier(issuer)
    with pytest.raises(Unavailable):
        own.verify(issuer.token())
    issuer.broken = set()
    assert own.verify(issuer.token())["name"] == ADA.name


@pytest.mark.slow
@pytest.mark.parametrize(
    ("claims", "name", "roles"),
    [
        ({}, "Ada Lovelace <ada@example.com>", {Role.REVIEWER, Role.DEVELOPER}),
        ({"name": ""}, "ada@example.com", {Role.REVIEWER, Role.DEVELOPER}),
        ({"email": " "}, "Ada Lovelace", {Role.REVIEWER, Role.DEVELOPER}),
        ({"name": "", "email": ""}, "ada@example.com", {Role.REVIEWER, Role.DEVELOPER}),
        ({"cognito:groups": ["administrator", "reviewer"]}, "Ada Lovelace <ada@example.com>", {Role.REVIEWER}),
        ({"cognito:groups": "reviewer"}, "Ada Lovelace <ada@example.com>", set()),
    ],
)
def test_who_a_token_names(issuer: Issuer, claims: dict[str, Any], name: str, roles: set[Role]) -> None:
    person = to_person(verifier(issuer).verify(issuer.token(ADA, **claims)))
    assert (person.name, person.roles) == (name, roles)
    assert person.expires_s == pytest.approx(time.time() + 3600, abs=600)


@pytest.mark.slow
def test_an_account_without_groups_has_no_role(issuer: Issuer) -> None:
    unnamed = Account("", "", ())
    person = to_person(verifier(issuer).verify(issuer.token(unnamed, **{"cognito:username": "x"})))
    assert (person.name, person.roles) == ("x", frozenset())
