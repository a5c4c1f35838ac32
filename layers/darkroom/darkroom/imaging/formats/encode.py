"""From finished frames to bytes, without any metadata."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import pyvips

from ..colour.convert import get_white_level
from .encoder_options import (
    FLAT_PNG,
    SMOOTH_MAX_PIXELS,
    SMOOTH_OPTIONS,
    Effort,
    EncoderOptions,
    choose_encoder_options,
    list_alternatives,
)
from .registry import OUTPUT_FORMATS, OutputFormat

DEFAULT_QUALITY = 80

AVIF_QUALITY = ((0, 0), (40, 33), (80, 57), (90, 73), (100, 100))
"""``q`` is one scale, JPEG's, for every format: AVIF at 57 looks like JPEG and WebP at 80. Straight between rows."""

COARSE_JPEG = 88
"""Up to here JPEGs take N. Robidoux's quantisation table (mozjpeg's 3) instead of ITU-T T.81's: over seven photographs
of 800 px it needs 6 to 7 % fewer bytes for the same SSIMULACRA2, and none of the time. At 92 it needs 18 % more."""

COARSE_TABLES: dict[Effort, int] = {"fast": 3, "slow": 5}
"""Beside the trellis the table of Peterson, Ahumada and Watson (mozjpeg's 5) is the better one: over eighteen pictures
of 400 to 800 px it needs 7 % fewer bytes than fast effort for the same score, where 3 saves 5 % and 2 saves 6 %."""

FLAT_SHARE = 0.5
"""Pixels that equal their left neighbour: above this it is a drawing, below a photograph (of which 2–15 % do)."""

DETAILED_LEVELS = 3.0
"""The :func:`busyness` from which on an image is full of detail. Six of thirteen photographs are below."""

SMOOTH_LEVELS = 5.5
"""The :func:`busyness` below which an encoder can try harder in the same time. 13 of 21 photographs are below."""

_SAVERS = {"jpeg": "jpegsave_buffer", "png": "pngsave_buffer", "webp": "webpsave_buffer"}
_SAVERS |= {"avif": "heifsave_buffer", "gif": "gifsave_buffer", "tiff": "tiffsave_buffer"}
_VP8X_FLAGS_AT, _VP8X_ALPHA = 20, 0x10
_ALWAYS: dict[str, EncoderOptions] = {"avif": {"compression": "av1", "bitdepth": 8, "tune": "iq"}}
"""libaom's tuning for still images. Over fourteen photographs of 480 px it needs 11 to 12 % fewer bytes than ``ssim``
for the same SSIMULACRA2 at effort 3, and takes a quarter more time; ``psnr`` needs 4 % more. 10 bits a band instead of
8 save 1 % for 45 % more time."""


BASELINE: EncoderOptions = {"interlace": False, "optimize_scans": False}
"""Of a JPEG that is shown line by line, and not from coarse to fine."""


@dataclass(frozen=True, slots=True)
class EncodableImage:
    """What is to be encoded: frames one below the other, as libvips' savers take them."""

    image: pyvips.Image
    frames: int

    @classmethod
    def from_frames(cls, frames: list[pyvips.Image], delays_ms: list[int], loop: int) -> EncodableImage:
        """The sheet of frames of one size. ``delays_ms`` and ``loop`` are libvips' own."""
        if len(frames) == 1:
            return cls(frames[0], 1)
        image = pyvips.Image.arrayjoin(frames, across=1).copy()
        image.set_type(pyvips.GValue.gint_type, "page-height", frames[0].height)
        image.set_type(pyvips.GValue.gint_type, "loop", loop)
        image.set_type(pyvips.GValue.array_int_type, "delay", delays_ms)
        return cls(image, len(frames))

    @property
    def pixels(self) -> int:
        return int(self.image.width * self.image.height)


