"""Decode images within limits, which are checked in the header before a pixel is decoded."""

from __future__ import annotations

import io

import numpy as np
import pyvips
from numpy.typing import NDArray
from PIL import Image

type Luma = NDArray[np.uint8]
"""Height × width samples, 0 to 255."""

type Grey = NDArray[np.float32]
"""Height × width samples, 0 to 255."""

MAX_PIXELS = 64_000_000
"""Of an image whose coefficients are examined: a byte each, and six while a progressive file is decoded."""

MAX_THUMBNAIL_SIDE_PX = 1024
"""Cameras write 160 × 120 px (CIPA DC-008, 4.5.7 recommends it), phones up to 512. Larger ones are refused."""


_TOO_LARGE = f"the image has more than {MAX_PIXELS // 1_000_000} megapixels"


def _open(jpeg: bytes) -> Image.Image:
    """Read the header of ``jpeg``. Raises ValueError for more pixels than Pillow allows, OSError for damaged files."""
    try:
        return Image.open(io.BytesIO(jpeg), formats=["JPEG"])
    except Image.DecompressionBombError as error:
        raise ValueError(_TOO_LARGE) from error


def decode_luma(jpeg: bytes) -> Luma:
    """Decode the luma samples of ``jpeg`` as they are in the file, without conversion of colours, scaling or rotation.

    Raises ValueError for more than :data:`MAX_PIXELS` or without such samples, OSError for damaged files.
    """
    with _open(jpeg) as image:
        if image.width * image.height > MAX_PIXELS:
            raise ValueError(_TOO_LARGE)
        if image.mode not in ("RGB", "L"):
            raise ValueError("the image has no luma samples")
        image.draft("L", image.size)
        if image.mode != "L":
            raise ValueError("the image has no luma samples")
        return np.asarray(image)


def decode_thumbnail(jpeg: bytes) -> NDArray[np.float32]:
    """Decode the thumbnail in ``jpeg`` as height × width × 3 samples. Raises ValueError, OSError."""
    with _open(jpeg) as image:
        if max(image.size) > MAX_THUMBNAIL_SIDE_PX:
            raise ValueError(f"the thumbnail is larger than {MAX_THUMBNAIL_SIDE_PX} px")
        return np.asarray(image.convert("RGB"), dtype=np.float32)


def decode_reduced(data: bytes, width: int, height: int, *, rotate: bool = False) -> NDArray[np.float32]:
    """Decode an image of any supported format, stretched to ``width`` × ``height`` × 3 samples, in sRGB.

    ``rotate`` applies the orientation of its metadata. Raises ValueError.
    """
    try:
        image = pyvips.Image.thumbnail_buffer(
            data, width, height=height, size="force", no_rotate=not rotate, export_profile="srgb", fail_on="warning"
        )
        if image.hasalpha():
            image = image.flatten(background=255)
        if image.bands == 1:
            image = image.bandjoin([image, image])
        return np.asarray(image.cast("float").numpy(), dtype=np.float32)[:, :, :3]
    except pyvips.Error as error:
        raise ValueError("the image cannot be decoded") from error


def read_size(data: bytes, *, rotate: bool = False) -> tuple[int, int]:
    """Return width and height of the image in ``data``, rotated by its metadata on request. Raises ValueError."""
    try:
        image = pyvips.Image.new_from_buffer(data, "")
        turned = rotate and image.get_typeof("orientation") and image.get("orientation") >= 5
    except pyvips.Error as error:
        raise ValueError("the image cannot be decoded") from error
    if image.width * image.height > 4 * MAX_PIXELS:
        raise ValueError(f"the image has more than {4 * MAX_PIXELS // 1_000_000} megapixels")
    return (image.height, image.width) if turned else (image.width, image.height)


def to_grey(image: NDArray[np.float32]) -> Grey:
    """Return the luma of height × width × 3 samples (ITU-R BT.601, as in JFIF)."""
    return np.asarray(image @ np.array([0.299, 0.587, 0.114], dtype=np.float32), dtype=np.float32)
