"""Watermarks and nine-patch frames."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import pyvips

from ....errors import DarkroomError
from ....plan.geometry.layout import FREE_SPACE_SHARES, Box, Geometry, Size
from ....plan.geometry.nine_patch import measure_content_margins, stretch_segments
from ....plan.geometry.placement import EvenCentring, place_inwards, resolve_length, scale_offset
from ....plan.geometry.resize import contain
from ....plan.geometry.watermark_tiles import compute_tile_positions
from ....plan.limits import Limits
from ....plan.model import Watermark, WatermarkLayout
from ...colour.convert import apply_orientation, ensure_rgb, resize_to, to_eight_bits, to_srgb
from ...formats.load import get_loaded_size, load
from ...formats.probe import probe
from ...source import Source
from ..context import RenderContext

WATERMARK_MARGIN = 0.02
"""Distance from the image's edge, relative to its shorter side."""

WATERMARK_LIMITS = Limits(max_bytes=10 * 1024 * 1024, max_pixels=50_000_000, max_frames=500)


def add_watermark(context: RenderContext) -> None:
    """Composite the watermark: ``scale`` percent of the image's width wide, with its own aspect ratio.

    It is made smaller where it would not fit into the image's height, so that any shape works on any image. A plan's
    ``watermark_layout`` overrides place and size. A nine-patch is :func:`overlay_nine_patch`'s. Raises DarkroomError,
    not a client error, where the configured watermark cannot be decoded.
    """
    if not (context.plan.nine_patch or context.plan.watermark_last):
        add_watermark_last(context)


def composite_watermark(
    context: RenderContext, data: bytes | None, wanted: Watermark | None, where: WatermarkLayout | None, axes: str
) -> None:
    """Composite the watermark ``wanted``, whose file is ``data``, at ``where``, repeated along ``axes``."""
    assert wanted is not None
    if data is None:
        raise DarkroomError(detail=f"no bytes for the watermark {wanted.name!r}")
    image = Size(context.frames[0].width, context.frames[0].height)
    if where is None:
        place = partial(_place_scaled, wanted=wanted, image=image)
    else:
        where = scale_offsets(where, context.geometry.ratio)
        even = EvenCentring() if context.plan.even_centre else None
        place = partial(place_watermark, position=wanted.position, layout=where, image=image, even=even)
    mark, box = load_watermark(data, wanted, place)
    if axes:
        mark, box = repeat_watermark(mark, box, axes, image)
    elif where is not None:
        mark, box = clip_watermark(mark, box, where, image)
    context.map_frames(lambda frame: composite_mark(frame, mark, box))


def load_watermark(data: bytes, wanted: Watermark, place: Callable[[Size], Box]) -> tuple[pyvips.Image, Box]:
    """Return the watermark as 8-bit sRGB with alpha in memory, and its place in the image, by its own size."""
    source = Source.from_bytes(data)
    try:
        header = probe(source, WATERMARK_LIMITS, animated=False)
        stored, orientation = get_loaded_size(header)
        own = stored.transposed if orientation >= 5 else stored
        box = place(own)
        whole = Geometry(stored, orientation, Box(0, 0, *own), box.size)
        frame = load(source, header, whole, WATERMARK_LIMITS).frames[0]
        mark = apply_orientation(resize_to(frame, whole.stored_scaled).copy_memory(), orientation)
        mark = to_eight_bits(ensure_rgb(to_srgb(mark)))
        if not mark.hasalpha():
            mark = mark.addalpha()
        return (mark * [1, 1, 1, wanted.opacity / 100]).cast("uchar").copy(interpretation="srgb").copy_memory(), box
    except DarkroomError as error:
        raise DarkroomError(detail=f"the watermark {wanted.name!r} cannot be used: {error!r} {error.detail}") from error


def _place_scaled(own: Size, wanted: Watermark, image: Size) -> Box:
    margin = round(min(image) * WATERMARK_MARGIN)
    room = Size(image.width - 2 * margin, image.height - 2 * margin)
    factor = min(image.width * wanted.scale / 100 / own.width, room.width / own.width, room.height / own.height)
    size = Size(*(max(1, round(side * factor)) for side in own))
    x, y = FREE_SPACE_SHARES[wanted.position]
    left = margin + round((room.width - size.width) * x)
    top = margin + round((room.height - size.height) * y)
    return Box(left, top, *size)


