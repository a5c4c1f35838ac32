"""Documents drawn for tests: a page of words, photographed a little askew."""

from __future__ import annotations

import io
import random
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from difflib import SequenceMatcher

from PIL import Image, ImageDraw, ImageFont

VOCABULARY = (
    *("account", "answer", "archive", "balance", "border", "bridge", "captain", "chapter", "circle", "copper"),
    *("corner", "country", "delay", "develop", "dinner", "distance", "early", "engine", "evening", "expose"),
    *("factory", "filter", "forest", "garden", "gather", "granite", "harbour", "history", "hundred", "island"),
    *("journey", "kitchen", "ladder", "letter", "library", "machine", "market", "measure", "mirror", "morning"),
    *("narrow", "negative", "notice", "orange", "paper", "pencil", "picture", "planet", "portrait", "print"),
    *("quarter", "railway", "record", "river", "saddle", "season", "shadow", "silver", "station", "summer"),
    *("table", "thunder", "ticket", "tomorrow", "travel", "valley", "village", "water", "window", "winter"),
)
PAGE = (1240, 1754)
"""A4 at 150 dots an inch."""

MARGIN_PX = 110
FONT_PX = 30
LINE_PX = 48
PAPER, INK, DESK = (246, 243, 236), (35, 33, 38), (92, 70, 52)


def words(count: int, seed: int = 4) -> list[str]:
    """``count`` words, always the same ones; every ninth begins a sentence and has a capital."""
    chosen = random.Random(seed).choices(VOCABULARY, k=count)
    return [word.capitalize() if place % 9 == 0 else word for place, word in enumerate(chosen)]


def page(text: Sequence[str]) -> Image.Image:
    """``text`` set in lines on a sheet."""
    sheet = Image.new("RGB", PAGE, PAPER)
    draw = ImageDraw.Draw(sheet)
    font = ImageFont.load_default(FONT_PX)
    for number, line in enumerate(_lines(text, font)):
        draw.text((MARGIN_PX, MARGIN_PX + number * LINE_PX), line, INK, font)
    return sheet


def photographed(sheet: Image.Image, degrees: float, quality: int = 80) -> bytes:
    """``sheet`` on a desk, turned by ``degrees`` against the clock, as a JPEG."""
    turned = sheet.rotate(degrees, Image.Resampling.BICUBIC, expand=True, fillcolor=DESK)
    out = io.BytesIO()
    turned.save(out, "JPEG", quality=quality)
    return out.getvalue()


def accuracy_in_order(expected: Sequence[str], lines: Iterable[str]) -> float:
    """The share of ``expected`` that was read, and in its order."""
    read = " ".join(lines).split()
    blocks = SequenceMatcher(None, list(expected), read, autojunk=False).get_matching_blocks()
    return sum(block.size for block in blocks) / len(expected)


def accuracy(expected: Sequence[str], lines: Iterable[str]) -> float:
    """The share of ``expected`` that was read, in whatever order."""
    return (Counter(expected) & Counter(" ".join(lines).split())).total() / len(expected)


def _lines(text: Sequence[str], font: ImageFont.FreeTypeFont | ImageFont.ImageFont) -> Iterator[str]:
    line = ""
    for word in text:
        longer = f"{line} {word}".lstrip()
        if font.getlength(longer) > PAGE[0] - 2 * MARGIN_PX:
            yield line
            longer = word
        line = longer
    yield line
