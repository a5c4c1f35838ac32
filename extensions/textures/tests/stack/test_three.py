"""three.js, as it is published, with the deployed stack: a page of another origin, and URLs of every signer."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

import pytest
from PIL import Image

from tests.peers.clients import browser as clients
from tests.peers.clients.browser import Browser
from tests.peers.clients.signers import SIGNERS, sign_extension
from tests.stack.operating import Operator


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    pages = tmp_path_factory.mktemp("pages")
    linked = {"basis": "three/examples/jsm/libs/basis"}
    clients.bundle(pages, "texture", folder=Path(__file__).parent, linked=linked)
    with clients.open_browser(pages) as opened:
        yield opened


def red_above_blue() -> bytes:
    image = Image.new("RGB", (96, 96), (210, 30, 30))
    image.paste((30, 30, 210), (0, 48, 96, 96))
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


@pytest.mark.parametrize("signer", SIGNERS)
def test_three_js_loads_a_texture_signed_in_every_language(
    extensions_operator: Operator, browser: Browser, signer: str, tmp_path: Path
) -> None:
    """The key has characters that these paths spell in another way than URLs of images."""
    stack = extensions_operator.stack
    key = stack.viewer().upload(red_above_blue(), "Fels & Höhle~1.png")
    options = {"f": "ktx2", "w": 64, "fit": "cover", "h": 64}
    url = sign_extension(signer, stack.cdn_url, stack.signing_key, unquote(key[1:]), "texture", options, tmp_path)
    browser.open("texture")
    browser.wait("!!window.show")
    for headers in (None, {"X-Requested-With": "three"}):
        found = browser.call("([url, headers]) => window.show(url, headers)", [url, headers])
        assert (found["width"], found["height"], found["levels"], found["compressed"]) == (64, 64, 7, True)
        above, below = found["above"], found["below"]
        assert above[0] > 180 > 70 > above[2], found
        assert below[2] > 180 > 70 > below[0], found
    assert browser.failed == []
