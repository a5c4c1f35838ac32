"""One photograph in every format that comes in, written by Pillow."""

from __future__ import annotations

import io
from functools import cache
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from .photographs import photograph

SIZE = (320, 240)


def photo() -> Image.Image:
    """A face and a flag, 320×240, sRGB. A new one each time, since saving one changes it."""
    return photograph().crop((60, 0, 460, 300)).resize(SIZE, Image.Resampling.LANCZOS)


def saved(image: Image.Image, form: str, **options: Any) -> bytes:
    """``image`` as a file of Pillow's ``form``."""
    out = io.BytesIO()
    image.save(out, form, **options)
    return out.getvalue()


def cutout() -> Image.Image:
    """The photograph in a disc, transparent around it, with black as the colour of transparent pixels."""
    mask = Image.new("L", SIZE, 0)
    ImageDraw.Draw(mask).ellipse((40, 0, 280, 240), fill=255)
    image = Image.new("RGBA", SIZE, (0, 0, 0, 0))
    image.paste(photo(), (0, 0), mask)
    return image


@cache
def sixteen_bit(channels: int = 3) -> bytes:
    """The photograph as a 16-bit PNG of ``channels`` (1 or 3), with values that 8 bits cannot hold."""
    import pyvips

    grey = photo().convert("L") if channels == 1 else photo()
    fine = np.asarray(grey).astype(np.uint16) * 256 + 77
    shaped = fine.reshape(*fine.shape[:2], channels)
    image = pyvips.Image.new_from_array(shaped).copy(interpretation="grey16" if channels == 1 else "rgb16")
    body: bytes = image.pngsave_buffer()
    return body


SVG = b"""<svg xmlns="http://www.w3.org/2000/svg" width="320" height="240" viewBox="0 0 320 240">
<rect x="20" y="20" width="140" height="200" fill="#c00"/><circle cx="240" cy="120" r="70" fill="#06f"/></svg>"""


@cache
def sources() -> dict[str, bytes]:
    """Files by name: every accepted type that something here can write."""
    rgb, clear = photo(), cutout()
    return {
        "jpeg": saved(rgb, "JPEG", quality=95, subsampling=0),
        "jpeg progressive": saved(rgb, "JPEG", quality=95, progressive=True),
        "jpeg grey": saved(rgb.convert("L"), "JPEG", quality=95),
        "jpeg cmyk": saved(rgb.convert("CMYK"), "JPEG", quality=95),
        "png": saved(rgb, "PNG"),
        "png alpha": saved(clear, "PNG"),
        "png palette": saved(rgb.quantize(256), "PNG"),
        "png grey": saved(rgb.convert("L"), "PNG"),
        "png grey alpha": saved(clear.convert("LA"), "PNG"),
        "png 16 bit": sixteen_bit(),
        "png 16 bit grey": sixteen_bit(1),
        "webp": saved(rgb, "WEBP", quality=95),
        "webp alpha": saved(clear, "WEBP", lossless=True),
        "gif": saved(rgb, "GIF"),
        "avif": saved(rgb, "AVIF", quality=90),
        "avif alpha": saved(clear, "AVIF", quality=90),
        "tiff": saved(rgb, "TIFF", compression="tiff_lzw"),
        "tiff cmyk": saved(rgb.convert("CMYK"), "TIFF"),
        "svg": SVG,
    }
