"""Pixel formats: from CMYK and other colour spaces to sRGB, into memory, to 8 bits."""

from __future__ import annotations

import pyvips

from ....plan.model import Plan
from ...colour.cicp import cicp_to_srgb, needs_conversion
from ...colour.convert import PEAK_8_BIT, is_cmyk, split_alpha, to_eight_bits, to_srgb
from ..context import RenderContext


def convert_cmyk(context: RenderContext) -> None:
    """Convert CMYK to sRGB before the resize: averages of ink amounts are not averages of colours."""
    if not is_cmyk(context.frames[0]):
        return
    context.map_frames(to_srgb)


def convert_to_srgb(context: RenderContext) -> None:
    """Convert each frame to sRGB or grey, by its ICC profile or the code points of the header.

    Runs after the resize, on the fewest pixels.
    """
    cicp = context.cicp
    if cicp is not None and needs_conversion(cicp):
        context.map_frames(lambda frame: cicp_to_srgb(frame, cicp))
    context.map_frames(to_srgb)


def _needs_memory(plan: Plan) -> bool:
    """Return whether a step of ``plan`` reads pixels in another order than line by line, or more than once."""
    return any(
        (
            *(plan.rotate, plan.equalise, plan.blur, plan.denoise, plan.sharpen),
            *(
                plan.angle,
                plan.median,
                plan.normalise,
                plan.convolution,
                plan.pixelate,
                plan.background_fill,
                plan.max_bytes,
            ),
        )
    )


def materialise(context: RenderContext) -> None:
    """Copy the frames to memory. Larger stills go on streaming, unless a later step needs random access."""
    jumps = context.geometry.orientation > 2 or _needs_memory(context.plan)
    if context.is_streamed and not jumps:
        return
    context.copy_to_memory()


def finalise(context: RenderContext) -> None:
    """Round to 8 bits a band, copy the result to memory, and drop an alpha band that is opaque everywhere."""
    context.frames = [to_eight_bits(frame) for frame in context.frames]
    if context.is_streamed:
        return
    context.copy_to_memory()
    if context.frames[0].hasalpha() and all(_is_opaque(frame) for frame in context.frames):
        context.frames = [split_alpha(frame)[0] for frame in context.frames]


def _is_opaque(frame: pyvips.Image) -> bool:
    alpha = split_alpha(frame)[1]
    return alpha is not None and alpha.min() == PEAK_8_BIT
