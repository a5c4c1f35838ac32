"""Sign in by the hosted pages of a user pool: authorization code with PKCE, and the session cookie.

RFC 6749, 4.1; RFC 7636 (PKCE); RFC 9700 (state and PKCE for every client); Amazon Cognito developer guide, "User pool
endpoints and managed login reference". The function exchanges the code, so that no token reaches a script: the ID token
is in a cookie that only requests of the app carry.
"""

from __future__ import annotations

import hmac
import json
import secrets
import time
import urllib.error
import urllib.request
from base64 import urlsafe_b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any
from urllib.parse import urlencode

from darkroom.aws.telemetry import log
from darkroom.errors import Unavailable
from darkroom_analysis.review.access import Handler, NotAllowed, NotSignedIn, Person, Role, require_same_site
from darkroom_analysis.review.messages import Request, Response, json_response, redirect

from .tokens import TokenVerifier

SESSION, ATTEMPT = "__Host-darkroom-session", "__Host-darkroom-sign-in"
"""Cookies: the ID token; state, verifier and nonce of a sign-in that has begun. Browsers accept the prefix over HTTPS
(and from localhost) only, for one host and all of its paths, so that no other host of a domain can set one
(RFC 6265bis, 4.1.3.2). Requests for images carry them too; the CDN neither forwards nor logs cookies there."""

ATTEMPT_S = 600
"""Time to enter a password."""

MAX_COOKIE_CHARACTERS = 4000
"""Browsers refuse cookies above 4,096 bytes with name and attributes (RFC 6265, 6.1)."""

TIMEOUT_S = 5.0
UNAVAILABLE = "The sign-in service does not respond. Try again in a moment"
SCOPE = "openid email profile"
SIGN_IN, CALLBACK, SIGN_OUT = "sign-in", "signed-in", "api/sign-out"


@dataclass(frozen=True)
class HostedSignIn:
    """``pages_url``: the domain of the user pool. ``app_url``: where the app is served, with a slash at the end."""

    verifier: TokenVerifier
    pages_url: str
    client_id: str
    app_url: str
    clock: Callable[[], float] = time.time

    @property
    def routes(self) -> Mapping[tuple[str, str], Handler]:
        """See Access."""
        return {("GET", SIGN_IN): self._begin, ("GET", CALLBACK): self._complete, ("POST", SIGN_OUT): self._end}

    def identify(self, request: Request) -> Person:
        """See Access."""
        return to_person(self.verifier.verify(request.cookies.get(SESSION, "")))

    def describe(self, person: Person) -> Mapping[str, object]:
        """See Access."""
        return {
            "name": person.name,
            "roles": sorted(person.roles),
            "expires_s": person.expires_s,
            "named_by": "account",
        }

    @property
    def _callback_url(self) -> str:
        return self.app_url + CALLBACK

    def _begin(self, _: Request) -> Response:
        state, verifier, nonce = (secrets.token_urlsafe(32) for _ in range(3))
        challenge = urlsafe_b64encode(sha256(verifier.encode()).digest()).rstrip(b"=").decode()
        query = {
            "response_type": "code",
            "client_id": self.client_id,
            "redirect_uri": self._callback_url,
            "scope": SCOPE,
            "state": state,
            "nonce": nonce,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        attempt = self._cookie(ATTEMPT, f"{state}.{verifier}.{nonce}", ATTEMPT_S, same_site="Lax")
        return redirect(f"{self.pages_url}/oauth2/authorize?{urlencode(query)}", attempt)

    def _complete(self, request: Request) -> Response:
        """Exchange the code for the session. Raises Unavailable, and NotAllowed for a session that is too large."""
        state, _, rest = request.cookies.get(ATTEMPT, "").partition(".")
        verifier, _, nonce = rest.partition(".")
        if not state or not _equal(state, request.query.get("state", "")):
            return self._failed("unknown state")
        try:
            token = self._exchange(request.query.get("code", ""), verifier)
            claims = self.verifier.verify(token)
        except NotSignedIn as error:
            return self._failed(error.detail)
        if not _equal(nonce, str(claims.get("nonce", ""))):
            return self._failed("another nonce")
        if len(token) > MAX_COOKIE_CHARACTERS:
            raise NotAllowed("Your account has too many groups or attributes for a session", detail=str(len(token)))
        lasts_s = max(0, int(claims["exp"] - self.clock()))
        session = self._cookie(SESSION, token, lasts_s, same_site="Strict")
        return redirect(f"{self.app_url}app", session, self._cookie(ATTEMPT, "", 0, same_site="Lax"))

    def _failed(self, detail: str) -> Response:
        log("WARNING", "sign-in failed", detail=detail)
        return redirect(f"{self.app_url}app?sign-in=failed", self._cookie(ATTEMPT, "", 0, same_site="Lax"))

    def _end(self, request: Request) -> Response:
        """End the session here, and return the address that ends the one of the hosted pages."""
        require_same_site(request)
        query = urlencode({"client_id": self.client_id, "logout_uri": f"{self.app_url}app"})
        ended = json_response({"location": f"{self.pages_url}/logout?{query}"})
        return Response(ended.status, ended.headers, ended.body, (self._cookie(SESSION, "", 0, same_site="Strict"),))

    def _cookie(self, name: str, value: str, max_age_s: int, *, same_site: str) -> str:
        return f"{name}={value}; Path=/; Max-Age={max_age_s}; Secure; HttpOnly; SameSite={same_site}"

    def _exchange(self, code: str, verifier: str) -> str:
        """Return the ID token for an authorization code. Raises NotSignedIn if it is refused, Unavailable."""
        form = {
            "grant_type": "authorization_code",
            "client_id": self.client_id,
            "redirect_uri": self._callback_url,
            "code": code,
            "code_verifier": verifier,
        }
        address = f"{self.pages_url}/oauth2/token"
        asked = urllib.request.Request(address, urlencode(form).encode())  # noqa: S310 - an address of the deployment
        try:
            with urllib.request.urlopen(asked, timeout=TIMEOUT_S) as answer:  # noqa: S310
                return str(json.loads(answer.read())["id_token"])
        except urllib.error.HTTPError as error:
            if error.code < 500:
                raise NotSignedIn(detail=f"the code was refused: {error.code}") from error
            raise Unavailable(UNAVAILABLE, detail=f"token endpoint: {error.code}") from error
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise Unavailable(UNAVAILABLE, detail=f"token endpoint: {error!r}") from error


def _equal(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode(), other.encode())


def to_person(claims: Mapping[str, Any]) -> Person:
    """Return who the claims of an ID token describe."""
    name, address = str(claims.get("name", "")).strip(), str(claims.get("email", "")).strip()
    both = f"{name} <{address}>" if name and address else name or address
    groups = claims.get("cognito:groups", [])
    known = {role.value for role in Role}
    roles = frozenset(Role(group) for group in groups if group in known) if isinstance(groups, list) else frozenset()
    return Person(both or str(claims.get("cognito:username") or claims["sub"]), roles, float(claims["exp"]))
