"""Settings that functions read at run time: effective within a minute, without a round trip on a cold start."""

from __future__ import annotations

import http.client
import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from unittest import mock

import pytest

from darkroom.services.live_settings import CURRENT, LiveSettings
from darkroom_pipeline.aws.s3 import S3Bucket
from tests.images.photographs import jpeg_photo

from .functions import Function, load

BUCKET = "live-settings"
TOGETHER_S = 20.0
"""How long the stand-in holds its answer back for the other requests: they need no more than milliseconds."""

LADDER, OTHER = "/photo.jpg/_/w-640.auto-webp", "/photo.jpg/_/w-641.auto-webp"


@dataclass
class Proxy:
    """Passes requests on to MiniStack. It answers for ``held`` only when all of ``beside`` have been requested.

    For ``denied`` it answers 403, as S3 does for an object that the role may not read.
    """

    ministack: str
    held: str = ""
    beside: frozenset[str] = frozenset()
    denied: str = ""
    seen: list[str] = field(default_factory=list)
    late: list[str] = field(default_factory=list)
    changed: threading.Condition = field(default_factory=threading.Condition)

    def arrive(self, key: str) -> None:
        with self.changed:
            self.seen.append(key)
            self.changed.notify_all()
            if key == self.held and not self.changed.wait_for(lambda: self.beside <= {*self.seen}, TOGETHER_S):
                self.late += sorted(self.beside - {*self.seen})


@pytest.fixture
def proxy(ministack_url: str) -> Iterator[tuple[Proxy, str]]:
    state = Proxy(ministack_url.partition("://")[2])

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def forward(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            key = self.path.partition("?")[0].removeprefix(f"/{BUCKET}/")
            state.arrive(key)
            if key == state.denied:
                self.send_response(403)
                self.send_header("content-length", "0")
                self.end_headers()
                return
            upstream = http.client.HTTPConnection(state.ministack)
            headers = {name: value for name, value in self.headers.items() if name.lower() != "host"}
            upstream.request(self.command, self.path, body, headers)
            answer = upstream.getresponse()
            content = answer.read()
            self.send_response(answer.status)
            for name, value in answer.getheaders():
                if name.lower() not in ("transfer-encoding", "connection", "date", "server"):
                    self.send_header(name, value)
            if self.command != "HEAD" and not answer.getheader("content-length"):
                self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)
            upstream.close()

        def __getattr__(self, name: str) -> Any:
            """Forward every method: ``do_GET`` and so on."""
            if name.startswith("do_"):
                return self.forward
            raise AttributeError(name)

        def log_message(self, *_: Any) -> None:
            """Write nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield state, f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture
def media(aws: Callable[[str], Any]) -> S3Bucket:
    """The bucket, with a master, and neither derivatives nor settings."""
    s3 = aws("s3")
    s3.create_bucket(Bucket=BUCKET)
    found = S3Bucket(s3, BUCKET)
    for page in found.list_pages():
        for one in page:
            found.delete(one.key)
    found.put("masters/photo.jpg", jpeg_photo(), headers={"Content-Type": "image/jpeg"}, metadata={})
    return found


def write(media: S3Bucket, **settings: object) -> None:
    media.put(CURRENT, json.dumps({"settings": settings}).encode(), headers={}, metadata={})


def start(aws_environment: dict[str, str], url: str, monkeypatch: pytest.MonkeyPatch, **more: str) -> Function:
    arns = {"SIGNING_KEYS_ARN": "arn", "LANGUAGE_KEYS_ARN": "arn"}
    environment = aws_environment | {"AWS_ENDPOINT_URL": url, "MEDIA_BUCKET": BUCKET} | arns | more
    for name, value in environment.items():
        monkeypatch.setenv(name, value)  # credentials are read when they are needed
    return load("transform", environment)


def ask(function: Function, path: str, **headers: str) -> dict[str, Any]:
    event = {"rawPath": path, "headers": headers, "requestContext": {"http": {"method": "GET"}}}
    return dict(function.invoke(event))


READS = {"masters/photo.jpg", "derivatives/photo.jpg/_/refusal.json"}


@pytest.mark.sample(3)
@pytest.mark.parametrize(
    ("path", "headers", "beside"),
    [
        (LADDER, {}, READS | {"derivatives" + LADDER, "switches/presets-only.json"}),
        (
            "/imgproxy/_/w:640/plain/photo.jpg",
            {"x-darkroom-language": "imgproxy", "x-darkroom-url": "/imgproxy/_/w:640/plain/photo.jpg"},
            {"masters/photo.jpg"},
        ),
        (
            "/iiif/3/photo.jpg/info.json",
            {"x-darkroom-language": "iiif", "x-darkroom-url": "/iiif/3/photo.jpg/info.json"},
            {"masters/photo.jpg"},
        ),
    ],
    ids=["native", "imgproxy", "iiif"],
)
def test_a_cold_start_reads_its_settings_beside_what_it_reads_anyway(
    media: S3Bucket,
    proxy: tuple[Proxy, str],
    aws_environment: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    path: str,
    headers: dict[str, str],
    beside: set[str],
) -> None:
    """S3's response about the settings is delayed until the others have been requested; sequential requests fail."""
    write(media, imgproxy_access_mode="open", iiif_access_mode="open")
    state, url = proxy
    state.held, state.beside = CURRENT, frozenset(beside)
    answer = ask(start(aws_environment, url, monkeypatch), path, **headers)
    assert answer["statusCode"] == 200, answer
    assert state.late == []
    assert state.seen.count(CURRENT) == 1
    assert state.seen.count("masters/photo.jpg") <= 2, "one GET, and the check beside the PUT"


