"""Draw graphics: pages of text, charts, maps and interfaces, equal on every machine."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise
from random import Random

from PIL import Image, ImageDraw, ImageFont

_WORDS = ("negatives", "come", "in", "and", "prints", "go", "out", "while", "users", "upload", "pictures", "of", "any")
_COLOURS = ("#4269d0", "#efb118", "#ff725c", "#6cc5b0", "#3ca951", "#ff8ab7", "#a463f2", "#97bbf5")
_ENLARGED = 2
"""Graphics are drawn at twice the size and reduced for smooth edges."""


def draw(name: str) -> Image.Image:
    """Draw the graphic ``name``."""
    width, height, draw = DRAWN[name]
    image = Image.new("RGB", (width * _ENLARGED, height * _ENLARGED), "white")
    draw(ImageDraw.Draw(image), width * _ENLARGED, height * _ENLARGED, Random(name))
    return image.resize((width, height), Image.Resampling.LANCZOS)


def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size * _ENLARGED)


def _page(draw: ImageDraw.ImageDraw, width: int, height: int, random: Random) -> None:
    draw.text((40, 30), "A page of words", fill="#222", font=_font(26))
    for top in range(120, height - 60, 44):
        line = ""
        while len(line) < width / 22:
            line += random.choice(_WORDS) + " "
        draw.text((40, top), line, fill="#333", font=_font(15))


def _bars(draw: ImageDraw.ImageDraw, width: int, height: int, random: Random) -> None:
    for line in range(6):
        y = 60 + line * (height - 140) // 5
        draw.line((80, y, width - 30, y), fill="#ddd", width=2)
        draw.text((20, y - 14), str(100 - 20 * line), fill="#555", font=_font(11))
    step = (width - 140) // 14
    for bar in range(14):
        top = 60 + random.random() * (height - 200)
        draw.rectangle((90 + bar * step, top, 80 + (bar + 1) * step, height - 80), fill=_COLOURS[bar % 3])
        draw.text((90 + bar * step, height - 70), f"q{bar}", fill="#555", font=_font(11))


def _lines(draw: ImageDraw.ImageDraw, width: int, height: int, random: Random) -> None:
    for line in range(9):
        x = 40 + line * (width - 80) // 8
        draw.line((x, 30, x, height - 50), fill="#e4e4e4", width=2)
    for colour in _COLOURS:
        y, points = height / 2, []
        for x in range(40, width - 40, 12):
            y = min(height - 60, max(40, y + random.gauss(0, 16)))
            points.append((x, y))
        draw.line(points, fill=colour, width=5, joint="curve")


def _map(draw: ImageDraw.ImageDraw, width: int, height: int, random: Random) -> None:
    draw.rectangle((0, 0, width, height), fill="#f2efe9")
    for _ in range(60):
        x, y, size = random.random() * width, random.random() * height, 30 + random.random() * 120
        corners = [(x + size * math.cos(a) * random.uniform(0.7, 1.2), y + size * math.sin(a)) for a in range(6)]
        draw.polygon(corners, fill=random.choice(("#cdebb0", "#aad3df", "#e0dfdf", "#f7d9b5")))
    for _ in range(40):
        ends = [(random.random() * width, random.random() * height) for _ in range(4)]
        draw.line(ends, fill=random.choice(("#ffffff", "#f9b29c", "#fcd6a4")), width=random.randint(6, 14))
    for _ in range(50):
        place = (random.random() * width, random.random() * height)
        draw.text(place, random.choice(_WORDS).title(), fill="#444", font=_font(11))


def _interface(draw: ImageDraw.ImageDraw, width: int, height: int, random: Random) -> None:
    draw.rectangle((0, 0, width, 90), fill="#1f2937")
    draw.text((30, 24), "Darkroom", fill="white", font=_font(20))
    for row in range(0, height // 150):
        for column in range(4):
            left, top = 30 + column * (width - 40) // 4, 120 + row * 170
            right = left + (width - 120) // 4
            draw.rounded_rectangle((left, top, right, top + 150), 16, fill="#f9fafb", outline="#d1d5db", width=3)
            for shade in range(60):
                tone = (60 + shade * 3, 90 + row * 30, 200 - shade * 2)
                draw.line((left + 12 + shade * 2, top + 14, left + 12 + shade * 2, top + 90), fill=tone, width=2)
            draw.text((left + 14, top + 102), random.choice(_WORDS).title(), fill="#111827", font=_font(12))


def _diagram(draw: ImageDraw.ImageDraw, width: int, height: int, random: Random) -> None:
    places = [(random.random() * (width - 260), random.random() * (height - 120)) for _ in range(16)]
    for one, other in pairwise(places):
        draw.line((one[0] + 120, one[1] + 40, other[0] + 120, other[1] + 40), fill="#6b7280", width=4)
    for number, (x, y) in enumerate(places):
        draw.rounded_rectangle((x, y, x + 240, y + 84), 20, fill=_COLOURS[number % 8], outline="#111", width=3)
        draw.text((x + 20, y + 24), random.choice(_WORDS), fill="white", font=_font(15))


type _Draw = Callable[[ImageDraw.ImageDraw, int, int, Random], None]

DRAWN: dict[str, tuple[int, int, _Draw]] = {
    "page": (640, 800, _page),
    "small page": (480, 360, _page),
    "bars": (800, 480, _bars),
    "wide bars": (640, 400, _bars),
    "lines": (720, 480, _lines),
    "large lines": (960, 600, _lines),
    "map": (800, 600, _map),
    "small map": (512, 512, _map),
    "interface": (960, 600, _interface),
    "narrow interface": (480, 640, _interface),
    "diagram": (800, 600, _diagram),
    "large diagram": (1024, 640, _diagram),
}
"""Width, height and drawing function by name. The first of each two is for learning, the second for testing."""
