"""URLs signed locally are valid for each dialect's own check."""

from __future__ import annotations

import pytest

from cli.dialect_signing import sign_in_dialect
from darkroom_dialects.common.settings import DialectSettings
from darkroom_dialects.parsers import load_parser
from darkroom_dialects.registry import DIALECTS_BY_NAME
from darkroom_dialects.serving.signing_keys import parse_keys
from local.dialect_keys import DOCUMENT

KEYS = parse_keys(DOCUMENT)


@pytest.mark.parametrize(
    ("dialect", "target"),
    [
        ("imgproxy", "/w:300/plain/photo.jpg"),
        ("imgproxy", "/imgproxy/w:300/plain/photo.jpg"),
        ("thumbor", "/300x200/photo.jpg"),
        ("thumbor", "300x200/filters:quality(80)/photo.jpg"),
        ("dit", "/photo.jpg?width=300&height=200"),
        ("dit", "/photo.jpg?width=300&signature=old"),
        ("dit", "/fit-in/300x200/photo.jpg"),
        ("cloudinary", "/demo/image/upload/w_300/v1/photo.jpg"),
        ("cloudinary", "/demo/image/upload/s--AAAAAAAA--/w_300/photo.jpg"),
        ("imgix", "/photo.jpg"),
        ("imgix", "/photo.jpg?w=300&s=old"),
    ],
)
def test_what_is_signed_is_taken(dialect: str, target: str) -> None:
    url = sign_in_dialect(dialect, target, KEYS)
    known = DIALECTS_BY_NAME[dialect]
    assert url.startswith(f"{known.prefix}/")
    asked = load_parser(known).parse(known.parser_input(url), DialectSettings())
    assert asked.claim is not None
    assert asked.plan.key == "photo.jpg"
    load_parser(known).verify(asked.claim, KEYS[dialect], 0.0, None)


@pytest.mark.parametrize("dialect", ["cloudflare", "iiif", "flickr"])
def test_what_has_no_signatures_is_not_signed(dialect: str) -> None:
    with pytest.raises(ValueError, match="imgproxy, thumbor, dit, imgix, cloudinary"):
        sign_in_dialect(dialect, "/photo.jpg", KEYS)


def test_no_two_keys_are_the_same() -> None:
    texts = [text for keys in KEYS.values() for key in keys for text in (key.key, key.salt) if text]
    assert len(texts) == len(set(texts)) == 6
