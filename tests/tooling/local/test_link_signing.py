"""Links that the console's pages sign: of dialects, and to private images."""

from __future__ import annotations

import pytest

from darkroom.errors import Expired
from darkroom.settings import DEFAULTS, Settings, parse_settings
from darkroom_dialects.common.parsed_url import ParsedUrl
from darkroom_dialects.parsers import load_parser
from darkroom_dialects.registry import DIALECTS_BY_NAME
from darkroom_dialects.serving.handler import load_dialect_settings
from darkroom_dialects.serving.signing_keys import parse_keys
from local.dialect_keys import DOCUMENT
from local.explanations import find_iiif_key
from local.link_signing import sign_for_page

KEY, NOW_S = "a key of 24 letters here", 1_800_000_000
PRIVATE = parse_settings({"private_prefixes": ["clients/"]})


def sign(target: str, settings: Settings = DEFAULTS, lasts_s: int | None = None) -> dict[str, object]:
    return sign_for_page(target, settings, KEY, NOW_S, lasts_s)


def verify(name: str, target: str, now_s: float = NOW_S) -> ParsedUrl:
    """Parse ``target`` and verify its signature as the function does."""
    parser, dialect = load_parser(DIALECTS_BY_NAME[name]), DIALECTS_BY_NAME[name]
    parsed = parser.parse(dialect.parser_input(target), load_dialect_settings(DEFAULTS))
    parser.verify(parsed.claim, parse_keys(DOCUMENT)[name], now_s, parsed.expires_s)
    return parsed


@pytest.mark.parametrize(
    ("name", "target"),
    [
        ("imgproxy", "/imgproxy/unsafe/rs:fill:300:200/plain/photo.jpg@webp"),
        ("thumbor", "/thumbor/unsafe/300x200/smart/photo.jpg"),
        ("dit", "/dit/photo.jpg?width=300&grayscale=true"),
        ("imgix", "/imgix/photo.jpg?w=300"),
        ("cloudinary", "/cloudinary/demo/image/upload/w_300/v1/photo.jpg"),
    ],
)
def test_urls_of_dialects_are_signed_in_place_of_what_they_had(name: str, target: str) -> None:
    once = str(sign(target)["target"])
    assert verify(name, once).plan.width == 300
    assert sign(once) == {"target": once, "expires_s": None, "is_private": False}


@pytest.mark.parametrize(
    ("name", "target"),
    [
        ("imgproxy", "/imgproxy/unsafe/w:300/plain/clients/1.jpg"),
        ("dit", "/dit/clients/1.jpg?width=300"),
        ("imgix", "/imgix/clients/1.jpg?w=300"),
    ],
)
def test_a_dialects_link_to_a_private_image_ends(name: str, target: str) -> None:
    found = sign(target, PRIVATE)
    assert (found["is_private"], found["expires_s"]) == (True, NOW_S + 3600)
    parsed = verify(name, str(found["target"]))
    with pytest.raises(Expired):
        verify(name, str(found["target"]), NOW_S + 3602)
    assert parsed.plan.key == "clients/1.jpg"


def test_what_a_dialect_cannot_sign_is_said() -> None:
    with pytest.raises(ValueError, match="thumbor has no expiry"):
        sign("/thumbor/unsafe/300x200/clients/1.jpg", PRIVATE)
    with pytest.raises(ValueError, match="cloudinary has no expiry"):
        sign("/cloudinary/demo/image/upload/w_300/clients/1.jpg", PRIVATE)
    with pytest.raises(ValueError, match="cloudflare_access_mode"):
        sign("/cdn-cgi/image/width=300/photo.jpg")


def test_the_key_of_an_iiif_url() -> None:
    assert find_iiif_key("/iiif/3/clients%2F1.jpg/full/max/0/default.jpg") == "clients/1.jpg"
    assert find_iiif_key("/iiif/3/") == ""
