"""Credentials from the environment, or from the container endpoint that SnapStart uses."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from darkroom.aws.credentials import CredentialSource
from darkroom.errors import Unavailable


class Endpoint(HTTPServer):
    """Speaks the container credential provider's protocol, for credentials that live ``lifetime``."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.lifetime = timedelta(hours=1)
        self.served = 0


class Handler(BaseHTTPRequestHandler):
    server: Endpoint

    def do_GET(self) -> None:
        if self.headers.get("Authorization") != "secret-token":
            self.send_error(401)
            return
        self.server.served += 1
        expires = (datetime.now(UTC) + self.server.lifetime).strftime("%Y-%m-%dT%H:%M:%SZ")
        key = f"AKID{self.server.served}"
        body = json.dumps({"AccessKeyId": key, "SecretAccessKey": "s", "Token": "t", "Expiration": expires}).encode()
        self.send_response(200)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    server = Endpoint()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()


def environment(server: Endpoint, token: str = "secret-token") -> dict[str, str]:
    url = f"http://127.0.0.1:{server.server_port}/credentials"
    return {"AWS_CONTAINER_CREDENTIALS_FULL_URI": url, "AWS_CONTAINER_AUTHORIZATION_TOKEN": token}


def test_from_the_environment() -> None:
    source = CredentialSource({"AWS_ACCESS_KEY_ID": "A", "AWS_SECRET_ACCESS_KEY": "B", "AWS_SESSION_TOKEN": "C"})
    found = source.current()
    assert (found.access_key_id, found.secret_access_key, found.token, found.expires_at) == ("A", "B", "C", None)


def test_from_the_endpoint_and_kept_while_they_last(endpoint: Endpoint) -> None:
    source = CredentialSource(environment(endpoint))
    assert source.current().access_key_id == "AKID1"
    assert source.current().access_key_id == "AKID1"
    assert source.current().expires_at is not None


def test_renewed_before_they_expire(endpoint: Endpoint) -> None:
    endpoint.lifetime = timedelta(minutes=4)
    source = CredentialSource(environment(endpoint))
    assert [source.current().access_key_id for _ in range(2)] == ["AKID1", "AKID2"]


def test_without_any_it_is_unavailable(endpoint: Endpoint) -> None:
    for missing in ({}, environment(endpoint, token="wrong")):
        with pytest.raises(Unavailable):
            CredentialSource(missing).current()
