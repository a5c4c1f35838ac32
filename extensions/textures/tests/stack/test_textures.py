"""Textures beside one local stack, as their users use them."""

from __future__ import annotations

import urllib.request

from tests.images.photographs import jpeg_photo
from tests.stack.operating import Operator
from tests.waiting import HANG_S
from textures.container import IDENTIFIER


def test_a_texture_is_made_once_and_served_by_its_signed_url(extensions_operator: Operator) -> None:
    operator = extensions_operator
    operator.upload("cube/side.jpg", jpeg_photo())
    url = operator.darkroom("textures", "sign", "cube/side.jpg", "w=128").stdout.strip()
    for _ in range(2):
        with urllib.request.urlopen(url, timeout=HANG_S) as answer:
            assert answer.headers["content-type"] == "image/ktx2"
            assert answer.read(len(IDENTIFIER)) == IDENTIFIER
    assert len(operator.keys("media_bucket", "derivatives/cube/side.jpg/")) >= 1


def test_a_preflight_permits_scripts_of_other_origins(extensions_operator: Operator) -> None:
    """A script that sends headers of its own asks first, and browsers stop at any status but 2xx."""
    asked = {
        "Origin": "https://shop.example.com",
        "Access-Control-Request-Method": "GET",
        "Access-Control-Request-Headers": "x-requested-with",
    }
    url = f"{extensions_operator.stack.cdn_url}/cube/side.jpg/_/texture?f=ktx2"
    request = urllib.request.Request(url, headers=asked, method="OPTIONS")
    with urllib.request.urlopen(request, timeout=HANG_S) as answer:
        assert answer.status in (200, 204)
        assert answer.headers["access-control-allow-origin"]
