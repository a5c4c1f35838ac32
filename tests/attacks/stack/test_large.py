"""Large results of dialects: a variant has one copy, whatever age its URLs request (4.5 MB and more, over HTTP)."""

from __future__ import annotations

from urllib.parse import unquote

from darkroom.services.serve.answers import MAX_BODY_BYTES
from tests.images.photographs import png_noise
from tests.stack.conftest import Stack
from tests.stack.viewer import Viewer

from .conftest import Attacker

AGES = 13


def test_ages_in_urls_make_no_copies(stack: Stack, viewer: Viewer, attacker: Attacker) -> None:
    path = viewer.upload(png_noise(1600, 1200), "noise.png")
    key = unquote(path.removeprefix("/"))
    targets = [f"/thumbor/unsafe/1536x0/filters:no_upscale():format(png):max_age({age})/{key}" for age in range(AGES)]
    locations = set()
    for target in targets:
        answer = attacker.get(target)
        assert answer.status == 302
        locations.add(answer.headers["location"])
    assert len(locations) == 1
    copies = [name for name in viewer.derivatives(path) if name.endswith(".large")]
    attacker.tally.add("objects", len(viewer.derivatives(path)))
    assert len(copies) == 1
    first, again = (attacker.get(locations.copy().pop()) for _ in range(2))
    assert (first.status, again.cache) == (200, "Hit")
    assert len(first.body) > MAX_BODY_BYTES
    assert first.headers["content-type"] == "image/png"
    assert attacker.get(locations.pop()[:-10] + "A" * 4 + ".large").status in (403, 404)
