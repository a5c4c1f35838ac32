"""An issuer of ID tokens, as a user pool with hosted pages is one: key set, sign-in page, token endpoint with PKCE."""

from __future__ import annotations

import json
import secrets
import threading
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

CLIENT_ID = "review-client"
LASTS_S = 3600


@dataclass(frozen=True, slots=True)
class Account:
    """A person who can sign in."""

    name: str
    email: str
    groups: tuple[str, ...]

    @property
    def claims(self) -> dict[str, Any]:
        return {
            "sub": sha256(self.email.encode()).hexdigest()[:32],
            "name": self.name,
            "email": self.email,
            "cognito:username": self.email,
            **({"cognito:groups": list(self.groups)} if self.groups else {}),
        }


ADA = Account("Ada Lovelace", "ada@example.com", ("reviewer", "developer"))
GRACE = Account("Grace Hopper", "grace@example.com", ("reviewer",))
ALAN = Account("Alan Turing", "alan@example.com", ())
ACCOUNTS = {account.email: account for account in (ADA, GRACE, ALAN)}


class Key:
    """A signing key. RSA keys take a while to make, so that tests share a few."""

    def __init__(self, key_id: str) -> None:
        self.id = key_id
        self.private = rsa.generate_private_key(public_exponent=65537, key_size=2048)

    @property
    def public(self) -> dict[str, Any]:
        """Its entry of the key set."""
        jwk = jwt.algorithms.RSAAlgorithm.to_jwk(self.private.public_key(), as_dict=True)
        return {**jwk, "kid": self.id, "alg": "RS256", "use": "sig"}


KEYS = [Key("first"), Key("second"), Key("foreign")]


@dataclass
class Issuer:
    """The issuer at ``url``. ``published`` are the keys of its key set, of which the first signs.

    ``answers`` counts requests by path. ``broken`` are paths that answer 500. ``extra`` are further claims.
    """

    url: str
    published: list[Key] = field(default_factory=lambda: [KEYS[0]])
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    answers: dict[str, int] = field(default_factory=dict)
    broken: set[str] = field(default_factory=set)
    extra: dict[str, Any] = field(default_factory=dict)

    def token(self, account: Account = ADA, *, key: Key | None = None, without: str = "", **claims: Any) -> str:
        """Sign an ID token. ``without`` is a claim to leave out."""
        signer, now_s = key or self.published[0], int(time.time())
        document = {
            "iss": self.url,
            "aud": CLIENT_ID,
            "token_use": "id",
            "iat": now_s,
            "exp": now_s + LASTS_S,
            **account.claims,
            **self.extra,
            **claims,
        }
        document.pop(without, None)
        return jwt.encode(document, signer.private, "RS256", {"kid": signer.id})

    def authorize(self, query: Mapping[str, str], address: str) -> str:
        """Sign in as ``address``; return where the browser goes next."""
        code = secrets.token_urlsafe(16)
        self.codes[code] = {**query, "address": address}
        return f"{query['redirect_uri']}?{urlencode({'code': code, 'state': query['state']})}"

    def exchange(self, form: Mapping[str, str]) -> str | None:
        """Return the token for a code, which is valid once; None if it is refused."""
        asked = self.codes.pop(form.get("code", ""), None)
        challenge = urlsafe_b64encode(sha256(form.get("code_verifier", "").encode()).digest()).rstrip(b"=").decode()
        fits = (
            asked is not None
            and (form.get("client_id"), form.get("redirect_uri")) == (CLIENT_ID, asked["redirect_uri"])
            and (asked["code_challenge"], asked["code_challenge_method"]) == (challenge, "S256")
        )
        return self.token(ACCOUNTS[asked["address"]], nonce=asked["nonce"]) if asked and fits else None


class _Handler(BaseHTTPRequestHandler):
    issuer: Issuer

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        query = dict(parse_qsl(parts.query))
        answer: Mapping[str, Callable[[], tuple[int, bytes, dict[str, str]]]] = {
            "/.well-known/jwks.json": self._keys,
            "/oauth2/authorize": lambda: self._page(query),
            "/login": lambda: (302, b"", {"Location": self.issuer.authorize(query, query["as"])}),
            "/logout": lambda: (302, b"", {"Location": query["logout_uri"]}),
        }
        self._send(parts.path, answer)

    def do_POST(self) -> None:
        form = dict(parse_qsl(self.rfile.read(int(self.headers["Content-Length"])).decode()))
        self._send(
            "/oauth2/token" if self.path == "/oauth2/token" else "", {"/oauth2/token": lambda: self._token(form)}
        )

    def _keys(self) -> tuple[int, bytes, dict[str, str]]:
        return 200, json.dumps({"keys": [key.public for key in self.issuer.published]}).encode(), {}

    def _page(self, query: Mapping[str, str]) -> tuple[int, bytes, dict[str, str]]:
        links = "".join(
            f'<p><a id="{account.email.partition("@")[0]}" '
            f'href="/login?{escape(urlencode({**query, "as": account.email}))}">{account.name}</a></p>'
            for account in ACCOUNTS.values()
        )
        return 200, f"<!doctype html><title>Sign in</title>{links}".encode(), {"Content-Type": "text/html"}

    def _token(self, form: Mapping[str, str]) -> tuple[int, bytes, dict[str, str]]:
        token = self.issuer.exchange(form)
        if token is None:
            return 400, b'{"error": "invalid_grant"}', {}
        return 200, json.dumps({"id_token": token, "token_type": "Bearer"}).encode(), {}

    def _send(self, path: str, answers: Mapping[str, Callable[[], tuple[int, bytes, dict[str, str]]]]) -> None:
        self.issuer.answers[path] = self.issuer.answers.get(path, 0) + 1
        if path in self.issuer.broken:
            status, body, headers = 500, b"", {}
        else:
            status, body, headers = answers[path]() if path in answers else (404, b"", {})
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", **headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def serving() -> Iterator[Issuer]:
    """Serve an issuer on a free port."""
    issuer = Issuer("")
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"issuer": issuer}))
    issuer.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield issuer
    finally:
        server.shutdown()
        server.server_close()
