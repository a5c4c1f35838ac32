"""Draw overlays over an image."""

from __future__ import annotations

from functools import partial

import pyvips

from ..errors import BadOption, DarkroomError
from ..imaging.render.context import RenderContext
from ..imaging.render.steps.overlay import composite_mark, load_watermark, tile_mark
from ..plan.geometry.layout import FREE_SPACE_SHARES, Box, Size
from ..plan.geometry.resize import contain
from ..plan.model import Watermark
from .language import BLEND_MODES, TEXT, Measure, Overlay, get_file, parse_overlays
from .text import render_text

MARGIN = 0.02
"""The usual distance from the image's edge, relative to its shorter side."""

USUAL_WIDTH = Measure(25)
"""Of an image."""


def draw_overlays(context: RenderContext) -> None:
    """Draw the overlays of the plan over the finished image, in their order.

    Raises BadOption for an image that is missing or cannot be decoded.
    """
    image = Size(context.frames[0].width, context.frames[0].height)
    for overlay in parse_overlays(context.plan.overlays):
        ratio = context.geometry.ratio
        mark = render_text(overlay, image, ratio) if overlay.kind == TEXT else _load(context, overlay, image)
        if overlay.rotate:
            mark = _rotate(mark, overlay.rotate)
        x, y = _resolve_offsets(overlay, image, ratio)
        if overlay.tile:
            mark, box = tile_mark(mark, image, (x, y)), Box(0, 0, *image)
        else:
            mark, box = _clip(mark, overlay.at, (x, y), image)
        mark = mark.copy_memory()
        context.map_frames(partial(composite_mark, mark=mark, box=box, mode=BLEND_MODES[overlay.blend]))


def _load(context: RenderContext, overlay: Overlay, image: Size) -> pyvips.Image:
    name, ratio = get_file(overlay), context.geometry.ratio
    if (data := context.overlays.get(name)) is None:
        raise BadOption(f"ov: there is no image '{overlay.content}'", option="ov", detail=f"object {name}")

    def place(own: Size) -> Box:
        return Box(0, 0, *(own if overlay.own else _choose_size(own, overlay, image, ratio)))

    try:
        return load_watermark(data, Watermark(name, opacity=overlay.opacity), place)[0]
    except DarkroomError as error:
        raise BadOption(f"ov: '{overlay.content}' is not a usable image", option="ov", detail=error.detail) from error


def _choose_size(own: Size, overlay: Overlay, image: Size, ratio: float) -> Size:
    """Return the size within the overlay's box and the image."""
    width = overlay.width or (None if overlay.height else USUAL_WIDTH)
    sides = (
        width and width.resolve(image.width, ratio),
        overlay.height and overlay.height.resolve(image.height, ratio),
    )
    limit = Size(*(max(1, min(most, round(side or most))) for side, most in zip(sides, image, strict=True)))
    return contain(own, limit, upscale=True)


def _rotate(mark: pyvips.Image, degrees: int) -> pyvips.Image:
    if degrees % 90 == 0:
        return mark.rot(f"d{degrees}")
    turned = mark.premultiply().similarity(angle=degrees, interpolate=pyvips.Interpolate.new("bicubic")).unpremultiply()
    return turned.rint().cast("uchar").copy(interpretation="srgb")


def _resolve_offsets(overlay: Overlay, image: Size, ratio: float) -> tuple[int, int]:
    shares, margin = FREE_SPACE_SHARES[overlay.at], round(min(image) * MARGIN)
    usual = (margin if share != 0.5 else 0 for share in shares)
    given = zip((overlay.x, overlay.y), image, usual, strict=True)
    x, y = (default if measure is None else round(measure.resolve(side, ratio)) for measure, side, default in given)
    return x, y


def _clip(mark: pyvips.Image, at: str, offsets: tuple[int, int], image: Size) -> tuple[pyvips.Image, Box]:
    """Return the part of ``mark`` that is inside the image, and its place. At least one pixel is."""
    starts = []
    for side, own, share, offset in zip(image, (mark.width, mark.height), FREE_SPACE_SHARES[at], offsets, strict=True):
        start = round((side - own) * share) + (-offset if share == 1 else offset)
        starts.append(max(1 - own, min(start, side - 1)))
    left, top = (max(0, start) for start in starts)
    width = min(image.width, starts[0] + mark.width) - left
    height = min(image.height, starts[1] + mark.height) - top
    return mark.crop(left - starts[0], top - starts[1], width, height), Box(left, top, width, height)
