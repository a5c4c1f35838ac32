"""Foregrounds with known coverage: photographs and renderings of Debian's ``tuxpaint-stamps-default``, and thin shapes.

Composites follow the coverage of a stamp exactly, so that it is their truth however well it was drawn. Thin shapes are
drawn four times as large and reduced by area.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from ..corpus.packages import MATE, PLASMA, Package, unpack

type Values = NDArray[np.float32]
"""Height × width (× 3) numbers from 0 to 1."""

STAMPS = Package(
    "tuxpaint-stamps-default", "2025.03.31-1", "6312d03a37d0220b10fc91a7467bf2a2a2336e08c2f416de04311d25fd7aeacb"
)
STAMPS_FOLDER = "usr/share/tuxpaint/stamps"
CHOSEN: Mapping[str, str] = {
    "camera": "household/electronics/DSLR_Camera",
    "cup": "household/dishes/coffeecup",
    "vacuum cleaner": "household/vacuum_cleaner",
    "violin": "hobbies/music/string/violin2",
    "spade": "household/tools/spade",
    "racing car": "vehicles/race/indycar",
    "anemone": "plants/flowers/anemone_red",
    "zebra": "animals/mammals/equines/zebra2",
    "brown fur": "animals/mammals/bears/european-bear",  # terms: allow (a folder)
    "crane": "animals/birds/crowned_crane",
    "bicycle": "vehicles/cycle/bluebike",
    "stethoscope": "medical/stethoscope",
    "mantis": "animals/insects/mantis",
    "lobster": "animals/fish/lobster",
    "tree": "plants/trees/tree336",
    "glass": "household/dishes/glass",
}
PHOTOGRAPHS = (
    (MATE, "usr/share/backgrounds/mate/nature/LadyBird.jpg"),
    (MATE, "usr/share/backgrounds/mate/nature/Wood.jpg"),
    (MATE, "usr/share/backgrounds/mate/nature/Garden.jpg"),
    (MATE, "usr/share/backgrounds/mate/nature/Dune.jpg"),
    (PLASMA, "usr/share/wallpapers/FallenLeaf/contents/images/1920x1080.jpg"),
    (PLASMA, "usr/share/wallpapers/Path/contents/images/1920x1080.jpg"),
)
LONGEST_PX = 720
MARGIN = 0.25
"""Space on each side of a foreground, of its longer side."""

DRAWN_PX, ENLARGED = 640, 4


@dataclass(frozen=True, slots=True)
class Foreground:
    """Coverage and colours of a foreground in the middle of its canvas."""

    name: str
    coverage: Values
    colours: Values

    def compose(self, background: Image.Image) -> Image.Image:
        """Return the foreground over ``background``, which is scaled and cropped to the canvas."""
        height, width = self.coverage.shape
        scale = max(width / background.width, height / background.height)
        whole = background.convert("RGB").resize(
            (max(width, round(background.width * scale)), max(height, round(background.height * scale))),
            Image.Resampling.LANCZOS,
        )
        left, top = (whole.width - width) // 2, (whole.height - height) // 2
        below = _read(whole.crop((left, top, left + width, top + height)))
        alpha = self.coverage[..., None]
        return Image.fromarray(np.rint((self.colours * alpha + below * (1 - alpha)) * 255).astype(np.uint8))


def list_foregrounds() -> Iterator[Foreground]:
    """Yield all foregrounds. Raises PackageUnavailable."""
    folder = unpack(STAMPS) / STAMPS_FOLDER
    for name, path in CHOSEN.items():
        with Image.open(folder / f"{path}.png") as opened:
            stamp = opened.convert("RGBA")
        stamp.thumbnail((LONGEST_PX, LONGEST_PX), Image.Resampling.LANCZOS)
        yield place(name, stamp)
    for name, draw in DRAWN.items():
        yield place(name, draw())


def open_backgrounds() -> Iterator[Image.Image]:
    """Yield the photographs. Raises PackageUnavailable."""
    for package, path in PHOTOGRAPHS:
        with Image.open(unpack(package) / path) as opened:
            yield opened.convert("RGB")


def draw_studio() -> Image.Image:
    """Draw light grey paper: it darkens downwards from 0.94 to 0.80."""
    column = np.linspace(0.94, 0.80, 600) * 255
    noise = np.random.default_rng(1).normal(0, 1, (600, 600))
    return Image.fromarray(np.clip(np.rint(column[:, None] + noise), 0, 255).astype(np.uint8)).convert("RGB")


def place(name: str, image: Image.Image) -> Foreground:
    """Put ``image`` into the middle of a canvas with a margin."""
    margin = round(MARGIN * max(image.size))
    canvas = Image.new("RGBA", (image.width + 2 * margin, image.height + 2 * margin))
    canvas.paste(image, (margin, margin))
    return Foreground(name, _read(canvas.getchannel("A")), _read(canvas.convert("RGB")))


def _read(image: Image.Image) -> Values:
    return np.asarray(np.asarray(image, np.float32) / 255, np.float32)


def _draw_head(hair: tuple[int, int, int]) -> Image.Image:
    """Draw a face with 500 strands of hair, 0.5 to 1.5 px wide."""
    random = np.random.default_rng(7)
    image = Image.new("RGBA", (DRAWN_PX * ENLARGED, DRAWN_PX * ENLARGED), (*hair, 0))
    draw = ImageDraw.Draw(image)
    middle, radius = DRAWN_PX * ENLARGED / 2, DRAWN_PX * ENLARGED * 0.27
    draw.ellipse((middle - radius, middle - radius, middle + radius, middle + radius), fill=(*hair, 255))
    for _ in range(500):
        angle = random.uniform(-np.pi, np.pi)
        x, y = middle + radius * 0.97 * np.cos(angle), middle + radius * 0.97 * np.sin(angle)
        points, bend = [(x, y)], random.normal(0, 0.15)
        for _ in range(12):
            angle += bend
            x, y = x + radius * 0.05 * np.cos(angle), y + radius * 0.05 * np.sin(angle)
            points.append((x, y))
        shade = random.uniform(0.7, 1.2)
        colour = tuple(min(255, round(channel * shade)) for channel in hair)
        draw.line(points, fill=(*colour, 255), width=int(random.integers(2, 7)), joint="curve")
    face = radius * 0.72
    _draw_ellipse(draw, (middle, middle + face * 0.05), (face * 0.8, face * 1.05), (222, 170, 140))
    for side in (-1, 1):
        _draw_ellipse(
            draw, (middle + side * face * 0.3, middle - face * 0.1), (face * 0.13, face * 0.08), (250, 250, 250)
        )
        _draw_ellipse(draw, (middle + side * face * 0.3, middle - face * 0.1), (face * 0.06, face * 0.07), (40, 50, 60))
    _draw_ellipse(draw, (middle, middle + face * 0.25), (face * 0.09, face * 0.14), (205, 150, 122))
    _draw_ellipse(draw, (middle, middle + face * 0.6), (face * 0.26, face * 0.07), (170, 70, 70))
    return _reduce(image)


def _draw_ellipse(
    draw: ImageDraw.ImageDraw, middle: tuple[float, float], radii: tuple[float, float], colour: tuple[int, int, int]
) -> None:
    (x, y), (across, down) = middle, radii
    draw.ellipse((x - across, y - down, x + across, y + down), fill=(*colour, 255))


def _draw_mesh() -> Image.Image:
    """Draw a basket of wires of 2 px with gaps of 22 px, in a frame of 8 px."""
    side, step = DRAWN_PX * ENLARGED, 24 * ENLARGED
    image = Image.new("RGBA", (side, side), (60, 64, 70, 0))
    draw = ImageDraw.Draw(image)
    for at in range(step * 4, side - step * 4 + 1, step):
        draw.line((at, step * 4, at, side - step * 4), fill=(60, 64, 70, 255), width=2 * ENLARGED)
        draw.line((step * 4, at, side - step * 4, at), fill=(60, 64, 70, 255), width=2 * ENLARGED)
    draw.rectangle((step * 4, step * 4, side - step * 4, side - step * 4), outline=(30, 90, 60), width=8 * ENLARGED)
    return _reduce(image)


def _reduce(image: Image.Image) -> Image.Image:
    """Reduce by area, with colours weighted by their coverage."""
    return image.convert("RGBa").reduce(ENLARGED).convert("RGBA")


DRAWN: Mapping[str, Callable[[], Image.Image]] = {
    "drawn: dark hair": lambda: _draw_head((60, 40, 28)),
    "drawn: fair hair": lambda: _draw_head((196, 160, 100)),
    "drawn: wire mesh": _draw_mesh,
}
