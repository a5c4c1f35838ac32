"""Steps of every render: pixel formats, crop, resize, orientation, rotation and margins."""

from __future__ import annotations

from math import cos, radians, sin

import pyvips

from ....plan.geometry.layout import Box, Size
from ....plan.model import GRAVITY_TASKS, Plan
from ...colour.convert import (
    PEAK_8_BIT,
    apply_orientation,
    cicp_to_srgb,
    ensure_rgb,
    get_white_level,
    is_cmyk,
    needs_conversion,
    resize_to,
    scale_hex_colour,
    split_alpha,
    to_eight_bits,
    to_srgb,
)
from ..context import IN_MEMORY_PIXELS, RenderContext


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
    native = plan.rotate or plan.equalise or plan.blur or plan.denoise or plan.sharpen or plan.cutout
    filters = plan.angle or plan.median or plan.normalise or plan.convolution or plan.pixelate
    return bool(native or filters or plan.background_fill or plan.max_bytes or plan.overlays)


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
    context.map_frames(lambda frame: resize_to(frame, size, gap=context.gap))


def crop_to_cover(context: RenderContext) -> None:
    """Crop to the window of ``fit=cover``, chosen by gravity: by findings, or by the pixels of the first frame.

    Without known faces, text or objects the most striking part is kept. A scaled image too large for memory (only
    extreme ``up=1`` makes one) keeps its middle.
    """
    if context.geometry.search in GRAVITY_TASKS:
        from ....plan.geometry.detected import list_followed_regions  # few images are cropped to findings
        from ....plan.geometry.faces import move_window_to_regions

        gravity = context.plan.gravity
        regions = list_followed_regions(gravity, context.findings)
        context.geometry = move_window_to_regions(context.geometry, regions, gravity.name)
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


def add_margins(context: RenderContext) -> None:
    """Put the image into its letterbox or extension, with padding around.

    The margins have ``margin_colour``, independent of transparency within the image, as sharp's ``extend`` and
    ``contain`` do. Without one they are transparent, until ``background`` fills all transparency.
    """
    padding, inner = context.geometry.padding, context.geometry.size
    width, height = inner.width + padding.left + padding.right, inner.height + padding.top + padding.bottom
    if (width, height) == (context.frames[0].width, context.frames[0].height):
        return
    left, top = find_inner_offset(context)
    context.map_frames(lambda frame: _embed(frame, left, top, width, height, context.plan.margin_colour))


def find_inner_offset(context: RenderContext) -> tuple[int, int]:
    """Return where the image begins within its margins."""
    padding, inner, own = context.geometry.padding, context.geometry.size, context.geometry.image_size
    left, top = context.geometry.canvas_position or ((inner.width - own.width) // 2, (inner.height - own.height) // 2)
    return padding.left + left, padding.top + top


def _embed(frame: pyvips.Image, left: int, top: int, width: int, height: int, colour: str) -> pyvips.Image:
    shown = ensure_rgb(frame) if colour else frame
    if not shown.hasalpha() and len(colour) != 6:
        shown = shown.addalpha()
    background = scale_hex_colour(colour, get_white_level(shown), shown.bands) if colour else [0] * shown.bands
    return shown.embed(left, top, width, height, extend="background", background=background)
