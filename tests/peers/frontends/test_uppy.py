"""Uppy's `@uppy/aws-s3` with frontends/uppy.mjs, the upload function behind an HTTP server, and MiniStack's S3."""

from __future__ import annotations

import base64
import hashlib
import json
import threading
from collections.abc import Iterator
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from tests.component.services.upload.api import Api, token_for
from tests.component.services.upload.conftest import api  # noqa: F401 - a fixture

from .clients import run

pytestmark = pytest.mark.slow

TEXT = "not much of a photograph"


@pytest.fixture
def address(api: Api) -> Iterator[str]:  # noqa: F811 - the fixture
    """Where the upload API answers by HTTP."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            answer = api.call("POST", self.path, self.headers["authorization"], body)
            content = json.dumps(answer.document).encode()
            self.send_response(answer.status)
            self.send_header("content-type", answer.headers.get("content-type", "application/json"))
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *args: object) -> None:
            """Keep the output of tests clean."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


def upload(address: str, *files: dict[str, str], token: str | None = None, **more: Any) -> dict[str, Any]:
    found: dict[str, Any] = run(
        "uppy.mjs", {"api": address, "token": token or token_for("trips/"), "files": files, **more}
    )
    return found


def jpeg(name: str, text: str = TEXT) -> dict[str, str]:
    return {"name": name, "type": "image/jpeg", "text": text}


def test_files_are_stored_under_their_keys(api: Api, address: str) -> None:  # noqa: F811 - the fixture
    files = [
        jpeg("rome.jpg"),
        jpeg("Zürich & Bern.jpg", "other bytes"),
        {"name": "a.png", "type": "image/png", "text": "x"},
    ]
    found = upload(address, *files)
    assert found["failed"] == []
    assert {one["key"] for one in found["uploaded"]} == {f"trips/{file['name']}" for file in files}
    for file in files:
        stored = api.uploaded(f"trips/{file['name']}")
        assert stored["Body"].read().decode() == file["text"]
        assert stored["ContentType"] == file["type"]
        digest = hashlib.sha256(file["text"].encode()).digest()
        assert stored["Metadata"]["declared-sha256"] == base64.b64encode(digest).decode()


# Tokens are created by the test: minutes after collection they would have expired.
REFUSED: list[tuple[str, dict[str, str], dict[str, Any], str]] = [
    ("a token for other keys", jpeg("b.jpg"), {"token": partial(token_for, "other/")}, "keys below other/"),
    ("no token", jpeg("b.jpg"), {"token": "none"}, "token"),
    ("a type that is not served", {"name": "b.txt", "type": "text/plain", "text": "x"}, {}, "type"),
    ("more bytes than the token allows", jpeg("b.jpg"), {"token": partial(token_for, "trips/", max_bytes=3)}, "size"),
    ("a form for another key", jpeg("b.jpg"), {"spoil": {"key": "trips/c.jpg"}}, ""),
]


@pytest.mark.parametrize(("name", "file", "more", "message"), REFUSED, ids=[row[0] for row in REFUSED])
def test_what_is_refused_is_an_error_of_the_file(
    api: Api,  # noqa: F811 - the fixture
    address: str,
    name: str,
    file: dict[str, str],
    more: dict[str, Any],
    message: str,
) -> None:
    created = {option: value() if callable(value) else value for option, value in more.items()}
    found = upload(address, file, **created)
    assert found["uploaded"] == [], name
    [(_, error)] = found["failed"]
    assert message in error, error
    assert api.uploaded(f"trips/{file['name']}") is None
    assert api.uploaded("trips/c.jpg") is None
