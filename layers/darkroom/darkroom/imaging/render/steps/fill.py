"""Fills behind transparency."""

from __future__ import annotations

import pyvips

from ....plan.geometry.layout import Size
from ...colour.convert import ensure_rgb, get_white_level, resize_to, scale_hex_colour, split_alpha
from ..context import RenderContext
from .common import find_inner_offset

WHITE = "ffffff"


def fill_background(context: RenderContext) -> None:
    """Fill transparency with ``bg``, and with white where the output format has no alpha."""
    colour = context.plan.background
    if len(colour) == 8:
        context.map_frames(lambda frame: _flatten_translucent(frame, colour))
    elif colour:
        context.map_frames(lambda frame: _flatten(frame, colour))
    if not context.target.alpha and context.frames[0].hasalpha():
        context.map_frames(lambda frame: _flatten(frame, WHITE))


def _flatten(frame: pyvips.Image, colour: str) -> pyvips.Image:
    if colour == WHITE:
        return frame.flatten(background=[get_white_level(frame)] * (frame.bands - 1))
    return ensure_rgb(frame).flatten(background=scale_hex_colour(colour, get_white_level(frame), 3))


def _flatten_translucent(frame: pyvips.Image, colour: str) -> pyvips.Image:
    """Composite ``frame`` over a translucent colour."""
    rich = ensure_rgb(frame)
    numbers = scale_hex_colour(colour, get_white_level(rich), 4)
    layer = (rich.extract_band(0, n=1) * 0 + numbers).cast(rich.format).copy(interpretation=rich.interpretation)
    return layer.composite2(rich, "over").rint().cast(rich.format).copy(interpretation=rich.interpretation)


FILL_SIGMA_PX = 50
"""Of the blur, in the finished image: thumbor's ``fill(blur)``."""

FILL_ALL_SUFFIX = "all"

BLUR_REDUCTION = 8
"""The reduction before the blur: so wide a blur has no finer detail."""


def fill_from_image(context: RenderContext) -> None:
    """Fill margins by the image itself, covering and blurred, or by its mean colour.

    Values that end in ``all`` fill transparency within the image too. Each frame has its own blurred image; the colour
    is that of the first frame.
    """
    left, top = find_inner_offset(context)
    width, height = context.geometry.image_size
    fill_all = context.plan.background_fill.endswith(FILL_ALL_SUFFIX)
    has_margins = (width, height) != (context.frames[0].width, context.frames[0].height)
    if not context.frames[0].hasalpha() or not (fill_all or has_margins):
        return
    first = ensure_rgb(context.frames[0].crop(left, top, width, height))
    colour = _mean_colour(first)
    plain = context.plan.background_fill.removesuffix(FILL_ALL_SUFFIX) == "auto"

    def over(frame: pyvips.Image) -> pyvips.Image:
        rich = ensure_rgb(frame)
        flat = _solid_layer(rich, colour)
        behind = (
            flat
            if plain
            else _blur_to_cover(
                _composite_over(flat.crop(left, top, width, height), rich.crop(left, top, width, height)),
                Size(rich.width, rich.height),
            )
        )
        filled = _composite_over(behind, rich)
        own = rich.crop(left, top, width, height)
        if fill_all or own[-1].min() == get_white_level(own):
            return filled
        return filled.addalpha().insert(own, left, top).copy(interpretation=rich.interpretation)

    context.map_frames(over)


def _mean_colour(image: pyvips.Image) -> list[float]:
    """Return the mean colour of visible pixels, white where there are none."""
    colour, alpha = split_alpha(image)
    if alpha is None:
        return [colour[band].avg() for band in range(3)]
    seen = alpha.avg()
    white = float(get_white_level(image))
    return [(colour[band] * alpha).avg() / seen for band in range(3)] if seen else [white] * 3


def _solid_layer(frame: pyvips.Image, colour: list[float]) -> pyvips.Image:
    return (frame.extract_band(0, n=3) * 0 + colour).rint().cast(frame.format).copy(interpretation=frame.interpretation)


def _composite_over(layer: pyvips.Image, image: pyvips.Image) -> pyvips.Image:
    """Composite ``image`` over an opaque ``layer``; the result is opaque."""
    both = layer.composite2(image, "over").rint().cast(image.format).extract_band(0, n=3)
    return both.copy(interpretation=image.interpretation)


def _blur_to_cover(image: pyvips.Image, size: Size) -> pyvips.Image:
    """Return the middle of ``image``, covering ``size``, blurred."""
    small = Size(*(max(1, -(-side // BLUR_REDUCTION)) for side in size))
    factor = max(small.width / image.width, small.height / image.height)
    cover = Size(max(small.width, round(image.width * factor)), max(small.height, round(image.height * factor)))
    coarse = resize_to(image, cover).crop((cover.width - small.width) // 2, (cover.height - small.height) // 2, *small)
    return resize_to(coarse.copy_memory().gaussblur(FILL_SIGMA_PX / BLUR_REDUCTION, min_ampl=0.02).copy_memory(), size)
