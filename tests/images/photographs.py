"""Images for tests: photographs from packages, and drawings."""

from __future__ import annotations

import io
from functools import cache

import numpy as np
from PIL import Image


def photograph() -> Image.Image:
    """A photograph of 512×512: scikit-image's astronaut. A new one each time, since saving one changes it."""
    from skimage import data

    return Image.fromarray(data.astronaut())


@cache
def jpeg_photo(size: tuple[int, int] = (900, 600)) -> bytes:
    """The photograph as a baseline JPEG of quality 90."""
    out = io.BytesIO()
    photograph().resize(size).save(out, "JPEG", quality=90)
    return out.getvalue()


@cache
def png_noise(width: int, height: int) -> bytes:
    """A PNG that does not compress: about 3 bytes a pixel."""
    pixels = np.random.default_rng(7).integers(0, 256, (height, width, 3), dtype=np.uint8)
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "PNG", compress_level=1)
    return out.getvalue()


def turned(upright: Image.Image, orientation: int) -> bytes:
    """A JPEG that is stored turned, with the EXIF tag that makes it upright. ``orientation`` is 6 or 8."""
    stored = upright.rotate(90 if orientation == 6 else -90, expand=True)
    exif = Image.Exif()
    exif[0x0112] = orientation
    out = io.BytesIO()
    stored.save(out, "JPEG", quality=95, exif=exif)
    return out.getvalue()
