"""Redacted text cannot be read by the text detector that found it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from PIL import Image, ImageDraw, ImageFont
from skimage import data

from darkroom.findings import TEXT, Findings, finding_from_document
from darkroom.imaging.source import Source
from darkroom.plan.limits import Limits
from darkroom.plan.model import Crop
from darkroom_analysis.inference.views import choose_views, combine
from tests.corpus import CORPUS
from tests.documents import page, photographed, words
from tests.images.photographs import photograph
from tests.images.rendering import made, opened, seen
from tests.images.scripts import TEXTS, draw_page
from tests.images.sources import saved

from .serving import Server

pytestmark = [pytest.mark.slow, pytest.mark.never_skips]

VARIANTS: list[dict[str, Any]] = [
    {},
    {"width": 800},
    {"width": 1600, "upscale": True, "crop": Crop("pct", 25, 25, 50, 50)},
    {"sharpen": 3.0, "width": 1200},
]


def read(server: Server, image: bytes) -> Findings:
    document = server.invoke(image, TEXT).document["tasks"][TEXT]
    return Findings("1", "etag", {TEXT: finding_from_document(TEXT, document)})


def seen_words(findings: Findings) -> set[str]:
    """Words of three letters and more: shorter ones are found in noise too."""
    return {word for line in findings.found[TEXT].lines for word in line.text.lower().split() if len(word) > 2}


@pytest.mark.parametrize("degrees", [0, pytest.param(8, marks=pytest.mark.slow)])
def test_no_word_of_a_photographed_page_stays_legible(server: Server, degrees: int) -> None:
    written = words(220)
    source = photographed(page(written), degrees)
    found = read(server, source)
    assert len(seen_words(found) & {word.lower() for word in written}) > 60
    for options in VARIANTS:
        body = made(source, known=found, redact="text", format="jpeg", **options).body
        assert seen_words(read(server, body)) & {word.lower() for word in written} == set(), options


def scanned() -> bytes:
    """Return scikit-image's photograph of a page of text as a JPEG."""
    return saved(Image.fromarray(data.page()), "JPEG", quality=90)


def typeset() -> bytes:
    """Return lines of several sizes and colours on a photograph as a JPEG."""
    image = photograph()
    draw = ImageDraw.Draw(image)
    for top, size_px, colour in ((20, 22, "black"), (200, 36, "white"), (300, 28, "yellow"), (440, 16, "white")):
        draw.rectangle((0, top - 4, 512, top + size_px + 8), "white" if colour == "black" else "navy")
        draw.text((16, top), " ".join(words(4, seed=top)), colour, ImageFont.load_default(size_px))
    return saved(image, "JPEG", quality=90)


PRINTS: list[Callable[[], bytes]] = [scanned, typeset]
if (CORPUS / "text-en.jpg").is_file():
    PRINTS.append((CORPUS / "text-en.jpg").read_bytes)


@pytest.mark.parametrize("read_source", PRINTS, ids=["scanned", "typeset", "text-en.jpg"][: len(PRINTS)])
def test_redaction_leaves_no_legible_word(server: Server, read_source: Callable[[], bytes]) -> None:
    source = read_source()
    found = read(server, source)
    before = seen_words(found)
    assert len(before) > 5
    for options in ({}, {"width": 400}):
        body = made(source, known=found, redact="text", format="jpeg", **options).body
        assert seen_words(read(server, body)) & before == set()


@pytest.mark.parametrize("script", TEXTS)
def test_every_line_is_covered_in_every_script(server: Server, script: str) -> None:
    """Lines of scripts that the model cannot read are found by their shape."""
    source, lines = draw_page(TEXTS[script])
    shown = seen(made(source, known=read(server, source), redact="text").body)
    for line in lines:
        part = shown[line.top : line.top + line.height, line.left : line.left + line.width]
        assert (part < 128).mean() > 0.99, line


def white_words(written: list[str]) -> bytes:
    """Return lines of white text on nothing, which do not show on white."""
    image = Image.new("RGBA", (1000, 600), (255, 255, 255, 0))
    draw = ImageDraw.Draw(image)
    for at in range(0, len(written), 4):
        line = " ".join(written[at : at + 4])
        draw.text((30, 30 + 15 * at), line, (255, 255, 255, 255), ImageFont.load_default(32))
    return saved(image, "PNG")


def test_words_visible_on_black_alone_are_covered(server: Server) -> None:
    written = words(32)
    source = white_words(written)
    views = choose_views(Source.from_bytes(source), Limits(), (TEXT,))
    assert seen_words(read(server, views.first[0])) == set(), "on white there is nothing"
    others = [read(server, jpeg).found for jpeg, _ in views.by_tasks((TEXT,))]
    known = Findings("1", "etag", combine(read(server, views.first[0]).found, others))
    assert len(seen_words(known) & {word.lower() for word in written}) > 20
    for options in ({}, {"background": "000000"}, {"background": "4080ff"}, {"width": 700}):
        body = made(source, known=known, redact="text", format="png", **options).body
        shown = Image.new("RGBA", opened(body).size, "black")
        shown.alpha_composite(opened(body).convert("RGBA"))
        found = seen_words(read(server, saved(shown.convert("RGB"), "PNG")))
        assert found & {word.lower() for word in written} == set(), options
