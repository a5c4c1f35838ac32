"""Sizes with a pixel ratio and a longest side, which depend on the size of the source.

The arithmetic follows imgproxy's description of ``dpr`` and ``max_result_dimension`` (``processing/prepare.go``): where
nothing may be enlarged, the ratio is limited to what the source has pixels for, so that a result is the same picture at
every ratio. Offsets and padding are multiplied by the ratio that is left.
"""

from __future__ import annotations

from typing import NamedTuple

from ..model import Extension, Padding
from .boxes import Size, round_half_up
from .placement import extend_to_ratio
from .resize import MAX_SCALED_SIDE_PX, ResizeRequest, compute_factors, crop_to_target


class ScaledSize(NamedTuple):
    """``scaled``: the size that a picture is resized to. ``cropped``: the part of it that a box keeps.

    ``ratio``: the pixel ratio that is left.
    """

    scaled: Size
    cropped: Size
    ratio: float


class RatioRequest(NamedTuple):
    """What is asked of a size beside ``resize``: its ``ratio``, and the longest side of everything (0: any).

    ``extension`` is what is put around what is kept, ``padding`` the padding before it is multiplied, both as they are
    before the picture is turned by ``rot``.
    """

    resize: ResizeRequest
    ratio: float = 1.0
    max_side: int = 0
    extension: Extension | None = None
    padding: Padding = Padding()


def resize_at_ratio(size: Size, wanted: RatioRequest, fit: str, cover_mode: str, *, upscale: bool) -> ScaledSize:
    """``size`` as ``wanted`` scales it; ``fit`` and ``covering`` are a Plan's. Unless ``upscale``, nothing grows.

    The least sides of ``wanted`` are multiplied by the ratio that is left, and may enlarge the picture.
    """
    request = wanted.resize
    across, down = compute_factors(size, request.box, fit, cover_mode)
    across, down = across * request.scale[0], down * request.scale[1]
    ratio = wanted.ratio
    if not upscale:
        larger = max(across, down)
        if larger > 1:
            across, down = across / larger, down / larger
            extends_to_box = wanted.extension is not None and wanted.extension.to == "box"
            ratio *= 1 if extends_to_box else larger
        ratio = min(ratio, 1 / max(across, down))
    for least, side, axis in ((request.min_size.width, size.width, 0), (request.min_size.height, size.height, 1)):
        short = least / (side * (across, down)[axis])
        if short > 1:
            across, down = across * short, down * short
    shaped = fit == "cover" and not cover_mode and not upscale
    across, down = across * ratio, down * ratio
    sized = _scale(size, wanted, (across, down), ratio, shaped=shaped)
    longest = max(_compute_canvas(sized, wanted))
    if not wanted.max_side or longest <= wanted.max_side:
        return _limit_sides(sized, size)
    shrunk = wanted.max_side / longest
    limited = (max(across * shrunk, 1 / size.width), max(down * shrunk, 1 / size.height))
    return _limit_sides(_scale(size, wanted, limited, ratio * shrunk, shaped=shaped), size)


def multiply_padding(padding: Padding, ratio: float) -> Padding:
    """``padding`` times ``ratio``, halves rounded to even."""
    return Padding(*(round(side * ratio) for side in padding))


def _scale(size: Size, wanted: RatioRequest, factor: tuple[float, float], ratio: float, *, shaped: bool) -> ScaledSize:
    scaled = Size(max(1, round_half_up(size.width * factor[0])), max(1, round_half_up(size.height * factor[1])))
    return ScaledSize(scaled, crop_to_target(scaled, wanted.resize.target_at(ratio), keep_ratio=shaped), ratio)


def _limit_sides(sized: ScaledSize, size: Size) -> ScaledSize:
    """``sized`` with no side of the scaled picture longer than what is scaled at all."""
    largest = max(MAX_SCALED_SIDE_PX, *size) / max(sized.scaled)
    if largest >= 1:
        return sized
    scaled, kept = (Size(*(max(1, int(side * largest)) for side in one)) for one in sized[:2])
    return sized._replace(scaled=scaled, cropped=kept)


def _compute_canvas(sized: ScaledSize, wanted: RatioRequest) -> Size:
    """The size with extension and padding."""
    width, height = sized.cropped
    target = wanted.resize.target_at(sized.ratio)
    if wanted.extension is not None:
        around = target if wanted.extension.to == "box" else extend_to_ratio(sized.cropped, target)
        width, height = max(width, around.width), max(height, around.height)
    padding = multiply_padding(wanted.padding, sized.ratio)
    return Size(width + padding.left + padding.right, height + padding.top + padding.bottom)
