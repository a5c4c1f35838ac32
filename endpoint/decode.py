"""Decode the image of a request, once for all tasks."""

from __future__ import annotations

import io
import warnings

import numpy as np
from PIL import Image

from darkroom_analysis.models.pixels import Pixels

FORMATS = ("JPEG", "PNG", "WEBP")

MAX_PIXELS = 16_777_216
"""4096 × 4096, four times what the infer function sends. More is unreadable, to bound the memory of a request."""

WHITE = (255, 255, 255)


def decode_image(body: bytes) -> Pixels | None:
    """Decode an image to sRGB on white; None if it cannot be decoded completely."""
    try:
        with warnings.catch_warnings(action="ignore"), Image.open(io.BytesIO(body), formats=FORMATS) as image:
            if image.width * image.height > MAX_PIXELS:
                return None
            return np.asarray(_flatten(image))
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):  # Pillow's, by format
        return None


def _flatten(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I;16"):  # Pillow would clip it
        image = Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    if not image.has_transparency_data:
        return image.convert("RGB")
    layer = image.convert("RGBA")
    sheet = Image.new("RGB", layer.size, WHITE)
    sheet.paste(layer, mask=layer.getchannel("A"))
    return sheet
