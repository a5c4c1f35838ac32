"""How near an answer is to the picture it should be."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from PIL import Image
from skimage.metrics import structural_similarity

from .ssimulacra2 import Original

type Pixels = np.ndarray[tuple[int, ...], np.dtype[np.uint8]]


def resize_reference(source: Path, width: int) -> Pixels:
    """``source`` resized to ``width`` px by a full Lanczos filter from all of its pixels, never encoded."""
    with Image.open(source) as image:
        size = (width, round(image.height * width / image.width))
        return np.asarray(image.convert("RGB").resize(size, Image.Resampling.LANCZOS))


def ssim(body: bytes, wanted: Pixels) -> float:
    """Structural similarity (SSIM) of an encoded picture to ``wanted``; raises ValueError if its size is another."""
    pixels = decode_pixels(body)
    if pixels.shape != wanted.shape:
        raise ValueError(f"The picture is {pixels.shape}, not {wanted.shape}")
    similarity = structural_similarity(pixels, wanted, channel_axis=-1, data_range=255)  # type: ignore[no-untyped-call]
    return float(similarity)


def ssimulacra2(picture: bytes | Pixels, wanted: Pixels) -> float:
    """SSIMULACRA2 of an encoded picture, or of its pixels, to ``wanted``; raises ValueError if its size is another."""
    return Original(wanted).score(decode_pixels(picture) if isinstance(picture, bytes) else picture)


def decode_pixels(body: bytes) -> Pixels:
    """An encoded picture as height × width × 3 of sRGB."""
    with Image.open(io.BytesIO(body)) as image:
        return np.asarray(image.convert("RGB"))
