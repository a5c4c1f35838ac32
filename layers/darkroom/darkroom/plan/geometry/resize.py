"""Sizes of resized images.

Native options are computed in whole numbers, so that no side is a pixel off. :func:`resize` and :func:`resize_at_ratio`
compute with factors, as imgproxy does (``processing/prepare.go``). The latter has ``dpr`` and ``max_result_dimension``:
if nothing may be enlarged, the ratio is limited to the pixels that the source has, so that a result is the same image
at every ratio. Offsets and padding are multiplied by the ratio that is left.
"""

from __future__ import annotations

from typing import NamedTuple

from ..model import Extension, Padding
from .placement import Size, extend_to_ratio, round_half_up

MAX_SCALED_SIDE_PX = 65_535
"""The longest side of a scaled image before a cover crops it: a 1 px wide source must not become 67 MP."""


def scale_side(side: int, numerator: int, denominator: int) -> int:
    """Return ``side × numerator / denominator`` rounded half up, at least 1."""
    return max(1, (2 * side * numerator + denominator) // (2 * denominator))


def contain(size: Size, box: Size, *, upscale: bool) -> Size:
    """Scale ``size`` to fit inside ``box``."""
    if not upscale and size.width <= box.width and size.height <= box.height:
        return size
    if box.width * size.height <= box.height * size.width:
        return Size(box.width, min(box.height, scale_side(size.height, box.width, size.width)))
    return Size(min(box.width, scale_side(size.width, box.height, size.height)), box.height)


def limit_pixels(size: Size, max_pixels: int | None) -> Size:
    """Scale ``size`` down to at most ``max_pixels``."""
    pixels = size.width * size.height
    if max_pixels is None or pixels <= max_pixels:
        return size
    factor = (max_pixels / pixels) ** 0.5
    return contain(size, Size(*(max(1, int(side * factor)) for side in size)), upscale=False)


def shrink_to_fit(box: Size, limit: Size) -> Size:
    """Scale ``box`` down, at its aspect ratio, to fit inside ``limit``."""
    return contain(box, limit, upscale=False)


def cover(size: Size, box: Size, *, upscale: bool) -> tuple[Size, Size]:
    """Scale ``size`` to cover ``box``; return it and the box, which is scaled down to fit inside a smaller image."""
    box = shrink_to_fit(box, _largest_cover(size) if upscale else size)
    if box.width * size.height >= box.height * size.width:
        return Size(box.width, max(box.height, scale_side(size.height, box.width, size.width))), box
    return Size(max(box.width, scale_side(size.width, box.height, size.height)), box.height), box


def _largest_cover(size: Size) -> Size:
    """Return ``size`` with its longer side scaled to the limit, rounded down."""
    longer = max(size)
    return Size(*(max(1, side * max(MAX_SCALED_SIDE_PX, longer) // longer) for side in size))


class ResizeRequest(NamedTuple):
    """A box (0: no such side), factors of it, and a minimum size (0: none)."""

    box: Size
    scale: tuple[float, float] = (1.0, 1.0)
    min_size: Size = Size(0, 0)

    @property
    def target(self) -> Size:
        """The box times its factors; 0 for a side that is not given."""
        return self.target_at(1.0)

    def target_at(self, ratio: float) -> Size:
        """Return the box times its factors and a pixel ratio."""
        factors = zip(self.box, self.scale, strict=True)
        return Size(*(max(1, round_half_up(side * by * ratio)) if side else 0 for side, by in factors))


def resize(
    size: Size, request: ResizeRequest, fit: str, cover_mode: str, limit: Size, *, upscale: bool
) -> tuple[Size, Size]:
    """Scale ``size`` by ``request``; return it and the size of the part that is kept.

    ``fit`` and ``cover_mode`` are those of a Plan. Unless ``upscale``, only the minimum size enlarges. The part is as
    large as the box, or smaller; a cover without a mode keeps the box's shape. No side of the part is longer than that
    of ``limit``, and no scaled side longer than :data:`MAX_SCALED_SIDE_PX` or the source's.
    """
    across, down = compute_factors(size, request.box, fit, cover_mode)
    across, down = across * request.scale[0], down * request.scale[1]
    if not upscale and (larger := max(across, down)) > 1:
        across, down = across / larger, down / larger
    for least, side, axis in ((request.min_size.width, size.width, 0), (request.min_size.height, size.height, 1)):
        short = least / (side * (across, down)[axis])
        if short > 1:
            across, down = across * short, down * short
    target = Size(0, 0) if cover_mode == "uncut" else request.target
    scaled = Size(max(1, round_half_up(size.width * across)), max(1, round_half_up(size.height * down)))
    kept = crop_to_target(scaled, target, keep_ratio=fit == "cover" and not cover_mode and not upscale)
    limits = zip((*kept, *scaled), (*limit, *(max(MAX_SCALED_SIDE_PX, side) for side in size)), strict=True)
    factor = min(1.0, *(limit / side for side, limit in limits))
    if factor < 1:
        scaled, kept = (Size(*(max(1, int(side * factor)) for side in one)) for one in (scaled, kept))
    return scaled, Size(min(kept.width, scaled.width), min(kept.height, scaled.height))


def compute_factors(size: Size, box: Size, fit: str, cover_mode: str) -> tuple[float, float]:
    """Return the factors by which ``box`` enlarges ``size`` on each axis."""
    if not (box.width or box.height):
        return 1.0, 1.0
    if not (box.width and box.height) and fit == "fill":
        return box.width / size.width or 1.0, box.height / size.height or 1.0
    if not (box.width and box.height):
        only = box.width / size.width or box.height / size.height
        return only, only
    across, down = box.width / size.width, box.height / size.height
    if fit == "fill":
        return across, down
    covers = fit == "cover" and not (cover_mode == "flex" and orientation_differs(size, box))
    factor = max(across, down) if covers else min(across, down)
    return factor, factor


def orientation_differs(size: Size, box: Size) -> bool:
    """Return whether one is portrait and the other landscape. A square is landscape, as in imgproxy."""
    return (size.width >= size.height) != (box.width >= box.height)


def swap_box(box: Size, size: Size) -> Size:
    """Swap the sides of ``box`` if only one of the two is landscape: thumbor's ``adaptive-fit-in``."""
    return box.transposed if (size.width - size.height) * (box.width - box.height) < 0 else box


def crop_to_target(scaled: Size, target: Size, *, keep_ratio: bool) -> Size:
    """Crop ``scaled`` to ``target``; with ``keep_ratio`` to the target's shape if the target is larger."""
    wanted = Size(target.width or scaled.width, target.height or scaled.height)
    if keep_ratio:
        return shrink_to_fit(wanted, scaled)
    return Size(min(wanted.width, scaled.width), min(wanted.height, scaled.height))


class ScaledSize(NamedTuple):
    """``scaled``: size after the resize. ``cropped``: the part that the box keeps. ``ratio``: the effective ratio."""

    scaled: Size
    cropped: Size
    ratio: float


class RatioRequest(NamedTuple):
    """A resize at a pixel ``ratio``. ``max_side`` is the longest side of the result with its margins (0: any).

    ``extension`` and ``padding`` are those before ``rot`` rotates the image, padding before it is multiplied.
    """

    resize: ResizeRequest
    ratio: float = 1.0
    max_side: int = 0
    extension: Extension | None = None
    padding: Padding = Padding()


def resize_at_ratio(size: Size, wanted: RatioRequest, fit: str, cover_mode: str, *, upscale: bool) -> ScaledSize:
    """Scale ``size``. ``fit`` and ``cover_mode`` are those of a Plan. Unless ``upscale``, nothing is enlarged.

    The minimum size is multiplied by the effective ratio, and may enlarge the image.
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
    """Multiply ``padding`` by ``ratio``, with halves rounded to even."""
    return Padding(*(round(side * ratio) for side in padding))


def _scale(size: Size, wanted: RatioRequest, factor: tuple[float, float], ratio: float, *, shaped: bool) -> ScaledSize:
    scaled = Size(max(1, round_half_up(size.width * factor[0])), max(1, round_half_up(size.height * factor[1])))
    return ScaledSize(scaled, crop_to_target(scaled, wanted.resize.target_at(ratio), keep_ratio=shaped), ratio)


def _limit_sides(sized: ScaledSize, size: Size) -> ScaledSize:
    """Shrink ``sized`` until no scaled side is over :data:`MAX_SCALED_SIDE_PX`, or the source's if that is longer."""
    largest = max(MAX_SCALED_SIDE_PX, *size) / max(sized.scaled)
    if largest >= 1:
        return sized
    scaled, kept = (Size(*(max(1, int(side * largest)) for side in one)) for one in sized[:2])
    return sized._replace(scaled=scaled, cropped=kept)


def _compute_canvas(sized: ScaledSize, wanted: RatioRequest) -> Size:
    """Return the size with extension and padding."""
    width, height = sized.cropped
    target = wanted.resize.target_at(sized.ratio)
    if wanted.extension is not None:
        around = target if wanted.extension.to == "box" else extend_to_ratio(sized.cropped, target)
        width, height = max(width, around.width), max(height, around.height)
    padding = multiply_padding(wanted.padding, sized.ratio)
    return Size(width + padding.left + padding.right, height + padding.top + padding.bottom)
