"""Clients that users have, as they are published, with one running stack: from pages of another origin, and by URLs."""

from __future__ import annotations

import io
import json
import re
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote
from uuid import uuid4

import c2pa
import pytest
from libthumbor import CryptoURL
from PIL import Image

from cli.settings.stacks import open_local_target
from darkroom.plan.variants import LADDER_PX
from darkroom.services.upload_requests import Grant, make_token
from local.dialect_keys import DOCUMENT
from tests.images.photographs import jpeg_photo
from tests.peers.clients import browser as clients
from tests.peers.clients.browser import Browser
from tests.stack.conftest import start_stack, stop_stack
from tests.stack.operating import Operator
from tests.stack.viewer import Viewer
from tests.waiting import wait_until

pytestmark = pytest.mark.slow

PAGES = ("uppy", "unpic")
_BEGIN = "-----BEGIN CERTIFICATE-----"


@pytest.fixture(scope="module")
def operator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Operator]:
    running = start_stack(tmp_path_factory.mktemp("clients"), "--no-inference", "--no-watch")
    yield Operator(running, tmp_path_factory.mktemp("operator"))
    assert stop_stack(running) == 0


@pytest.fixture(scope="module")
def viewer(operator: Operator) -> Viewer:
    stack = operator.stack
    return stack.viewer()


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    pages = tmp_path_factory.mktemp("pages")
    clients.bundle(pages, *PAGES)
    with clients.open_browser(pages) as opened:
        yield opened


def red_above_blue() -> bytes:
    image = Image.new("RGB", (96, 96), (210, 30, 30))
    image.paste((30, 30, 210), (0, 48, 96, 96))
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


def size_of(body: bytes) -> tuple[int, int]:
    return Image.open(io.BytesIO(body)).size


# ---------------------------------------------------------------- c2pa-python


