"""Documents with known content: pages of words in columns, and forms with personal data."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import NamedTuple

from PIL import Image, ImageDraw, ImageFont

PAGE_PX = (1240, 1754)
"""A4 at 150 dots an inch."""

MARGIN_PX, LINE_PX, FONT_PX, GUTTER_PX = 110, 48, 30, 60
PAPER, INK = (246, 243, 236), (35, 33, 38)

VOCABULARY = (
    *("account", "answer", "archive", "balance", "border", "bridge", "captain", "chapter", "circle", "copper"),
    *("corner", "country", "delay", "develop", "dinner", "distance", "early", "engine", "evening", "expose"),
    *("factory", "filter", "forest", "garden", "gather", "granite", "harbour", "history", "hundred", "island"),
    *("journey", "kitchen", "ladder", "letter", "library", "machine", "market", "measure", "mirror", "morning"),
    *("narrow", "negative", "notice", "orange", "paper", "pencil", "picture", "planet", "portrait", "print"),
)


@dataclass(frozen=True, slots=True)
class Page:
    """A page, and its words in reading order."""

    image: Image.Image
    words: tuple[str, ...]


class Entry(NamedTuple):
    """A row of a form: its name and value, and the class of personal data; "" for none."""

    name: str
    value: str
    personal: str = ""


class Form(NamedTuple):
    """A form, and for each row the position of its middle as a fraction of the height."""

    image: Image.Image
    entries: tuple[Entry, ...]
    middles: tuple[float, ...]


def draw_columns(columns: int, *, heading: bool, seed: int = 4) -> Page:
    """Draw a page of running text in ``columns``, below a heading over all of them."""
    random = Random(seed)
    page, draw = _blank()
    words: list[str] = []
    top = MARGIN_PX
    if heading:
        title = [word.capitalize() for word in random.choices(VOCABULARY, k=5)]
        draw.text((MARGIN_PX, top), " ".join(title), INK, ImageFont.load_default(44))
        words += title
        top += 110
    width = (PAGE_PX[0] - 2 * MARGIN_PX - (columns - 1) * GUTTER_PX) / columns
    size_px = FONT_PX if columns < 3 else 22
    font = ImageFont.load_default(size_px)
    for column in range(columns):
        left = MARGIN_PX + column * (width + GUTTER_PX)
        for row in range(20 if columns == 1 else 24):
            line = _fill(random, font, width)
            draw.text((left, top + row * LINE_PX), " ".join(line), INK, font)
            words += line
    return Page(page, tuple(words))


def draw_form(seed: int) -> Form:
    """Draw a form of a person: personal data of each class, and as many other entries."""
    random = Random(seed)
    entries = [Entry(*MAKERS[name](random), name) for name in MAKERS] + [
        Entry(*maker(random)) for maker in OTHER_MAKERS
    ]
    random.shuffle(entries)
    page, draw = _blank()
    font = ImageFont.load_default(FONT_PX)
    middles = []
    for row, entry in enumerate(entries):
        top = MARGIN_PX + row * 96
        draw.text((MARGIN_PX, top), f"{entry.name}:" if entry.name else "", INK, font)
        draw.text((460, top), entry.value, INK, font)
        middles.append((top + FONT_PX * 0.6) / PAGE_PX[1])
    return Form(page, tuple(entries), tuple(middles))


def _blank() -> tuple[Image.Image, ImageDraw.ImageDraw]:
    page = Image.new("RGB", PAGE_PX, PAPER)
    return page, ImageDraw.Draw(page)


def _fill(random: Random, font: ImageFont.FreeTypeFont | ImageFont.ImageFont, width: float) -> list[str]:
    line = [random.choice(VOCABULARY)]
    while font.getlength(" ".join([*line, longer := random.choice(VOCABULARY)])) <= width:
        line.append(longer)
    return line


def _digits(random: Random, count: int) -> str:
    return "".join(random.choices("0123456789", k=count))


def _group(text: str, sizes: Sequence[int], separator: str) -> str:
    parts, at = [], 0
    for size in sizes:
        parts.append(text[at : at + size])
        at += size
    return separator.join(filter(None, [*parts, text[at:]]))


def _make_card(random: Random) -> tuple[str, str]:
    start, length = random.choice((("4", 16), ("51", 16), ("37", 15), ("6011", 16)))
    body = start + _digits(random, length - 1 - len(start))
    doubled = (sum(divmod(2 * int(digit), 10)) for digit in body[::-2])
    check = -(sum(doubled) + sum(map(int, body[-2::-2]))) % 10
    sizes = (4, 6, 5) if length == 15 else (4, 4, 4, 4)
    return "Card", _group(f"{body}{check}", sizes, random.choice((" ", "-", " ")))


def _make_iban(random: Random) -> tuple[str, str]:
    country, bank, digits = random.choice((("DE", "", 18), ("FR", "", 23), ("GB", "NWBK", 14), ("NL", "ABNA", 10)))
    account = bank + _digits(random, digits)
    number = int("".join(str(int(character, 36)) for character in f"{account}{country}00"))
    return "IBAN", _group(f"{country}{98 - number % 97:02d}{account}", (4,) * 8, " ")


def _make_mail(random: Random) -> tuple[str, str]:
    name, host = random.sample(VOCABULARY, 2)
    return "E-mail", f"{name}.{random.choice(VOCABULARY)}@{host}.{random.choice(('com', 'de', 'co.uk', 'org'))}"


def _make_phone(random: Random) -> tuple[str, str]:
    number = _digits(random, 10).replace("0", "7").replace("1", "3")
    forms = (f"+49 {number[:2]} {number[2:9]}", f"030/{number[:7]}", f"({number[:3]}) {number[3:6]}-{number[6:]}")
    return "Phone", random.choice((*forms, f"+44 20 {number[:4]} {number[4:8]}"))


def _make_plate(random: Random) -> tuple[str, str]:
    letters = "".join(random.choices("ABCDEFGHJKLMNPRSTVWXYZ", k=5))
    digits = str(random.randint(100, 999))
    return "", random.choice(
        (f"{letters[0]}-{letters[1:3]} {digits}", f"{letters[:2]}{random.randint(51, 72)} {letters[2:]}",
         f"{letters[:2]}-{digits}-{letters[2:4]}")
    )  # fmt: skip


MAKERS: Mapping[str, Callable[[Random], tuple[str, str]]] = {
    "card": _make_card,
    "iban": _make_iban,
    "mail": _make_mail,
    "phone": _make_phone,
    "plate": _make_plate,
}
OTHER_MAKERS: Sequence[Callable[[Random], tuple[str, str]]] = (
    lambda random: ("Name", f"{random.choice(VOCABULARY).capitalize()} {random.choice(VOCABULARY).capitalize()}"),
    lambda random: ("Invoice", f"2026-{_digits(random, 6)}"),
    lambda random: ("Date", f"{random.randint(10, 28)}.0{random.randint(1, 9)}.2026"),
    lambda random: ("Amount", f"{random.randint(1, 9)},{_digits(random, 3)}.{_digits(random, 2)} EUR"),
    lambda random: ("Address", f"{random.choice(VOCABULARY).capitalize()} Street {random.randint(1, 99)}"),
    lambda random: ("Order", f"No. {_digits(random, 8)} of 12 copper pencils"),
    lambda random: ("ISBN", f"978-3-16-{_digits(random, 6)}-{_digits(random, 1)}"),
    lambda random: ("Weight", f"{random.randint(1, 9)}.{_digits(random, 2)} kg"),
)
"""Entries without personal data."""
