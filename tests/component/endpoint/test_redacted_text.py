"""Text that is hidden cannot be read any more, by the reader that has found it."""

from __future__ import annotations

from typing import Any

import pytest

from darkroom.findings import TEXT, Findings, read_finding
from darkroom.plan.model import Crop
from tests.corpus import CORPUS
from tests.documents import page, photographed, words
from tests.images.rendering import made

from .serving import Server

pytestmark = pytest.mark.slow

VARIANTS: list[dict[str, Any]] = [
    {},
    {"width": 800},
    {"width": 1600, "upscale": True, "crop": Crop("pct", 25, 25, 50, 50)},
    {"sharpen": 3.0, "width": 1200},
]


def read(server: Server, picture: bytes) -> Findings:
    document = server.invoke(picture, TEXT).document["tasks"][TEXT]
    return Findings("1", "etag", {TEXT: read_finding(TEXT, document)})


def seen_words(findings: Findings) -> set[str]:
    """Words of three letters and more: shorter ones are read into smudges too."""
    return {word for line in findings.found[TEXT].lines for word in line.text.lower().split() if len(word) > 2}


@pytest.mark.parametrize("degrees", [0, 8])
def test_no_word_of_a_photographed_page_is_left(server: Server, degrees: int) -> None:
    written = words(220)
    source = photographed(page(written), degrees)
    found = read(server, source)
    assert len(seen_words(found) & {word.lower() for word in written}) > 60
    for options in VARIANTS:
        body = made(source, known=found, redact="text", format="jpeg", **options).body
        assert seen_words(read(server, body)) & {word.lower() for word in written} == set(), options


def test_no_word_of_print_is_left(server: Server) -> None:
    file = CORPUS / "text-en.jpg"
    if not file.is_file():
        pytest.skip("text-en.jpg is not here")
    found = read(server, file.read_bytes())
    before = seen_words(found)
    assert len(before) > 5
    for options in ({}, {"width": 400}):
        body = made(file.read_bytes(), known=found, redact="text", format="jpeg", **options).body
        assert seen_words(read(server, body)) & before == set()
