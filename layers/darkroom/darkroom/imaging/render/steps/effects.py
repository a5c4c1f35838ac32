"""Effects: what changes a pixel by its neighbours, and noise."""

from __future__ import annotations

from random import Random

import pyvips

from ....plan.model import Convolution
from ...colour.convert import PEAK_8_BIT, fill_invisible, get_white_level, join_alpha, split_alpha, to_eight_bits
from ..context import RenderContext

MIN_SIGMA_PX = 0.2
"""Below this a Gaussian has one weight that is not zero."""


MIN_KERNEL_WEIGHT = 0.02
"""The weight at which the kernel ends, relative to its middle. libvips' own 0.2 leaves nearly a box, which shows as
blocks."""


def blur(frame: pyvips.Image, sigma_px: float) -> pyvips.Image:
    """Apply a Gaussian blur with a sigma of ``sigma_px``, to alpha too: blurred colours need a blurred outline.

    Colours are weighted by their alpha, so that what is invisible does not bleed into what is visible.
    """
    if sigma_px < MIN_SIGMA_PX:
        return frame
    if not frame.hasalpha():
        return frame.gaussblur(sigma_px, min_ampl=MIN_KERNEL_WEIGHT)
    smooth = frame.premultiply().gaussblur(sigma_px, min_ampl=MIN_KERNEL_WEIGHT).unpremultiply()
    return smooth.rint().cast(frame.format).copy(interpretation=frame.interpretation)


def sharpen(frame: pyvips.Image, sigma_px: float) -> pyvips.Image:
    """Apply unsharp masking to CIE lightness with a sigma of ``sigma_px``, not to flat areas and their noise.

    Alpha stays, and outlines are no edges: neither the colours below transparency nor the step to it are sharpened.
    """
    return join_alpha(fill_invisible(frame, 2 * sigma_px).sharpen(sigma=sigma_px), split_alpha(frame)[1])


DENOISE_RADIUS_PX = 2
LEVELS_PER_STRENGTH = 3.0
"""Strength n treats differences of up to about 3 n of 255 levels as noise: 10 reaches that of a dark ISO 6400 shot."""


def denoise(frame: pyvips.Image, strength: int) -> pyvips.Image:
    """Smooth by ``strength`` (1–10) with a guided filter, which flattens small differences and follows large ones.

    Guided image filtering (He, Sun, Tang 2013) with the image as its own guide: in each window the image is
    approximated by ``a × image + b``; ``a`` is near 0 where the variance is below (3 × strength)², near 1 at edges.
    """
    alpha = split_alpha(frame)[1]
    noise = (LEVELS_PER_STRENGTH * strength * get_white_level(frame) / PEAK_8_BIT) ** 2
    guide = fill_invisible(frame, 2 * DENOISE_RADIUS_PX).cast("float")
    mean = _box_mean(guide)
    variance = _box_mean(guide * guide) - mean * mean
    slope = variance / (variance + noise)
    smooth = _box_mean(slope) * guide + _box_mean(mean - slope * mean)
    return join_alpha(smooth.rint().cast(frame.format).copy(interpretation=frame.interpretation), alpha)


def _box_mean(image: pyvips.Image) -> pyvips.Image:
    """Return the mean of each pixel's window."""
    side = 2 * DENOISE_RADIUS_PX + 1
    return image.convsep(pyvips.Image.new_from_array([[1] * side], scale=side))


def apply_median(frame: pyvips.Image, side_px: int) -> pyvips.Image:
    """Make each value, of alpha too, the median of a square of ``side_px`` around it: removes dust, keeps edges.

    On 8 bits, of which libvips keeps a histogram: with 16 it sorts, and 21 px take 3 s a megapixel.
    """
    side = min(side_px, frame.width, frame.height)
    if side < 2:
        return frame
    frame = to_eight_bits(frame)
    alpha = split_alpha(frame)[1]
    bands = fill_invisible(frame, side) if alpha is None else fill_invisible(frame, side).bandjoin(alpha)
    return bands.median(side).copy(interpretation=frame.interpretation)


def convolve(frame: pyvips.Image, kernel: Convolution) -> pyvips.Image:
    """Make each value the weighted sum of its neighbours, clipped; edges are continued.

    Colours are weighted by their alpha, and alpha is convolved as well, as in sharp, by the weights over their sum.
    With a kernel without a positive sum, which finds edges, alpha stays: nothing would be visible otherwise.
    """
    total = sum(kernel.weights)
    rows = [list(kernel.weights[at : at + kernel.columns]) for at in range(0, len(kernel.weights), kernel.columns)]
    alpha = split_alpha(frame)[1]
    if alpha is None or total <= 0:
        mask = pyvips.Image.new_from_array(rows, scale=total if kernel.normal and total else 1.0)
        made = join_alpha(fill_invisible(frame, len(rows)).conv(mask, precision="float"), alpha)
    else:
        mask = pyvips.Image.new_from_array(rows, scale=total)
        colour, alpha = split_alpha(frame.premultiply().conv(mask, precision="float").unpremultiply())
        made = join_alpha(colour if kernel.normal else colour * total, alpha)
    return made.rint().cast(frame.format).copy(interpretation=frame.interpretation)


def pixelate(frame: pyvips.Image, side: int) -> pyvips.Image:
    """Give squares of ``side`` px their mean colour, from the upper left corner on, as imgproxy does.

    Squares that reach beyond the image continue its edge. Colours are weighted by their alpha.
    """
    if side < 2:
        return frame
    across, down = -(-frame.width // side), -(-frame.height // side)
    weighted = frame.premultiply() if frame.hasalpha() else frame
    mean = weighted.embed(0, 0, across * side, down * side, extend="copy").cast("float").shrink(side, side)
    mean = mean.unpremultiply() if frame.hasalpha() else mean
    squares = mean.rint().cast(frame.format).copy_memory().zoom(side, side).crop(0, 0, frame.width, frame.height)
    return squares.copy(interpretation=frame.interpretation)


NOISE_TILE_PX = 512
"""The noise repeats after this many pixels, which is not visible."""

NOISE_SEED = 1
"""Constant, so that repeated renders are equal."""


def add_noise(context: RenderContext) -> None:
    """Add to all channels of a pixel one random number, uniform over ``noise`` levels of 255 around 0, clipped.

    The levels are thumbor's (``_noise.c``): half of them, rounded down, are below 0. Alpha stays.
    """
    amount = context.plan.noise
    numbers = Random(NOISE_SEED).randbytes(NOISE_TILE_PX**2)  # noqa: S311
    tile = pyvips.Image.new_from_memory(numbers, NOISE_TILE_PX, NOISE_TILE_PX, 1, "uchar")
    levels = ((tile * (amount / 256)).floor() - amount // 2).copy_memory()
    context.map_frames(lambda frame: _add_noise_to(frame, levels))


def _add_noise_to(frame: pyvips.Image, levels: pyvips.Image) -> pyvips.Image:
    colour, alpha = split_alpha(frame)
    across, down = -(-frame.width // NOISE_TILE_PX), -(-frame.height // NOISE_TILE_PX)
    grain = levels.replicate(across, down).crop(0, 0, frame.width, frame.height) * (get_white_level(frame) / PEAK_8_BIT)
    return join_alpha((colour + grain).rint().cast(frame.format).copy(interpretation=frame.interpretation), alpha)
