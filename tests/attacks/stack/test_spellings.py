"""Spellings of one URL: where no signature is over a path, they share one entry of the CDN's cache."""

from __future__ import annotations

from random import Random
from urllib.parse import unquote

import pytest

from tests.images.photographs import jpeg_photo
from tests.stack.conftest import Stack
from tests.stack.viewer import Viewer

from .conftest import Attacker

SPELLINGS = 200


def spellings(template: str, key: str, plain: str) -> list[str]:
    """Different spellings of ``template`` with ``key`` in it: characters but those of ``plain`` escaped at random."""
    random, found = Random(10), {template.replace("{key}", key)}
    while len(found) < SPELLINGS:
        parts = ("".join(_form(random, one, plain) for one in part) for part in template.split("{key}"))
        found.add(key.join(parts))
    return sorted(found)


def _form(random: Random, one: str, plain: str) -> str:
    return one if one in plain else random.choice((one, one, f"%{ord(one):02X}", f"%{ord(one):02x}"))


@pytest.mark.parametrize(
    ("start", "rest", "plain"),
    [
        ("/iiif/3/", "{key}/512,0,128,480/128,480/0/default.jpg", "/"),
        ("/iiif/3/", "{key}/info.json", "/"),
        ("/iiif/2/", "{key}/full/320,/0/default.jpg", "/"),
        ("/cdn-cgi/image/", "width=320/{key}", "/=,:"),
    ],
)
def test_spellings_of_a_url_are_one_invocation(
    stack: Stack, viewer: Viewer, attacker: Attacker, start: str, rest: str, plain: str
) -> None:
    key = unquote(viewer.upload(jpeg_photo((640, 480)), "tile.jpg").removeprefix("/"))
    if start.startswith("/iiif"):
        key = key.replace("/", "%2F")
    targets = [start + spelling for spelling in spellings(rest, key, plain)]
    before = stack.invocations()
    answers = [attacker.get(target) for target in targets]
    assert {answer.status for answer in answers} == {200}
    assert len({answer.body for answer in answers}) == 1
    assert stack.invocations() - before == 1
