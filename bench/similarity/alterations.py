"""Alterations that users make before they upload an image again."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw, ImageEnhance, ImageFont, ImageOps

type Alteration = Callable[[Image.Image], Image.Image]

PHOTOGRAPHS = (
    *("astronaut.png", "camera.png", "chelsea.png", "coffee.png", "coins.png", "rocket.jpg", "hubble_deep_field.jpg"),
    *("motorcycle_left.png", "moon.png", "retina.jpg", "ihc.png", "brick.png", "grass.png", "gravel.png", "page.png"),
)
"""Photographs in the folder ``data`` of the scikit-image wheel, all of different motifs."""


def load_photographs(folder: Path) -> dict[str, Image.Image]:
    """Load the images of PHOTOGRAPHS by name, RGB."""
    return {name: Image.open(folder / name).convert("RGB") for name in PHOTOGRAPHS}


def reencode(kind: str, **options: Any) -> Alteration:
    """Encode as ``kind``, Pillow's name of a format, and decode."""

    def encode(image: Image.Image) -> Image.Image:
        buffer = io.BytesIO()
        image.save(buffer, kind, **options)
        return Image.open(buffer).convert("RGB")

    return encode


def scale(factor: float) -> Alteration:
    """Scale both sides by ``factor``."""
    return lambda image: image.resize((round(image.width * factor), round(image.height * factor)))


def crop_middle(share: float) -> Alteration:
    """Crop to the middle, ``share`` of each side."""

    def crop(image: Image.Image) -> Image.Image:
        left, top = round(image.width * (1 - share) / 2), round(image.height * (1 - share) / 2)
        return image.crop((left, top, image.width - left, image.height - top))

    return crop


def add_caption(image: Image.Image) -> Image.Image:
    """Add white text on a black bar across the lower sixth."""
    copy = image.copy()
    draw, height = ImageDraw.Draw(copy), image.height // 6
    draw.rectangle((0, image.height - height, image.width, image.height), fill="black")
    font = ImageFont.load_default(size=height * 0.6)
    draw.text((height // 4, image.height - height), "WHEN YOU SEE IT", fill="white", font=font)
    return copy


def make_screenshot(image: Image.Image) -> Image.Image:
    """Make a screenshot: the image on a page twice as high, below a bar and with margins."""
    page = Image.new("RGB", (round(image.width * 1.2), image.height * 2), "white")
    ImageDraw.Draw(page).rectangle((0, 0, page.width, image.height // 10), fill="steelblue")
    page.paste(image, (image.width // 10, image.height // 3))
    return page


ALTERATIONS: Mapping[str, Alteration] = {
    "JPEG of quality 30": reencode("JPEG", quality=30),
    "WebP of quality 20": reencode("WEBP", quality=20),
    "half the size": scale(0.5),
    "an eighth of the size": scale(0.125),
    "brighter by 40 %": lambda image: ImageEnhance.Brightness(image).enhance(1.4),
    "grey": lambda image: image.convert("L").convert("RGB"),
    "caption": add_caption,
    "middle, 80 % of each side": crop_middle(0.8),
    "middle, 50 % of each side": crop_middle(0.5),
    "mirrored": ImageOps.mirror,
    "rotated by 90°": lambda image: image.transpose(Image.Transpose.ROTATE_90),
    "screenshot": make_screenshot,
}
"""Alterations by their names on the page."""