def test_c2pa_trusts_the_credentials_of_a_served_derivative(operator: Operator, viewer: Viewer, tmp_path: Path) -> None:
    stored = operator.stack.cloud.secrets.get_secret_value(SecretId="darkroom-content-credentials")["SecretString"]
    root = _BEGIN + json.loads(stored)["certificates"].rpartition(_BEGIN)[2]
    current = open_local_target(operator.info).documents.current()
    settings = tmp_path / "settings.json"
    settings.write_text(json.dumps({**current.table, "sign_derivatives": True}))
    operator.darkroom("settings", "apply", str(settings), "--by", "test")

    def serve_another() -> bytes:
        """Functions know the settings within a minute; a derivative of before is not signed."""
        key = f"credentials/{uuid4().hex}.jpg"
        operator.upload(key, jpeg_photo())
        body = viewer.get(f"/{key}?preset=w640").body
        return body if b"c2pa" in body else b""

    body = wait_until(serve_another, "a served derivative has Content Credentials")
    assert size_of(body) == (640, 427)
    for anchors, state in ((root, "Trusted"), ("", "Valid")):
        trust = {"trust": {"user_anchors": anchors}} if anchors else {}
        with (
            c2pa.Context.from_dict(trust) as context,
            c2pa.Reader("image/webp", io.BytesIO(body), context=context) as read,
        ):
            document = json.loads(read.json())
        assert document["validation_state"] == state, document
    manifest = document["manifests"][document["active_manifest"]]
    assert manifest["signature_info"]["issuer"] == "Darkroom local stack"
    changed = bytearray(body)
    changed[len(changed) // 2] ^= 1
    with c2pa.Reader("image/webp", io.BytesIO(bytes(changed))) as reader:
        assert json.loads(reader.json())["validation_state"] == "Invalid"


# ---------------------------------------------------------------- libthumbor, imgproxy-node, imgix's js-core


def test_urls_of_libthumbor_are_served(viewer: Viewer) -> None:
    path = viewer.upload(jpeg_photo((1200, 900)), "Rom & Ort.jpg")
    urls = CryptoURL(key=str(DOCUMENT["thumbor"][0]))
    for options, size in (
        ({"width": 300, "height": 200, "smart": True}, (300, 200)),
        ({"width": 300, "height": 300, "fit_in": True, "filters": ["quality(60)", "format(png)"]}, (300, 225)),
        ({"crop": ((0, 0), (600, 600)), "width": 150, "height": 150, "halign": "left"}, (150, 150)),
    ):
        url = "/thumbor" + urls.generate(image_url=path[1:], **options)
        found = viewer.get(url)
        assert (found.status, size_of(found.body)) == (200, size), url
        assert viewer.get(url.replace("/thumbor/", "/thumbor/x", 1)).status == 403


def test_urls_of_imgproxy_node_are_served(operator: Operator, viewer: Viewer) -> None:
    path = viewer.upload(jpeg_photo((1200, 900)), "Rom & Ort.jpg")
    runtime, folder = clients.install()
    pair: Any = DOCUMENT["imgproxy"][0]
    cases: list[tuple[dict[str, Any], tuple[int, int]]] = [
        ({"resize": {"resizing_type": "fill", "width": 300, "height": 200}}, (300, 200)),
        ({"width": 333, "format": "png"}, (333, 250)),
        ({"resize": {"resizing_type": "fit", "width": 200, "height": 200}, "rotate": 90}, (150, 200)),
    ]
    encoded, plain = {"value": unquote(path[1:])}, {"value": path[1:], "displayAs": "plain"}  # the client encodes none
    sources = (encoded, plain, encoded)
    rows = [{"source": source, "options": options} for source, (options, _) in zip(sources, cases, strict=True)]
    document = {"folder": str(folder), "endpoint": f"{operator.stack.cdn_url}/imgproxy", **pair, "rows": rows}
    command = [runtime, str(clients.HERE / "imgproxy.mjs")]
    done = subprocess.run(command, input=json.dumps(document), capture_output=True, text=True, check=True)
    for url, (_, size) in zip(json.loads(done.stdout), cases, strict=True):
        target = url.removeprefix(operator.stack.cdn_url)
        found = viewer.get(target)
        assert found.status == 200, (url, found.body[:300])
        assert size_of(found.body) == size, url
        assert viewer.get(target.replace("/imgproxy/", "/imgproxy/x", 1)).status == 403


def test_urls_of_imgix_js_core_are_served(viewer: Viewer) -> None:
    path = viewer.upload(jpeg_photo((1200, 900)), "Rom & Ort.jpg")
    runtime, folder = clients.install()
    cases: list[tuple[dict[str, Any], tuple[int, int]]] = [
        ({"w": 300, "h": 200, "fit": "crop", "crop": "top,left"}, (300, 200)),
        ({"ar": "1:1", "w": 150, "fit": "crop", "auto": "format,compress", "dpr": 2}, (300, 300)),
        ({"w": 333, "expires": int(time.time()) + 600}, (333, 250)),
    ]
    rows = [{"path": unquote(path), "parameters": parameters} for parameters, _ in cases]
    document = {"folder": str(folder), "token": DOCUMENT["imgix"][0], "rows": rows}
    command = [runtime, str(clients.HERE / "imgix.mjs")]
    done = subprocess.run(command, input=json.dumps(document), capture_output=True, text=True, check=True)
    for url, (_, size) in zip(json.loads(done.stdout), cases, strict=True):
        found = viewer.get(f"/imgix{url}")
        assert (found.status, size_of(found.body)) == (200, size), url
        assert viewer.get(f"/imgix{url}".replace("&s=", "&blur=9&s=")).status == 403


# ---------------------------------------------------------------- unpic, Uppy


def test_unpic_shows_images_of_the_ladder(operator: Operator, viewer: Viewer, browser: Browser) -> None:
    path = viewer.upload(jpeg_photo((1200, 800)), "Rom & Ort.jpg")
    browser.open("unpic", base=operator.stack.cdn_url)
    browser.wait("!!window.show")
    cases = (
        ({"layout": "constrained", "width": 400, "height": 300}, 480),
        ({"layout": "fullWidth"}, 960),
        ({"layout": "fixed", "width": 640, "height": 480}, 640),
    )
    for props, width in cases:
        found = browser.call("props => window.show(props)", {"src": path, "alt": "Rome", **props})
        chosen = re.search(r"\?w=(\d+)&dpr=1$", found["src"])
        assert chosen, found
        assert int(chosen[1]) in LADDER_PX
        assert int(chosen[1]) >= width, "one that is in the browser's cache may be larger"
    assert browser.failed == []


def test_uppy_uploads_prepared_images_that_are_then_served(
    operator: Operator, viewer: Viewer, browser: Browser, tmp_path: Path
) -> None:
    files = [tmp_path / name for name in ("Rom & Ort.jpg", "noise.png")]
    files[0].write_bytes(jpeg_photo((1600, 1200)))
    files[1].write_bytes(red_above_blue())
    prefix = f"trips/{uuid4().hex}/"
    token = make_token(Grant(prefix, int(time.time()) + 3600), operator.stack.signing_key)
    browser.open("uppy", api=operator.info["upload_url"], token=token, prefix=prefix)
    browser.page.set_input_files("#files", [str(file) for file in files])
    done = browser.wait("window.done")
    assert (done["failed"], browser.failed) == ([], [])
    keys = sorted(one["key"] for one in done["uploaded"])
    assert len(keys) == 2
    for key in keys:
        wait_until(lambda key=key: operator.state(key) == "ready", f"{key} is ready")
        found = viewer.get(f"/{quote(key)}?w=320")
        assert (found.status, size_of(found.body)[0] <= 320) == (200, True)
    [photo] = [key for key in keys if "Rom" in key]
    width, height = size_of(
        operator.stack.cloud.s3.get_object(Bucket=operator.info["uploads_bucket"], Key=photo)["Body"].read()
    )
    assert 300_000 < width * height <= 400_000, "the page reduced it before it was sent"
