"""Signed uploads through the HTTP API, S3's forms, the ingest pipeline and the CDN, as clients see them."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import urllib3

from local.paths import COMMAND, ROOT
from tests.component.services.upload.api import run_documented, send
from tests.images.photographs import jpeg_photo
from tests.waiting import wait_until

from .conftest import Stack
from .viewer import Viewer

ORIGIN = "http://127.0.0.1:8088"

_pool = urllib3.PoolManager(retries=False)


@dataclass(frozen=True)
class Uploader:
    """A client with a token for a folder of its own."""

    api: str
    token: str
    folder: str

    def ask(self, name: str, data: bytes, **changes: object) -> tuple[int, dict[str, Any]]:
        document = {
            "key": self.folder + name,
            "type": "image/jpeg",
            "size": len(data),
            "sha256": hashlib.sha256(data).hexdigest(),
        }
        return self._call("POST", "/uploads", json.dumps(document | changes).encode())

    def fate(self, path: str) -> tuple[int, dict[str, Any]]:
        return self._call("GET", path)

    def upload(self, name: str, data: bytes) -> dict[str, Any]:
        """Upload and wait for the fate."""
        status, form = self.ask(name, data)
        assert status == 201, form
        assert send(form, data) == (204, "")
        return self.settled(form["status"])

    def settled(self, path: str) -> dict[str, Any]:
        def look() -> dict[str, Any] | None:
            status, fate = self.fate(path)
            assert status in (200, 404), fate
            return fate if status == 200 and fate["state"] in ("ready", "refused") else None

        return wait_until(look, f"{path} has settled") or {}

    def _call(self, method: str, path: str, body: bytes | None = None) -> tuple[int, dict[str, Any]]:
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        answer = _pool.request(method, self.api + path, body=body, headers=headers)
        return answer.status, dict(json.loads(answer.data))


@pytest.fixture(scope="module")
def api(stack: Stack) -> str:
    return str(json.loads((stack.state / "stack.json").read_text())["upload_url"])


@pytest.fixture(scope="module")
def token_from_cli(stack: Stack) -> Callable[..., str]:
    def token_of(prefix: str, *options: str) -> str:
        command = [*COMMAND, "token", "--prefix", prefix, *options, "--state-dir", str(stack.state)]
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()

    return token_of


@pytest.fixture(scope="module")
def uploader(api: str, token_from_cli: Callable[..., str]) -> Uploader:
    folder = f"e2e-uploads-{secrets.token_hex(4)}/"
    return Uploader(api, token_from_cli(folder), folder)


@pytest.mark.slow
@pytest.mark.smoke
def test_an_upload_is_served(uploader: Uploader, viewer: Viewer) -> None:
    data = jpeg_photo()
    fate = uploader.upload("Rom & Cäsar 100%.jpg", data)
    assert fate["state"] == "ready"
    assert fate["key"] == uploader.folder + "Rom & Cäsar 100%.jpg"
    assert fate["sha256"] == hashlib.sha256(data).hexdigest()
    assert fate["picture"]["format"] == "jpeg"
    path = "/" + quote(fate["key"], safe="/")
    assert viewer.get(f"{path}?preset=cover").status == 200
    assert viewer.renders(path) == 0  # it was made at ingest


def test_bytes_that_are_known_already(uploader: Uploader) -> None:
    data = jpeg_photo(size=(333, 222))
    assert "same_as" not in uploader.upload("first.jpg", data)
    assert uploader.upload("second.jpg", data)["same_as"] == uploader.folder + "first.jpg"


@pytest.mark.slow
@pytest.mark.smoke
def test_what_is_no_image_is_refused_with_a_reason(uploader: Uploader, viewer: Viewer) -> None:
    fate = uploader.upload("page.jpg", b"<!doctype html><html><body>not an image</body></html>")
    assert (fate["state"], fate["code"]) == ("refused", "type-not-allowed")
    assert "HTML" in fate["reason"]
    assert viewer.get(f"/{fate['key']}?w=320").status == 404


def test_other_bytes_of_the_same_size_are_not_ingested(uploader: Uploader) -> None:
    """S3 refuses them; a store without the check leaves it to ingest."""
    data = jpeg_photo()
    status, form = uploader.ask("swapped.jpg", data, sha256=hashlib.sha256(b"something else").hexdigest())
    assert status == 201
    sent = send(form, data)
    if sent == (204, ""):
        fate = uploader.settled(form["status"])
        assert (fate["state"], fate["code"]) == ("refused", "checksum-mismatch")
    else:
        assert sent == (400, "BadDigest")


def test_an_upload_that_replaces_another_has_its_own_outcome(uploader: Uploader) -> None:
    first = uploader.upload("again.jpg", jpeg_photo())
    data = b"no image any more"
    status, form = uploader.ask("again.jpg", data)
    assert status == 201
    assert send(form, data) == (204, "")

    def is_known() -> bool:
        return uploader.fate(form["status"])[1].get("version") not in (first["version"], None)

    wait_until(is_known, "the second upload is known")
    fate = uploader.settled(form["status"])
    assert (fate["state"], fate["sha256"]) == ("refused", hashlib.sha256(data).hexdigest())


@pytest.mark.slow
def test_an_urgent_upload_is_queued_ahead_and_ingested_once(
    api: str, token_from_cli: Callable[..., str], stack: Stack
) -> None:
    folder = f"e2e-urgent-{secrets.token_hex(4)}/"
    urgent = Uploader(api, token_from_cli(folder, "--priority", "urgent"), folder)
    assert urgent.upload("now.jpg", jpeg_photo())["state"] == "ready"
    [line] = wait_until(lambda: _lines(stack, "ExpediteFunction", folder), "it was expedited") or []
    assert (line["message"], line["key"]) == ("upload expedited", folder + "now.jpg")


def _lines(stack: Stack, function: str, text: str) -> list[dict[str, Any]]:
    """Log lines of a function that contain ``text``."""
    answer = stack.cloud.logs.filter_log_events(logGroupName=stack.functions[function]["log_group"])
    return [json.loads(event["message"]) for event in answer["events"] if text in event["message"]]


def test_requests_that_the_api_refuses(uploader: Uploader, api: str) -> None:
    status, problem = uploader.ask("a.jpg", b"x", type="text/html")
    assert (status, problem["code"], problem["field"]) == (400, "bad-upload", "type")
    status, problem = uploader.ask("a.jpg", b"x", key="elsewhere/a.jpg")
    assert (status, problem["code"]) == (403, "not-granted")
    status, problem = Uploader(api, uploader.token + "x", uploader.folder).ask("a.jpg", b"x")
    assert (status, problem["code"]) == (401, "bad-token")
    status, problem = uploader.fate(f"/uploads/{uploader.folder}never.jpg")
    assert (status, problem["code"]) == (404, "not-ingested")


def test_scripts_of_other_origins_may_upload(stack: Stack, uploader: Uploader, api: str) -> None:
    asked = {
        "Origin": ORIGIN,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,content-type",
    }
    preflight = _pool.request("OPTIONS", f"{api}/uploads", headers=asked)
    assert preflight.status in (200, 204)
    assert preflight.headers["Access-Control-Allow-Origin"] in ("*", ORIGIN)
    assert "authorization" in preflight.headers["Access-Control-Allow-Headers"].lower()
    _, form = uploader.ask("cors.jpg", b"x")
    preflight = _pool.request("OPTIONS", form["url"], headers={name: asked[name] for name in list(asked)[:2]})
    assert preflight.status == 200
    assert preflight.headers["Access-Control-Allow-Origin"] in ("*", ORIGIN)
    rules = stack.cloud.s3.get_bucket_cors(Bucket=form["url"].rpartition("/")[2])["CORSRules"]
    assert any("x-amz-version-id" in rule["ExposeHeaders"] for rule in rules)  # identifies the upload of an outcome


def test_the_form_is_for_this_machine(stack: Stack, uploader: Uploader) -> None:
    _, form = uploader.ask("here.jpg", b"x")
    assert form["url"].startswith(stack.aws_endpoint_url)
    policy = json.loads(base64.b64decode(form["fields"]["policy"]))
    assert ["content-length-range", 1, 1] in policy["conditions"]


def test_the_documented_curl_commands(
    api: str, token_from_cli: Callable[..., str], uploader: Uploader, tmp_path: Path
) -> None:
    (tmp_path / "rome.jpg").write_bytes(jpeg_photo())
    done = run_documented(tmp_path, api, token_from_cli("trips/"))
    # The last command sends its request at once, when the state may be unknown yet.
    assert json.loads(done.stdout.splitlines()[-1]).get("code") == "not-ingested" or done.returncode == 0
    form = json.loads((tmp_path / "form.json").read_text())
    fate = Uploader(api, token_from_cli("trips/rome.jpg"), "trips/").settled(form["status"])
    assert fate["state"] == "ready"
