"""Verify ID tokens of a user pool: JWTs, signed by a key of the pool's key set.

Steps: Amazon Cognito developer guide, "Verifying JSON web tokens". PyJWT verifies signature, expiry, issuer and
audience; it runs here rather than in an authorizer of the API, since those read headers only, and the session is a
cookie that scripts cannot read.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

import jwt

from darkroom.errors import Unavailable
from darkroom_analysis.review.access import NotSignedIn

ALGORITHMS = ["RS256"]
"""The one that user pools sign with. The token's header does not choose."""

REQUIRED = ["exp", "iat", "iss", "aud", "sub", "token_use"]
LEEWAY_S = 30
"""Allowed difference of clocks."""

KEYS_TTL_S = 3600
TIMEOUT_S = 3
REFRESH_S = 60.0
"""Minimum time between two requests for the keys because of an unknown key: forged tokens cannot cause more."""


class TokenVerifier:
    """Verifies tokens of ``issuer`` for the app client ``client_id``. The key set is fetched from ``keys_url``."""

    def __init__(
        self, issuer: str, client_id: str, keys_url: str = "", *, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._issuer, self._client_id = issuer, client_id
        self._monotonic = monotonic
        self._refreshed_s = float("-inf")
        url = keys_url or f"{issuer}/.well-known/jwks.json"
        self._client = jwt.PyJWKClient(url, cache_jwk_set=True, lifespan=KEYS_TTL_S, timeout=TIMEOUT_S)

    def verify(self, token: str) -> Mapping[str, Any]:
        """Return the claims of an ID token. Raises NotSignedIn, or Unavailable if the keys cannot be fetched."""
        try:
            key = self._find_key(str(jwt.get_unverified_header(token).get("kid", "")))
            claims: dict[str, Any] = jwt.decode(
                token,
                key.key,
                ALGORITHMS,
                options={"require": REQUIRED},
                audience=self._client_id,
                issuer=self._issuer,
                leeway=LEEWAY_S,
            )
        except (jwt.PyJWKClientError, jwt.PyJWKSetError) as error:  # no response, or none with a usable key
            raise Unavailable(
                "The keys of the sign-in service are not available", detail=f"keys of {self._issuer}: {error}"
            ) from error
        except jwt.PyJWTError as error:
            raise NotSignedIn(detail=repr(error)) from error
        if (use := claims["token_use"]) != "id":  # an access token has the same issuer and keys
            raise NotSignedIn(detail=f"a token for {use!r}")
        return claims

    def _find_key(self, key_id: str) -> jwt.PyJWK:
        """Return the key ``key_id``; an unknown one may be new. Raises NotSignedIn."""
        for refresh in (False, True):
            if refresh:
                if self._monotonic() - self._refreshed_s < REFRESH_S:
                    break
                self._refreshed_s = self._monotonic()
            for key in self._client.get_signing_keys(refresh):
                if key.key_id == key_id:
                    return key
        raise NotSignedIn(detail=f"unknown key {key_id!r}")
