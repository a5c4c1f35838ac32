"""Crop, resize, orient and rotate."""

from __future__ import annotations

from math import cos, radians, sin

import pyvips

from ....plan.geometry.layout import Box, Size
from ...colour.convert import ensure_rgb, get_white_level, scale_hex_colour, to_eight_bits, to_srgb
from ...resample import apply_orientation, resize_to
from ..context import IN_MEMORY_PIXELS, RenderContext


def crop(context: RenderContext) -> None:
    """Crop to ``crop``, in the coordinates of the stored image: orienting is cheaper after the resize."""
    box = context.geometry.stored_region
    if box.size == context.geometry.stored:
        return
    context.map_frames(lambda frame: frame.crop(*box))


def resize(context: RenderContext) -> None:
    """Scale to the geometry's size with Lanczos 3 (bicubic where it enlarges).

    Colours are weighted by their alpha, since the colour of invisible pixels would show at edges otherwise.
    """
    size = context.geometry.stored_scaled
    if size == (context.frames[0].width, context.frames[0].height):
        return
    context.map_frames(lambda frame: resize_to(frame, size))


def crop_to_cover(context: RenderContext) -> None:
    """Crop to the window of ``fit=cover``, chosen by gravity: by faces, or by the pixels of the first frame.

    Without known faces the most striking part is kept. A scaled image too large for memory (only extreme ``up=1`` makes
    one) keeps its middle.
    """
    if context.geometry.search == "face":
        from ....findings import get_face_regions
        from ....plan.geometry.faces import move_window_to_faces  # few images are cropped to faces

        context.geometry = move_window_to_faces(context.geometry, get_face_regions(context.findings))
    window = context.geometry.stored_window
    if window is None:
        return
    width, height = context.geometry.scaled
    if context.geometry.search and width * height * len(context.frames) <= IN_MEMORY_PIXELS * 4:
        context.copy_to_memory()
        seen = to_eight_bits(to_srgb(context.frames[0]))
        found = seen.smartcrop(*window.size, interesting=context.geometry.search)
        window = Box(-found.xoffset, -found.yoffset, *window.size)
        context.geometry = context.geometry.with_window(window)
    context.map_frames(lambda frame: frame.crop(*window))


def auto_orient(context: RenderContext) -> None:
    """Undo the EXIF orientation."""
    if context.geometry.orientation == 1:
        return
    context.map_frames(lambda frame: apply_orientation(frame, context.geometry.orientation))


def rotate_and_flip(context: RenderContext) -> None:
    """Rotate by ``rot`` degrees clockwise, then mirror left-right."""
    rotate, flop = context.geometry.rotate, context.geometry.flop
    if not rotate and not flop:
        return
    if rotate:
        context.map_frames(lambda frame: frame.rot(f"d{rotate}"))
    if flop:
        context.map_frames(lambda frame: frame.fliphor())


def rotate_free(context: RenderContext) -> None:
    """Rotate by ``angle`` degrees clockwise about the middle; the canvas grows to hold the whole image.

    Bicubic, with soft edges. The corners have ``margin_colour``, without one they become transparent. Colours are
    weighted by their alpha, as in a resize.
    """
    size = context.geometry.angled_size
    context.map_frames(lambda frame: _rotate_frame(frame, context.plan.angle, size, context.plan.margin_colour))


def _rotate_frame(frame: pyvips.Image, degrees: float, size: Size, colour: str) -> pyvips.Image:
    across, down = cos(radians(degrees)), sin(radians(degrees))
    shown = ensure_rgb(frame) if colour else frame
    solid = not shown.hasalpha() and len(colour) == 6
    weighted = (shown if shown.hasalpha() else shown.addalpha()).premultiply()
    turned = weighted.affine(
        [across, -down, down, across],
        interpolate=pyvips.Interpolate.new("bicubic"),
        oarea=[0, 0, *size],
        idx=-(frame.width - 1) / 2,
        idy=-(frame.height - 1) / 2,
        odx=(size.width - 1) / 2,
        ody=(size.height - 1) / 2,
        premultiplied=True,
        background=_premultiply_colour(colour, get_white_level(shown)) if colour else [0] * weighted.bands,
        extend="background",
    )
    turned = turned.unpremultiply().rint().cast(frame.format).copy(interpretation=shown.interpretation)
    return turned.extract_band(0, n=3) if solid else turned


def _premultiply_colour(colour: str, white: int) -> list[float]:
    *bands, alpha = scale_hex_colour(colour, white, 4)
    return [*(band * alpha / white for band in bands), alpha]
