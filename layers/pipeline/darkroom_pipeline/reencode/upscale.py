"""Upscaling by a model: the step that takes the place of the resize, and the measures that decide on its result.

A model invents detail. Its result replaces the resampled image only if it matches the source when it is reduced to that
size again, and if its sharpness, by a measure that needs no original, is that of a photograph. It is corrected by the
source before. The decision does not depend on the size of the derivative.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import inf, log10

import pyvips

from darkroom.errors import ModelUnavailable
from darkroom.findings import MAX_UPSCALE_PIXELS
from darkroom.imaging.colour.convert import (
    PEAK_8_BIT,
    cicp_to_srgb,
    ensure_rgb,
    needs_conversion,
    resize_to,
    split_alpha,
    to_eight_bits,
    to_srgb,
)
from darkroom.imaging.render.context import RenderContext, Step
from darkroom.imaging.render.steps import DECODE_STEPS
from darkroom.imaging.render.steps.common import resize
from darkroom.plan.geometry.layout import Size

MIN_SOURCE_SIDE_PX = 16
"""Sides of a region below which :func:`measure_blur` has too few pixels."""

MIN_FACTOR = 1.25
"""Least enlargement of a side for which the model is run: below it, resampling loses little."""

MAX_CONSISTENCY_LOSS_DB = 4.5
"""By how much less than a resampled image that of the model may match the source, before it is corrected."""

BLUR_RATIOS = (0.45, 0.85)
"""Least and largest blur of a result in proportion to that of a resampled image. Above, the correction alone is as
sharp. Below, the result is sharper than photographs are.

With both limits, one of 20 enlargements that are taken of 62 scores less than Lanczos' (``bench/upscale`` of
commit 10e7c8d8)."""

_BLUR_TAPS = 11
"""Width in px of the filter by which :func:`measure_blur` blurs."""

type Enlarge = Callable[[bytes], bytes | None]
"""Sends a PNG to the endpoint and returns the PNG of the enlarged image; None if the endpoint refuses the image.
Raises ModelUnavailable."""


class UpscaleResult(StrEnum):
    """How an image was enlarged. ``MODEL``: by the model. All others: resampled, and why.

    ``SMALLER``: it is hardly enlarged, or not at all. ``SIZE``: the region has too many pixels, or too few.
    ``TRANSPARENT``, ``ANIMATED``: the model has no such images. ``REFUSED``: by the endpoint. ``BLUR``: less sharp than
    the resampled image, or too sharp. ``INCONSISTENT``: it does not match the source.
    """

    MODEL = "model"
    SMALLER = "smaller"
    SIZE = "size"
    TRANSPARENT = "transparent"
    ANIMATED = "animated"
    REFUSED = "refused"
    BLUR = "blur"
    INCONSISTENT = "inconsistent"


@dataclass
class Upscaler:
    """The step instead of the resize. ``result`` is set when it has run, else None.

    ``started_s`` is when the model was called, as Unix time, and ``spent_ms`` how long that took; 0 if it was not.
    """

    enlarge: Enlarge
    result: UpscaleResult | None = None
    started_s: float = 0.0
    spent_ms: float = 0.0

    @property
    def steps(self) -> Sequence[Step]:
        """The steps of decoding, with this one in the place of the resize."""
        return tuple(self if step is resize else step for step in DECODE_STEPS)

    def __call__(self, context: RenderContext) -> None:
        """Enlarge the image of ``context`` by the model, or resample it. Raises ModelUnavailable."""
        size = context.geometry.stored_scaled
        self.result = find_obstacle(context.frames, size)
        enlarged = None
        if self.result is None:
            context.copy_to_memory()
            self.result, enlarged = self._enlarge(context, size)
        if enlarged is None:
            resize(context)
            return
        context.frames, context.cicp, context.touched = [enlarged], None, True

    def _enlarge(self, context: RenderContext, size: Size) -> tuple[UpscaleResult, pyvips.Image | None]:
        """Return the enlarged image in sRGB, or None and the reason."""
        [frame] = context.frames
        cicp = context.cicp
        shown = to_srgb(cicp_to_srgb(frame, cicp) if cicp is not None and needs_conversion(cicp) else frame)
        source, alpha = split_alpha(to_eight_bits(shown))
        if alpha is not None and alpha.min() < PEAK_8_BIT:
            return UpscaleResult.TRANSPARENT, None
        self.started_s = time.time()
        body = self.enlarge(ensure_rgb(source).pngsave_buffer(compression=1, keep="none"))
        self.spent_ms = (time.time() - self.started_s) * 1000
        if body is None:
            return UpscaleResult.REFUSED, None
        answer = _load_answer(body, source.bands)
        resampled = resize_to(source, Size(answer.width, answer.height)).copy_memory()
        loss = measure_consistency(resampled, source) - measure_consistency(answer, source)
        if not loss <= MAX_CONSISTENCY_LOSS_DB:  # also if both are infinite, and the loss no number
            return UpscaleResult.INCONSISTENT, None
        enlarged = correct(answer, source)
        least, largest = (ratio * measure_blur(resampled) for ratio in BLUR_RATIOS)
        if not least <= measure_blur(enlarged) <= largest:
            return UpscaleResult.BLUR, None
        return UpscaleResult.MODEL, resize_to(enlarged, size).copy_memory()


def _load_answer(body: bytes, bands: int) -> pyvips.Image:
    """Decode the endpoint's image. Raises ModelUnavailable if it is none: that is no fault of the source."""
    try:
        answer = pyvips.Image.new_from_buffer(body, "").copy_memory()
    except pyvips.Error as error:
        raise ModelUnavailable(detail=f"the enlarged image cannot be decoded: {error}") from error
    return answer.colourspace("b-w") if bands == 1 else answer


