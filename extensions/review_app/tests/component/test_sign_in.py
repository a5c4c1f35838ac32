"""Sign in and out through the issuer: authorization code with PKCE, state and nonce, and the cookies."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from extensions.review_app.tests.issuer import ADA, CLIENT_ID

from .world import SESSION, SITE, Answer, World

ATTEMPT = "__Host-darkroom-sign-in"


def cookies(answer: Answer) -> dict[str, str]:
    """Return the values of the cookies that are set; deleted ones are empty."""
    return {text.partition("=")[0]: text.partition("=")[2].partition(";")[0] for text in answer.cookies}


def query_of(answer: Answer) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(answer.headers["location"]).query))


def begin(world: World) -> tuple[dict[str, str], dict[str, str]]:
    """Begin to sign in; return the query for the issuer, and the cookies."""
    answer = world.send("GET", "sign-in")
    assert answer.status == 303
    return query_of(answer), cookies(answer)


def sign_in(world: World) -> tuple[dict[str, str], dict[str, str]]:
    """Sign in at the issuer; return the query of the callback, and the cookies."""
    query, kept = begin(world)
    back = world.issuer.authorize(query, ADA.email)
    return dict(parse_qsl(urlsplit(back).query)), kept


def complete(world: World, query: Mapping[str, str], kept: Mapping[str, str]) -> Answer:
    return world.send("GET", "signed-in", query=query, cookies=kept)


def refused(answer: Answer) -> bool:
    return answer.headers["location"] == f"{SITE}/_/review/app?sign-in=failed" and SESSION not in cookies(answer)


def test_the_browser_is_sent_to_the_hosted_pages(world: World) -> None:
    answer = world.send("GET", "sign-in")
    assert answer.headers["location"].startswith(f"{world.issuer.url}/oauth2/authorize?")
    assert answer.headers["cache-control"] == "no-store"
    query = query_of(answer)
    assert query | {"state": "", "nonce": "", "code_challenge": ""} == {
        "response_type": "code",
        "client_id": CLIENT_ID,
        "redirect_uri": f"{SITE}/_/review/signed-in",
        "scope": "openid email profile",
        "state": "",
        "nonce": "",
        "code_challenge": "",
        "code_challenge_method": "S256",
    }
    assert len(query["code_challenge"]) == 43
    [cookie] = answer.cookies
    value, _, attributes = cookie.partition("; ")
    assert re.fullmatch(rf"{ATTEMPT}=([\w-]{{43}}\.){{2}}[\w-]{{43}}", value)
    assert attributes == "Path=/; Max-Age=600; Secure; HttpOnly; SameSite=Lax"
    assert query["code_challenge"] not in cookie
    assert query_of(world.send("GET", "sign-in"))["state"] != query["state"]


@pytest.mark.slow
def test_a_session_is_a_cookie_that_no_script_reads(world: World) -> None:
    answer = complete(world, *sign_in(world))
    assert (answer.status, answer.headers["location"]) == (303, f"{SITE}/_/review/app")
    session, attempt = answer.cookies
    assert re.fullmatch(rf"{SESSION}=[\w.-]+; Path=/; Max-Age=3[56]\d\d; Secure; HttpOnly; SameSite=Strict", session)
    assert attempt.startswith(f"{ATTEMPT}=; Path=/; Max-Age=0;")
    described = world.send("GET", "api/session", cookies=cookies(answer))
    assert described.document == {
        "name": "Ada Lovelace <ada@example.com>",
        "roles": ["developer", "reviewer"],
        "expires_s": described.document["expires_s"],
        "named_by": "account",
    }


WRONG: dict[str, Any] = {
    "another state": lambda query, kept: ({**query, "state": "x" * 43}, kept),
    "no state": lambda query, kept: ({"code": query["code"]}, kept),
    "no cookie": lambda query, _: (query, {}),
    "an empty cookie": lambda query, _: ({**query, "state": ""}, {ATTEMPT: ""}),
    "another code": lambda query, kept: ({**query, "code": "guessed"}, kept),
    "no code": lambda query, kept: ({"state": query["state"], "error": "access_denied"}, kept),
    "another verifier": lambda query, kept: (query, {ATTEMPT: re.sub(r"\.[\w-]+\.", f".{'v' * 43}.", kept[ATTEMPT])}),
    "another nonce": lambda query, kept: (query, {ATTEMPT: kept[ATTEMPT].rpartition(".")[0] + ".n"}),
}


@pytest.mark.sample(9)
@pytest.mark.parametrize("name", WRONG)
def test_a_callback_that_this_browser_did_not_begin_is_refused(world: World, name: str) -> None:
    query, kept = sign_in(world)
    assert refused(complete(world, *WRONG[name](query, kept)))


@pytest.mark.slow
def test_a_code_is_valid_once(world: World) -> None:
    query, kept = sign_in(world)
    assert SESSION in cookies(complete(world, query, kept))
    assert refused(complete(world, query, kept))


@pytest.mark.slow
def test_a_failure_of_the_issuer_can_be_repeated(world: World) -> None:
    query, kept = sign_in(world)
    world.issuer.broken = {"/oauth2/token"}
    answer = complete(world, query, kept)
    assert (answer.status, answer.document["code"]) == (503, "unavailable")
    world.issuer.broken = set()
    assert SESSION in cookies(complete(world, query, kept))


@pytest.mark.slow
def test_a_token_that_no_cookie_holds_is_explained(world: World) -> None:
    world.issuer.extra = {"custom:notes": "n" * 4000}
    answer = complete(world, *sign_in(world))
    assert (answer.status, answer.document["code"]) == (403, "not-allowed")
    assert "too many groups or attributes" in answer.document["detail"]


@pytest.mark.slow
def test_signing_out_ends_both_sessions(world: World) -> None:
    answer = world.post("api/sign-out", {})
    assert cookies(answer) == {SESSION: ""}
    assert "Max-Age=0" in answer.cookies[0]
    location = answer.document["location"]
    assert location.startswith(f"{world.issuer.url}/logout?")
    assert dict(parse_qsl(urlsplit(location).query)) == {
        "client_id": CLIENT_ID,
        "logout_uri": f"{SITE}/_/review/app",
    }


def test_another_site_cannot_sign_anyone_out(world: World) -> None:
    answer = world.post("api/sign-out", {}, headers={"origin": "https://evil.example", "content-type": "text/plain"})
    assert (answer.status, answer.cookies) == (403, [])