def test_a_warm_function_reads_them_once_a_minute_and_obeys(
    media: S3Bucket, proxy: tuple[Proxy, str], aws_environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    state, url = proxy
    function = start(aws_environment, url, monkeypatch)
    assert ask(function, OTHER)["statusCode"] == 403, "guarded, by default"
    write(media, access_mode="open")
    assert ask(function, OTHER)["statusCode"] == 403
    assert state.seen.count(CURRENT) == 1
    with mock.patch.object(LiveSettings, "is_due", True):  # a minute later
        assert ask(function, OTHER)["statusCode"] == 200
    assert ask(function, OTHER)["statusCode"] == 200
    assert state.seen.count(CURRENT) == 2


@pytest.mark.slow
def test_a_watermark_and_a_preset_need_no_deployment(
    media: S3Bucket, proxy: tuple[Proxy, str], aws_environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    _, url = proxy
    path = "/photo.jpg/_/w-641.webp"
    assert ask(start(aws_environment, url, monkeypatch), path)["statusCode"] == 403
    write(media, presets={"mine": {"w": 641, "f": "webp"}}, watermarks={"brand": "watermarks/brand.svg"})
    assert ask(start(aws_environment, url, monkeypatch), path)["statusCode"] == 200


@pytest.mark.slow
@pytest.mark.parametrize("body", [b"{", b'{"settings": {"access_mode": "closed"}}'])
def test_a_process_that_cannot_read_them_answers_503(
    media: S3Bucket,
    proxy: tuple[Proxy, str],
    aws_environment: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    body: bytes,
) -> None:
    media.put(CURRENT, body, headers={}, metadata={})
    function = start(aws_environment, proxy[1], monkeypatch)
    answer = ask(function, LADDER)
    assert (answer["statusCode"], answer["headers"]["cache-control"]) == (503, "no-store")
    out = capsys.readouterr().out
    assert "settings document invalid" in out
    assert "SettingsInvalid" in out
    write(media)
    assert ask(function, LADDER)["statusCode"] == 200


@pytest.mark.slow
def test_a_process_that_is_denied_them_does_not_serve_by_the_defaults(
    media: S3Bucket,
    proxy: tuple[Proxy, str],
    aws_environment: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    write(media, access_mode="signed")
    state, url = proxy
    state.denied = CURRENT
    function = start(aws_environment, url, monkeypatch)
    answer = ask(function, LADDER)
    assert (answer["statusCode"], answer["headers"]["cache-control"]) == (503, "no-store")
    assert "SettingsReadFailed" in capsys.readouterr().out
    state.denied = ""
    write(media)
    assert ask(function, LADDER)["statusCode"] == 200
