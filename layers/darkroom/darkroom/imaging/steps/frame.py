"""Put a frame around the picture."""

from __future__ import annotations

from functools import partial

import pyvips

from ...errors import DarkroomError
from ...plan.geometry.layout import Box, Size
from ...plan.geometry.nine_patch import measure_content_margins, stretch_segments
from ..colour.convert import ensure_rgb, to_eight_bits
from ..work import Work
from .watermark import prepared

MIN_SIDE_PX = 3
"""Of the file: a pixel between its marks."""

MAX_SIDE_PX = 2048
"""Of the file. A frame is stretched: a larger one is a picture by mistake, and its margins would know no bounds."""

WHITE = 255
OPAQUE_BLACK = (0, 0, 0, 255)


def put_frame(work: Work) -> None:
    """Lay the plan's watermark over the picture as a nine-patch: its corners keep their size, its sides are stretched.

    Where it has room for content, the picture grows by white margins first. Raises DarkroomError (our fault, not the
    viewer's) where the configured file is no picture, or none of a frame's size.
    """
    wanted = work.plan.watermark
    if wanted is None or work.watermark is None:
        raise DarkroomError(detail=f"no bytes for the frame {wanted!r}")
    patch, _ = prepared(work.watermark, wanted, lambda own: Box(0, 0, *own))
    if not all(MIN_SIDE_PX <= side <= MAX_SIDE_PX for side in (patch.width, patch.height)):
        sides = f"{patch.width} × {patch.height} px, not of {MIN_SIDE_PX} to {MAX_SIDE_PX}"
        raise DarkroomError(detail=f"the frame {wanted.name!r} is of {sides}")
    left, right = measure_content_margins(_marks(patch, 1, patch.height - 1, patch.width - 2, 1))
    top, bottom = measure_content_margins(_marks(patch, patch.width - 1, 1, 1, patch.height - 2))
    picture = work.frames[0]
    size = Size(picture.width + left + right, picture.height + top + bottom)
    frame = _stretched(patch, size)
    work.each(partial(_framed, frame=frame, at=(left, top)))


def _marks(patch: pyvips.Image, left: int, top: int, width: int, height: int) -> list[bool]:
    """Which pixels of a line or a column are opaque black."""
    pixels = patch.crop(left, top, width, height).write_to_memory()
    return [tuple(pixels[start : start + 4]) == OPAQUE_BLACK for start in range(0, len(pixels), 4)]


def _stretched(patch: pyvips.Image, size: Size) -> pyvips.Image:
    """The frame of ``size``, premultiplied, in memory."""
    inner = patch.crop(1, 1, patch.width - 2, patch.height - 2).premultiply()
    canvas = (pyvips.Image.black(*size, bands=4) + 0.0).copy(interpretation=patch.interpretation)
    columns = stretch_segments(_marks(patch, 1, 0, inner.width, 1), size.width)
    for row in stretch_segments(_marks(patch, 0, 1, 1, inner.height), size.height):
        for column in columns:
            cell = inner.crop(column.start, row.start, column.length, row.length)
            across, down = column.target_length / column.length, row.target_length / row.length
            canvas = canvas.insert(cell.resize(across, vscale=down, kernel="linear"), column.target, row.target)
    return canvas.copy_memory()


def _framed(picture: pyvips.Image, frame: pyvips.Image, at: tuple[int, int]) -> pyvips.Image:
    picture = to_eight_bits(ensure_rgb(picture))
    if (picture.width, picture.height) != (frame.width, frame.height):
        picture = picture.embed(*at, frame.width, frame.height, extend="background", background=[WHITE] * picture.bands)
    under = (picture if picture.hasalpha() else picture.addalpha()).premultiply()
    over = under.composite2(frame, "over", premultiplied=True).unpremultiply().rint().cast("uchar")
    over = over.copy(interpretation="srgb")
    return over if picture.hasalpha() else over.extract_band(0, n=3)