def encode(
    image: EncodableImage, output: OutputFormat, quality: int | None, effort: Effort = "fast", *, baseline: bool = False
) -> bytes:
    """``sheet`` in ``form``. ``quality`` is 1–100 on JPEG's scale, None for the default. ``baseline``: if it is one."""
    lossy: EncoderOptions = {} if output.lossless else _lossy_options(output, quality or DEFAULT_QUALITY, effort)
    smooth = False
    if output.name in SMOOTH_OPTIONS and effort == "fast" and image.pixels <= SMOOTH_MAX_PIXELS:
        image = EncodableImage(image.image.copy_memory(), image.frames)  # else it would be computed twice
        smooth = measure_detail(image.image) < SMOOTH_LEVELS
    options = (
        choose_encoder_options(output.name, image.pixels, effort, smooth=smooth)
        | lossy
        | (BASELINE if baseline and output.name == "jpeg" else {})
    )
    return min((_save(image, output, options | further) for further in list_alternatives(output.name, effort)), key=len)


def _lossy_options(output: OutputFormat, quality: int, effort: Effort) -> EncoderOptions:
    table: EncoderOptions = (
        {"quant_table": COARSE_TABLES[effort]} if output.name == "jpeg" and quality <= COARSE_JPEG else {}
    )
    return {"Q": map_quality(output, quality)} | table


def encode_with(image: EncodableImage, output: OutputFormat, quality: int, options: EncoderOptions) -> bytes:
    """``sheet`` in the lossy ``form`` by ``options``. ``quality`` is on the encoder's own scale."""
    return _save(image, output, options | {"Q": quality})


def encode_lossless(image: EncodableImage, output: OutputFormat, effort: Effort = "fast") -> bytes:
    """A drawing as PNG or lossless WebP."""
    if output.name == "webp":
        return _save(image, output, choose_encoder_options("webp", image.pixels, effort) | {"lossless": True})
    return _save(image, OUTPUT_FORMATS["png"], FLAT_PNG)


def is_drawing(image: pyvips.Image) -> bool:
    """Whether most pixels equal their left neighbour, as in logos, charts and text."""
    return measure_flat_share(image) >= FLAT_SHARE


def measure_detail(image: pyvips.Image) -> float:
    """How much detail an image has: the mean difference of horizontal neighbours, of 255 levels of green or grey."""
    if image.width < 2:
        return 0.0
    green = image[1] if image.bands > 2 else image[0]
    beside = green.crop(1, 0, image.width - 1, image.height) - green.crop(0, 0, image.width - 1, image.height)
    return float(beside.abs().avg()) * 255 / get_white_level(image)


def measure_flat_share(image: pyvips.Image) -> float:
    """The share of pixels that equal their left neighbour."""
    if image.width < 2:
        return 0.0
    left = image.crop(0, 0, image.width - 1, image.height)
    right = image.crop(1, 0, image.width - 1, image.height)
    same = (left == right).bandand() if image.bands > 1 else left == right
    return float(same.avg()) / 255


def map_quality(output: OutputFormat, quality: int) -> int:
    """The encoder's own number for a quality on JPEG's scale."""
    if output.name != "avif":
        return quality
    for (low, at_low), (high, at_high) in pairwise(AVIF_QUALITY):
        if quality <= high:
            return max(1, round(at_low + (at_high - at_low) * (quality - low) / (high - low)))
    return quality


def _save(image: EncodableImage, output: OutputFormat, options: dict[str, Any]) -> bytes:
    body: bytes = pyvips.Operation.call(
        _SAVERS[output.name], image.image, keep="none", **_ALWAYS.get(output.name, {}), **options
    )
    if output.name == "webp" and image.frames > 1 and image.image.hasalpha():
        return _set_alpha_flag(body)
    return body


def _set_alpha_flag(webp: bytes) -> bytes:
    """An animated WebP that says it is transparent.

    libwebp looks for transparency within the rectangles that it stores. Where only their surroundings are transparent,
    it says there is none, and viewers paint them black.
    """
    if webp[12:16] != b"VP8X":
        return webp
    return webp[:_VP8X_FLAGS_AT] + bytes([webp[_VP8X_FLAGS_AT] | _VP8X_ALPHA]) + webp[_VP8X_FLAGS_AT + 1 :]