def composite_mark(frame: pyvips.Image, mark: pyvips.Image, box: Box, mode: str = "over") -> pyvips.Image:
    """Composite ``mark`` over ``frame`` at ``box``, by a blend mode of libvips."""
    frame = to_eight_bits(ensure_rgb(frame))
    under = frame.crop(*box)
    over = under.composite2(mark, mode).rint().cast("uchar")
    return frame.insert(over if frame.hasalpha() else over.extract_band(0, n=3), box.left, box.top)


def scale_offsets(layout: WatermarkLayout, ratio: float) -> WatermarkLayout:
    """Multiply the offsets in px of ``layout`` by ``ratio``."""
    return layout._replace(dx=scale_offset(layout.dx, ratio), dy=scale_offset(layout.dy, ratio))


def place_watermark(
    own: Size, position: str, layout: WatermarkLayout, image: Size, even: EvenCentring | None = None
) -> Box:
    """Return the place of a mark of ``own`` size at ``position``, a compass word. A part of it is inside the image.

    The arithmetic is imgproxy's (``processing/watermark.go``, ``calc_position.go``).
    """
    size = _mark_size(own, layout, image)
    share = FREE_SPACE_SHARES[position]
    left = _offset_on_axis(image.width, size.width, share[0], layout.dx, 0, even)
    top = _offset_on_axis(image.height, size.height, share[1], layout.dy, 1, even)
    return Box(max(1 - size.width, min(left, image.width - 1)), max(1 - size.height, min(top, image.height - 1)), *size)


def _offset_on_axis(side: int, kept: int, share: float, offset: float, axis: int, even: EvenCentring | None) -> int:
    if even is not None and share == 0.5:
        return even.middle(side - kept, axis) + resolve_length(offset, side)
    return place_inwards(side, kept, share, offset)


def _mark_size(own: Size, layout: WatermarkLayout, image: Size) -> Size:
    if not (layout.width or layout.height):
        return own
    sides = (max(1, round(part * side)) for part, side in zip((layout.width, layout.height), image, strict=True))
    width, height = sides
    limit = Size(width if layout.width else max(image), height if layout.height else max(image))
    return contain(own, limit, upscale=True)


def clip_watermark(mark: pyvips.Image, box: Box, layout: WatermarkLayout, image: Size) -> tuple[pyvips.Image, Box]:
    """Return the visible part of ``mark`` at ``box``, and its place: tiles of it, if the layout is tiled."""
    if layout.tiled:
        gaps = [resolve_length(gap, side) for gap, side in zip((layout.dx, layout.dy), image, strict=True)]
        return tile_mark(mark, image, gaps), Box(0, 0, *image)
    left, top = max(0, box.left), max(0, box.top)
    width = min(image.width, box.left + box.width) - left
    height = min(image.height, box.top + box.height) - top
    seen = Box(left, top, width, height)
    return mark.crop(left - box.left, top - box.top, width, height), seen


def add_watermark_last(context: RenderContext) -> None:
    """Composite the watermark over the finished image, margins included."""
    plan = context.plan
    composite_watermark(context, context.watermark, plan.watermark, plan.watermark_layout, plan.watermark_repeat)


def add_second_watermark(context: RenderContext) -> None:
    """Composite the second watermark, as :func:`add_watermark` does the first."""
    plan = context.plan
    layout, axes = plan.second_watermark_layout, plan.second_watermark_repeat
    composite_watermark(context, context.second_watermark, plan.second_watermark, layout, axes)


def repeat_watermark(mark: pyvips.Image, box: Box, axes: str, image: Size) -> tuple[pyvips.Image, Box]:
    """Repeat ``mark`` along ``axes`` of the image, at ``box`` on the other one."""
    across, down = compute_tile_positions(image, box.size, axes)
    columns, rows = across or range(0, mark.width, mark.width), down or range(0, mark.height, mark.height)
    cell = mark.embed(0, 0, columns.step, rows.step).copy_memory()
    layer = pyvips.Image.black(*image, bands=mark.bands).copy(interpretation=mark.interpretation)
    marks = cell.replicate(len(columns), len(rows))
    layer = layer.insert(marks, 0 if across else box.left, 0 if down else box.top)
    return layer.copy_memory(), Box(0, 0, *image)


