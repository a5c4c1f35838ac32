"""Score responses against the reference image."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from PIL import Image

from .ssimulacra2 import Original

type Pixels = np.ndarray[tuple[int, ...], np.dtype[np.uint8]]


def resize_reference(source: Path, width: int, height: int | None = None) -> Pixels:
    """Resize ``source`` to ``width`` px by a full Lanczos filter from all pixels, without encoding.

    ``height``: by default the nearest one with the same proportions.
    """
    with Image.open(source) as image:
        size = (width, height or round(image.height * width / image.width))
        return np.asarray(image.convert("RGB").resize(size, Image.Resampling.LANCZOS))


def ssimulacra2(image: bytes | Pixels, reference: Pixels) -> float:
    """Return the SSIMULACRA2 of an encoded image, or of its pixels, to ``reference``.

    Raises ValueError for another size.
    """
    return Original(reference).score(decode_pixels(image) if isinstance(image, bytes) else image)


def decode_pixels(body: bytes) -> Pixels:
    """Decode an image to height × width × 3 of sRGB."""
    with Image.open(io.BytesIO(body)) as image:
        return np.asarray(image.convert("RGB"))
