"""What a kind must look like: decoded by other libraries than the service's, upright, in sRGB."""

from __future__ import annotations

import io
from functools import lru_cache

import numpy as np
from PIL import Image, ImageCms, ImageOps

from .drawings import open_image
from .kinds import Kind, read_source

NOT_COMPARED = "none"
"""``reference`` of a kind that no other decoder here shows as browsers do."""

_BLOCKS = 24
"""Most blocks a side of which the mean colours are compared: encoders differ in pixels, not in those."""

_SRGB = ImageCms.createProfile("sRGB")


@lru_cache(maxsize=8)
def render_reference(kind: Kind) -> Image.Image:
    """Return the first frame of ``kind`` in RGBA."""
    return to_rgba(_open_upright(kind))


@lru_cache(maxsize=8)
def measure(kind: Kind) -> tuple[int, int]:
    """Return width and height of ``kind``, upright."""
    return kind.size or _open_upright(kind).size


def _open_upright(kind: Kind) -> Image.Image:
    source = kind.reference if kind.reference not in ("", NOT_COMPARED) else kind.source
    image = open_image(read_source(source))
    image.seek(0)
    return ImageOps.exif_transpose(image)


def to_rgba(image: Image.Image) -> Image.Image:
    """Convert any mode to 8-bit sRGB with alpha."""
    profile = _find_profile(image)
    if image.mode in ("I;16", "I;16B", "I", "F"):
        values = np.asarray(image, np.float64)
        image = Image.fromarray((values / (257 if values.max() > 255 else 1)).clip(0, 255).astype(np.uint8))
    if image.mode == "LAB":
        lab = ImageCms.createProfile("LAB")
        return ImageCms.applyTransform(image, ImageCms.buildTransform(lab, _SRGB, "LAB", "RGB")).convert("RGBA")
    if profile and image.mode in ("RGB", "CMYK", "L"):
        return ImageCms.profileToProfile(image, io.BytesIO(profile), _SRGB, outputMode="RGB").convert("RGBA")
    converted = image.convert("RGBA")
    if profile:
        colours = ImageCms.profileToProfile(converted.convert("RGB"), io.BytesIO(profile), _SRGB, outputMode="RGB")
        colours.putalpha(converted.getchannel("A"))
        return colours
    return converted


def _find_profile(image: Image.Image) -> bytes:
    """Return the ICC profile of an image, empty where it has none or a broken one."""
    profile = bytes(image.info.get("icc_profile") or b"")
    try:
        ImageCms.getOpenProfile(io.BytesIO(profile))
    except ImageCms.PyCMSError:
        return b""
    return profile


def measure_difference(shown: Image.Image, expected: Image.Image) -> float:
    """Return the mean difference of the blocks of two images on white, from 0 to 255; sizes may differ."""
    side = min(_BLOCKS, *shown.size, *expected.size)
    one, other = (_blocks(image, side) for image in (shown, expected))
    return float(np.abs(one - other).mean())


def _blocks(image: Image.Image, side: int) -> np.ndarray:
    white = Image.new("RGBA", image.size, (255, 255, 255, 255))
    flat = Image.alpha_composite(white, image.convert("RGBA")).convert("RGB")
    return np.asarray(flat.resize((side, side), Image.Resampling.BOX), np.float64)