def tile_mark(mark: pyvips.Image, image: Size, gaps: Sequence[int]) -> pyvips.Image:
    """Fill the image with marks, one in its middle, with ``gaps`` px between them across and down, none if negative."""
    x, y = (max(0, gap) for gap in gaps)
    tile = mark.embed(x // 2, y // 2, mark.width + x, mark.height + y)
    across, down = (
        -(-side // own) | 1 for side, own in zip(image, (tile.width, tile.height), strict=True)
    )  # odd, so that one is in the middle
    tiles = tile.copy_memory().replicate(across, down)
    return tiles.crop((tiles.width - image.width) // 2, (tiles.height - image.height) // 2, *image)


MIN_PATCH_SIDE_PX = 3
"""Of the file: a pixel between its marks."""

MAX_PATCH_SIDE_PX = 2048
"""Of the file. A nine-patch is stretched: a larger one is an image by mistake, and its margins would have no bounds."""

WHITE = 255
OPAQUE_BLACK = (0, 0, 0, 255)


def overlay_nine_patch(context: RenderContext) -> None:
    """Composite the plan's watermark as a nine-patch: its corners keep their size, its sides are stretched.

    Where it has room for content, the image grows by white margins first. Raises DarkroomError, not a client error,
    where the configured file cannot be decoded, or has the size of no nine-patch.
    """
    wanted = context.plan.watermark
    if wanted is None or context.watermark is None:
        raise DarkroomError(detail=f"no bytes for the frame {wanted!r}")
    patch, _ = load_watermark(context.watermark, wanted, lambda own: Box(0, 0, *own))
    if not all(MIN_PATCH_SIDE_PX <= side <= MAX_PATCH_SIDE_PX for side in (patch.width, patch.height)):
        sides = f"{patch.width} × {patch.height} px, not of {MIN_PATCH_SIDE_PX} to {MAX_PATCH_SIDE_PX}"
        raise DarkroomError(detail=f"the frame {wanted.name!r} is of {sides}")
    left, right = measure_content_margins(_read_marks(patch, 1, patch.height - 1, patch.width - 2, 1))
    top, bottom = measure_content_margins(_read_marks(patch, patch.width - 1, 1, 1, patch.height - 2))
    image = context.frames[0]
    size = Size(image.width + left + right, image.height + top + bottom)
    frame = _stretch_patch(patch, size)
    context.map_frames(partial(_composite_patch, frame=frame, at=(left, top)))


def _read_marks(patch: pyvips.Image, left: int, top: int, width: int, height: int) -> list[bool]:
    """Return which pixels of a line or a column are opaque black."""
    pixels = patch.crop(left, top, width, height).write_to_memory()
    return [tuple(pixels[start : start + 4]) == OPAQUE_BLACK for start in range(0, len(pixels), 4)]


def _stretch_patch(patch: pyvips.Image, size: Size) -> pyvips.Image:
    """Return the nine-patch stretched to ``size``, premultiplied, in memory."""
    inner = patch.crop(1, 1, patch.width - 2, patch.height - 2).premultiply()
    canvas = (pyvips.Image.black(*size, bands=4) + 0.0).copy(interpretation=patch.interpretation)
    columns = stretch_segments(_read_marks(patch, 1, 0, inner.width, 1), size.width)
    for row in stretch_segments(_read_marks(patch, 0, 1, 1, inner.height), size.height):
        for column in columns:
            cell = inner.crop(column.start, row.start, column.length, row.length)
            across, down = column.target_length / column.length, row.target_length / row.length
            canvas = canvas.insert(cell.resize(across, vscale=down, kernel="linear"), column.target, row.target)
    return canvas.copy_memory()


def _composite_patch(image: pyvips.Image, frame: pyvips.Image, at: tuple[int, int]) -> pyvips.Image:
    image = to_eight_bits(ensure_rgb(image))
    if (image.width, image.height) != (frame.width, frame.height):
        image = image.embed(*at, frame.width, frame.height, extend="background", background=[WHITE] * image.bands)
    under = (image if image.hasalpha() else image.addalpha()).premultiply()
    over = under.composite2(frame, "over", premultiplied=True).unpremultiply().rint().cast("uchar")
    over = over.copy(interpretation="srgb")
    return over if image.hasalpha() else over.extract_band(0, n=3)
