"""Sources that show one image at first, and hide another: in a frame, a page, alpha or a gain map."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from functools import cache

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from darkroom.imaging.formats.jpeg.gain_map import GainMapMetadata
from darkroom.imaging.formats.jpeg.ultrahdr import attach_gain_map

SIZE = (320, 320)
GREY, OFFSET = 90, 1 / 64
"""Of a base with a gain map: its only value, and the offset of the map's numbers."""

_ELLIPSES = (
    (214, 187, 190, 158, (233, 140, 138)),
    (11, 236, 110, 125, (226, 169, 133)),
    (44, 293, 66, 58, (234, 185, 137)),
    (181, 192, 166, 126, (230, 157, 149)),
    (93, 27, 182, 229, (222, 173, 165)),
    (223, -11, 169, 24, (210, 161, 154)),
    (159, 69, 23, 29, (169, 81, 114)),
)
"""Left, top, width, height and colour. Found by a random search for a high score of open-nsfw: 0.986."""

_WIDESPREAD = (
    (252, 230, 188, 166, (234, 159, 148)),
    (11, 216, 99, 230, (212, 139, 150)),
    (4, 314, 93, 63, (238, 205, 152)),
    (155, 234, 162, 132, (220, 139, 145)),
    (93, 27, 182, 229, (222, 173, 165)),
    (213, -55, 225, 62, (222, 156, 140)),
    (163, 95, 36, 39, (162, 72, 106)),
    (322, -19, 120, 138, (238, 102, 114)),
    (266, 39, 158, 10, (235, 156, 128)),
    (206, 35, 66, 70, (243, 171, 153)),
    (64, 190, 95, 87, (231, 165, 185)),
    (166, -21, 102, 115, (202, 167, 166)),
    (240, 172, 193, 102, (200, 139, 133)),
    (174, 245, 146, 66, (198, 160, 152)),
    (39, 238, 66, 144, (234, 164, 153)),
    (267, 86, 153, 162, (237, 168, 149)),
    (196, 269, 190, 167, (224, 196, 91)),
    (93, 204, 191, 108, (236, 168, 141)),
    (98, 269, 187, 188, (235, 175, 164)),
    (48, -4, 129, 39, (216, 170, 127)),
    (61, 96, 80, 167, (191, 148, 170)),
    (277, 244, 200, 137, (236, 156, 120)),
    (171, -20, 119, 133, (205, 175, 167)),
    (271, 257, 114, 164, (217, 136, 126)),
    (108, 140, 105, 187, (216, 165, 160)),
    (76, 91, 63, 133, (197, 154, 154)),
    (22, 23, 40, 154, (197, 163, 166)),
    (235, 277, 200, 158, (232, 155, 125)),
    (93, 204, 191, 108, (236, 168, 141)),
    (98, 269, 187, 188, (235, 175, 164)),
)
"""The same, found by a search for a score that stays above the threshold whichever thirty-sixth is covered."""

type Ellipse = tuple[int, int, int, int, tuple[int, int, int]]


def _draw(ellipses: Sequence[Ellipse]) -> Image.Image:
    image = Image.new("RGB", SIZE, "white")
    draw = ImageDraw.Draw(image)
    for left, top, width, height, colour in ellipses:
        draw.ellipse((left, top, left + width, top + height), fill=colour)
    return image.filter(ImageFilter.GaussianBlur(9))


def flagged_drawing() -> Image.Image:
    """Draw a few ellipses that the small moderation model flags, and that show nothing."""
    return _draw(_ELLIPSES)


def widely_flagged_drawing() -> Image.Image:
    """Draw ellipses that it flags because of several places."""
    return _draw(_WIDESPREAD)


@cache
def innocent(number: int = 0) -> Image.Image:
    """Return a landscape of soft noise, another one for each ``number``."""
    small = np.random.default_rng(number).integers(40, 200, (10, 10, 3), dtype=np.uint8)
    return Image.fromarray(small).resize(SIZE, Image.Resampling.BICUBIC)


def _saved(image: Image.Image, form: str, **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, form, **options)
    return out.getvalue()


def in_frame(hidden: Image.Image, form: str, place: int = 3, frames: int = 6, **options: object) -> bytes:
    """Hide ``hidden`` as frame, or page, ``place`` of ``frames``."""
    images = [hidden if number == place else innocent(number) for number in range(frames)]
    return _saved(images[0], form, save_all=True, append_images=images[1:], **options)


