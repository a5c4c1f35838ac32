"""Compare the thumbnail in the EXIF block with the image.

Cameras write both at once. Editors that change the image and keep the block leave a thumbnail of what was before (E.
Kee and H. Farid, "Digital image authentication from thumbnails", 2010).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .differences import Differences, Image, compare, correlate
from .pixels import decode_reduced, decode_thumbnail, read_size

MAX_SHIFT_PX = 2
"""Of the thumbnail against the image, whose border a camera may cut."""

MIN_SIDE_PX = 48
BAR_LEVEL = 32.0
"""Mean level below which the rows or columns beside the content count as bars: cameras fit 3:2 into 160 × 120 px so."""

ASPECT_TOLERANCE = 0.03


@dataclass(frozen=True, slots=True)
class ThumbnailComparison:
    """``width`` and ``height`` are those of the thumbnail without bars. ``is_cropped``: its shape is not the image's.

    ``correlation`` is that of both. Boxes are in px of the image as it is stored, before any rotation.
    """

    width: int
    height: int
    is_cropped: bool
    correlation: float
    differences: Differences
    boxes: tuple[tuple[int, int, int, int], ...]
    thumbnail: Image
    image: Image


def compare_thumbnail(data: bytes, thumbnail: bytes) -> ThumbnailComparison:
    """Compare ``thumbnail``, a JPEG, with the image in ``data``. Raises ValueError, OSError."""
    size = read_size(data)
    whole = decode_thumbnail(thumbnail)
    content, is_cropped = _cut_bars(whole, size)
    height, width = content.shape[:2]
    if min(height, width) < MIN_SIDE_PX:
        raise ValueError(f"the thumbnail is smaller than {MIN_SIDE_PX} px")
    image = decode_reduced(data, width, height)
    down, across = _find_shift(content, image)
    image, content = _overlap(image, content, down, across)
    found = compare(content, image)
    scale = size[0] / width * 8, size[1] / height * 8
    left, top = max(across, 0) * scale[0] / 8, max(down, 0) * scale[1] / 8
    boxes = tuple(
        (round(left + x * scale[0]), round(top + y * scale[1]), round(w * scale[0]), round(h * scale[1]))
        for x, y, w, h in found.boxes
    )
    return ThumbnailComparison(
        width, height, is_cropped, correlate(content, image), found, boxes, thumbnail=content, image=image
    )


def _cut_bars(whole: Image, size: tuple[int, int]) -> tuple[Image, bool]:
    """Return the content between dark bars, and whether its shape is another one than that of an image of ``size``."""
    height, width = whole.shape[:2]
    shape = size[0] / size[1]
    if abs(width / height / shape - 1) <= ASPECT_TOLERANCE:
        return whole, False
    rows, columns = round(min(height, width / shape)), round(min(width, height * shape))
    top, left = (height - rows) // 2, (width - columns) // 2
    outside = np.ones((height, width), dtype=bool)
    outside[max(top - 1, 0) : top + rows + 1, max(left - 1, 0) : left + columns + 1] = False
    if outside.any() and float(whole[outside].mean()) < BAR_LEVEL:
        inner = whole[top + 1 : top + rows - 1] if rows < height else whole[:, left + 1 : left + columns - 1]
        return inner, False
    return whole, True


def _find_shift(content: Image, image: Image) -> tuple[int, int]:
    """Return by how many rows and columns ``image`` is to be moved onto ``content``."""
    shifts = range(-MAX_SHIFT_PX, MAX_SHIFT_PX + 1)
    places = sorted(((down, across) for down in shifts for across in shifts), key=lambda one: abs(one[0]) + abs(one[1]))
    return max(places, key=lambda place: correlate(*_overlap(image, content, *place)))


def _overlap(image: Image, content: Image, down: int, across: int) -> tuple[Image, Image]:
    """Return the parts of both that show the same if ``image`` is moved by ``down`` and ``across``."""
    rows = image.shape[0] - abs(down), image.shape[1] - abs(across)
    a, b = (max(-down, 0), max(-across, 0)), (max(down, 0), max(across, 0))
    return (
        image[a[0] : a[0] + rows[0], a[1] : a[1] + rows[1]],
        content[b[0] : b[0] + rows[0], b[1] : b[1] + rows[1]],
    )