def find_obstacle(frames: Sequence[pyvips.Image], size: Size) -> UpscaleResult | None:
    """Return why ``frames`` are not enlarged to ``size`` by the model; None if that is not known before."""
    first = frames[0]
    if len(frames) > 1:
        return UpscaleResult.ANIMATED
    if max(size.width / first.width, size.height / first.height) < MIN_FACTOR:
        return UpscaleResult.SMALLER
    if first.width * first.height > MAX_UPSCALE_PIXELS or min(first.width, first.height) < MIN_SOURCE_SIDE_PX:
        return UpscaleResult.SIZE
    return None


def correct(enlarged: pyvips.Image, source: pyvips.Image) -> pyvips.Image:
    """Add to ``enlarged`` what its reduction lacks of ``source``, resampled: one step of iterative back-projection.

    Irani and Peleg, "Improving resolution by image registration", CVGIP 53 (3), 1991. Detail that the source cannot
    show stays; what it shows is the source's. A second step would repeat the blocks of compressed sources.
    """
    values, size = source.cast("float"), Size(enlarged.width, enlarged.height)
    difference = values - resize_to(enlarged.cast("float"), Size(source.width, source.height))
    corrected = enlarged.cast("float") + resize_to(difference, size)
    return corrected.rint().cast("uchar").copy(interpretation=source.interpretation).copy_memory()


def measure_consistency(enlarged: pyvips.Image, source: pyvips.Image) -> float:
    """Return the PSNR in dB of ``enlarged``, reduced to the size of ``source``, and ``source``; infinite if equal.

    "LR-PSNR" of Lugmayr et al., "NTIRE 2021 Learning the Super-Resolution Space Challenge", CVPR Workshops 2021.
    """
    error = ((resize_to(enlarged, Size(source.width, source.height)).cast("float") - source) ** 2).avg()
    return 10 * log10(PEAK_8_BIT**2 / error) if error else inf


def measure_blur(image: pyvips.Image) -> float:
    """Return the blur of an image of 8 bits from 0 (sharp) to 1: the larger one of both directions.

    Crété-Roffet et al., "The blur effect: perception and estimation with a new no-reference perceptual blur metric",
    SPIE 6492, 2007. It is the share of the differences between neighbours that another blur does not change.
    """
    grey = image.colourspace("b-w").cast("float")
    return max(_measure_blur(grey), _measure_blur(grey.rot90()))


def _measure_blur(grey: pyvips.Image) -> float:
    """Return the blur along rows, without the margin that the filter reaches beyond."""
    blurred = grey.conv(pyvips.Image.new_from_array([[1] * _BLUR_TAPS], scale=_BLUR_TAPS))
    before, after = (
        (one.crop(1, 0, grey.width - 1, grey.height) - one.crop(0, 0, grey.width - 1, grey.height)).abs()
        for one in (grey, blurred)
    )
    margin = _BLUR_TAPS // 2
    lost = (before - after).relational_const("more", 0).ifthenelse(before - after, 0)
    total, changed = (one.crop(margin, 0, one.width - 2 * margin, one.height).avg() for one in (before, lost))
    return float(1 - changed / total) if total else 1.0
