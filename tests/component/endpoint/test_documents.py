"""Degraded documents, pages in columns, and personal data, with the real server."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Sequence
from difflib import SequenceMatcher
from pathlib import Path

import pytest
import skimage.data
from PIL import Image, ImageDraw, ImageFont

from darkroom.findings import TEXT, UNSURE, Finding, Findings, finding_from_document
from darkroom.imaging.source import Source
from darkroom.plan.limits import Limits
from darkroom_analysis.inference.views import prepare_jpeg
from local.golden import label_samples
from tests.images.degradations import DEGRADATIONS, skew
from tests.images.documents import draw_columns, draw_form
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


def in_order(expected: Sequence[str], words: Sequence[str]) -> float:
    """Return the share of ``expected`` that was read, and in its order."""
    blocks = SequenceMatcher(None, list(expected), list(words), autojunk=False).get_matching_blocks()
    return sum(block.size for block in blocks) / len(expected)


def in_any_order(expected: Sequence[str], words: Sequence[str]) -> float:
    """Return the share of ``expected`` that was read."""
    return (Counter(expected) & Counter(words)).total() / len(expected)


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
def test_images_without_text_have_no_words(server: Server) -> None:
    """Of the golden set: a cell is read as "o", and a cup as "8", each as large as the image."""
    folder = Path(skimage.data.__file__).parent
    without = [one.key for one in label_samples() if one.text == ""]
    assert len(without) > 10
    sources = {key: Source.from_bytes((folder / key).read_bytes()) for key in without}
    found = {key: words(read(server, prepare_jpeg(source, Limits()))) for key, source in sources.items()}
    assert {key: names for key, names in found.items() if names} == {}


@pytest.mark.slow
@pytest.mark.parametrize("height", [0.2, 0.6])
def test_a_large_letter_is_read(server: Server, height: float) -> None:
    image = Image.new("RGB", (600, 400), "white")
    font = ImageFont.load_default(400 * height / 0.73)
    ImageDraw.Draw(image).text((300, 200), "R", "black", font, anchor="mm")
    assert words(read(server, png(image))) == ["R"]


@pytest.mark.slow
def test_nothing_is_read_in_a_photograph(server: Server) -> None:
    """Patterns that resemble lines are small; redaction covers them."""
    lines = read(server, jpeg_photo()).lines
    assert [line.text for line in lines if line.text] == []
    assert sum(line.region.width * line.region.height for line in lines) < 0.02
