"""Degraded documents, pages in columns, and personal data, with the real server."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from bench.ocr.__main__ import in_any_order, in_order
from bench.ocr.degradations import DEGRADATIONS, skew
from bench.ocr.documents import draw_columns, draw_form
from darkroom.findings import TEXT, UNSURE, Finding, Findings, finding_from_document
from tests.images.photographs import jpeg_photo
from tests.images.rendering import made

from .serving import Server

SMALL_PAGE = (0, 60, 1240, 500)
"""Eight lines of a page: enough to measure, and read in a second."""


def png(image: Image.Image) -> bytes:
    with io.BytesIO() as file:
        image.save(file, "PNG")
        return file.getvalue()


def read(server: Server, image: bytes) -> Finding:
    return finding_from_document(TEXT, server.invoke(image, TEXT).document["tasks"][TEXT])


def words(finding: Finding) -> list[str]:
    return " ".join(line.text for line in finding.lines).split()


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    [
        "contrast of 14, noise",
        "contrast of 10, noise",
        "contrast of 14, noise, skew of 9°",
        "very dark",
        "shadow to 8 %, with an edge",
    ],
)
def test_a_page_in_bad_light_is_read(server: Server, name: str) -> None:
    page = draw_columns(1, heading=False)
    part = page.image.crop(SMALL_PAGE)
    image = DEGRADATIONS[name](part)
    expected = words(read(server, png(part)))
    assert len(expected) > 50
    assert in_order(expected, words(read(server, png(image)))) >= 0.95


@pytest.mark.slow
def test_small_slanted_letters_are_levelled(server: Server) -> None:
    """Without levelling, 0.85 to 0.93 of the words are read."""
    page = draw_columns(1, heading=False)
    finding = read(server, png(DEGRADATIONS["letters of 8 px, skew of 25°"](page.image)))
    assert in_any_order(page.words, words(finding)) >= 0.94
    first, *_, last = (line.corners for line in finding.lines)
    assert first[0][1] > first[1][1], "a page that is turned against the clock rises to the right"
    assert last[0][1] > first[0][1]


@pytest.mark.slow
@pytest.mark.parametrize("degrees", [0, 7, 90])
@pytest.mark.parametrize("columns", [2, 3])
def test_columns_are_read_one_after_the_other(server: Server, columns: int, degrees: int) -> None:
    page = draw_columns(columns, heading=True)
    assert in_order(page.words, words(read(server, png(skew(degrees)(page.image))))) >= 0.95


@pytest.mark.slow
def test_personal_data_is_covered_and_the_rest_stays_legible(server: Server) -> None:
    form = draw_form(3)
    source = png(form.image)
    found = read(server, source)
    classes = {name for line in found.lines for name in line.personal or ()} - {UNSURE}
    assert classes == {"card", "iban", "mail", "phone", "plate"}
    known = Findings("1", "etag", {TEXT: found})
    text = " ".join(words(read(server, made(source, known=known, redact="pii", format="png").body)))
    for entry in form.entries:
        if entry.personal:
            assert entry.value not in text
            assert not any(part in text for part in entry.value.replace("@", " ").split() if len(part) > 3)
        else:
            assert entry.value.split()[0] in text


@pytest.mark.slow
def test_a_photograph_has_no_text(server: Server) -> None:
    assert read(server, jpeg_photo()).lines == ()
