"""The upload API follows its documentation."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from darkroom.errors import list_errors_by_code
from darkroom.services.upload_requests import SOURCE_MEDIA_TYPES

from .api import DATA, DOCS, READY_RECORD, Api, run_documented, token_for


@pytest.fixture
def http(api: Api) -> Iterator[str]:
    """The API on a port."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self._answer(self.rfile.read(int(self.headers["Content-Length"])))

        def do_GET(self) -> None:
            self._answer(None)

        def _answer(self, body: bytes | None) -> None:
            answer = api.call(self.command, self.path, self.headers["Authorization"], body)
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(json.dumps(answer.document).encode())

        def log_message(self, *arguments: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.mark.slow
def test_the_documented_curl_commands_upload_a_file(api: Api, http: str, tmp_path: Path) -> None:
    data = DATA * 1000
    (tmp_path / "rome.jpg").write_bytes(data)
    api.know(replace(READY_RECORD, key="trips/rome.jpg"))
    done = run_documented(tmp_path, http, token_for("trips/"))
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["state"] == "ready"
    found = api.uploaded("trips/rome.jpg")
    assert found["Body"].read() == data
    assert found["ContentType"] == "image/jpeg"


@pytest.mark.slow
def test_the_documented_curl_commands_show_a_refusal(http: str, tmp_path: Path) -> None:
    (tmp_path / "rome.jpg").write_bytes(DATA)
    done = run_documented(tmp_path, http, token_for("elsewhere/"))
    assert done.returncode != 0
    assert json.loads((tmp_path / "form.json").read_text())["code"] == "not-granted"


def test_the_documented_types_and_codes_are_those_of_the_code() -> None:
    page = DOCS.read_text(encoding="utf-8")
    types = re.search(r"<!-- image-types -->(.*?)<!-- /image-types -->", page)
    assert types
    assert types[1] == ", ".join(f"`{media_type}`" for media_type in SOURCE_MEDIA_TYPES)
    rows = re.findall(r"^\| (\d{3}) \| `([a-z-]+)` \|", page, re.MULTILINE)
    assert len(rows) == 8
    assert all(list_errors_by_code()[code].status == int(status) for status, code in rows)