def over_white(hidden: Image.Image) -> bytes:
    """Hide ``hidden`` so that it is grey on black, and invisible on white."""
    white = Image.new("RGB", hidden.size, "white")
    white.putalpha(hidden.convert("L"))
    return _saved(white, "PNG")


def over_black(hidden: Image.Image) -> bytes:
    """Hide ``hidden`` so that it is grey on white, and invisible on black."""
    black = Image.new("RGB", hidden.size, "black")
    black.putalpha(hidden.convert("L").point(lambda value: 255 - value))
    return _saved(black, "PNG")


def coloured_on_black(hidden: Image.Image) -> bytes:
    """Hide ``hidden`` so that it has all its colours on black, and is as pale as can be on white."""
    values = np.asarray(hidden.convert("RGB"), np.float64) / 255
    alpha = values.max(axis=2, keepdims=True)
    colours = np.where(alpha > 0, values / np.maximum(alpha, 1e-6), 0)
    both = np.concatenate([colours, alpha], axis=2)
    return _saved(Image.fromarray(np.rint(both * 255).astype(np.uint8), "RGBA"), "PNG")


def under_alpha(hidden: Image.Image, form: str = "PNG", **options: object) -> bytes:
    """Hide ``hidden`` under full transparency."""
    clear = hidden.convert("RGB")
    clear.putalpha(Image.new("L", hidden.size, 0))
    return _saved(clear, form, **options)


def in_gain_map(hidden: Image.Image) -> bytes:
    """Hide ``hidden`` as the gain map of a grey JPEG."""
    return _with_map(hidden.convert("RGB"), 2.0)


def in_rendition(hidden: Image.Image, stops: float = 6.0) -> bytes:
    """Hide ``hidden`` in a gain map that makes it of a grey JPEG on an HDR display."""
    light = _in_light(np.asarray(hidden.convert("RGB"), np.float64) / 255) * 8
    gain = np.log2((light + OFFSET) / (_in_light(np.float64(GREY / 255)) + OFFSET))
    return _with_map(Image.fromarray(np.rint((gain / stops).clip(0, 1) * 255).astype(np.uint8)), stops)


def _in_light(values: np.ndarray | np.float64) -> np.ndarray:
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def _with_map(gain: Image.Image, stops: float) -> bytes:
    base = _saved(Image.new("RGB", gain.size, (GREY,) * 3), "JPEG", quality=95)
    channels = (0.0,) * 3, (stops,) * 3, (1.0,) * 3, (OFFSET,) * 3, (OFFSET,) * 3
    return attach_gain_map(
        base, _saved(gain, "JPEG", quality=95, subsampling=0), GainMapMetadata(*channels, 0.0, stops)
    )


KINDS: Mapping[str, Callable[[Image.Image], bytes]] = {
    "gif-last": lambda hidden: in_frame(hidden, "GIF", 5, duration=80),
    "gif-middle": lambda hidden: in_frame(hidden, "GIF", 2, 40, duration=20),
    "webp-frame": lambda hidden: in_frame(hidden, "WEBP", duration=80, quality=90),
    "webp-lossless-frame": lambda hidden: in_frame(hidden, "WEBP", 1, 2, duration=80, lossless=True),
    "apng-frame": lambda hidden: in_frame(hidden, "PNG", duration=80),
    "avif-frame": lambda hidden: in_frame(hidden, "AVIF", duration=80),
    "tiff-page": lambda hidden: in_frame(hidden, "TIFF", compression="tiff_lzw"),
    "tiff-last-page": lambda hidden: in_frame(hidden, "TIFF", 1, 2, compression="jpeg"),
    "alpha-coloured-on-black": coloured_on_black,
    "alpha-zero-png": under_alpha,
    "alpha-zero-webp": lambda hidden: under_alpha(hidden, "WEBP", lossless=True, exact=True),
    "alpha-zero-tiff": lambda hidden: under_alpha(hidden, "TIFF", compression="tiff_lzw"),
    "gain-map": in_gain_map,
    "gain-map-rendition": in_rendition,
}
"""Ways to hide an image with its colours."""

GREY_KINDS: Mapping[str, Callable[[Image.Image], bytes]] = {
    "alpha-only-on-black": over_white,
    "alpha-only-on-white": over_black,
}
"""Ways that keep the lightness alone."""

REMOVED = frozenset({"avif-frame"})
"""Kinds of which ingest keeps the first frame only, so that the hidden image is not served at all."""
