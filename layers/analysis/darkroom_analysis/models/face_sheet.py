"""Look for faces once more where none were found: in one sheet of turned, stretched and reduced copies of the image.

CenterFace finds upright faces of some 10 to 300 px. It misses those that fill an image, lie on their side or are
distorted. A sheet costs as much as one image of the model's size.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import cos, radians, sin
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from darkroom.findings import Face, Region

from .pixels import Floats, Pixels, fit

TILE_PX, COLUMNS = 320, 4
GREY = 128


class Copy(NamedTuple):
    """A copy of the image: its longest side in px, turned by ``degrees`` with the clock, and stretched."""

    side_px: int
    degrees: int = 0
    across: float = 1.0
    down: float = 1.0


COPIES = (
    *(Copy(220, degrees) for degrees in range(0, 360, 45)),
    *(Copy(110, degrees) for degrees in (0, 90, 180, 270)),
    *(Copy(200, 0, across, down) for across, down in ((1.5, 1.0), (1.0, 1.5))),
    *(Copy(300, degrees) for degrees in (0, 180)),
)
"""One in each tile, row by row."""

MIN_SCORE = 0.5
"""Of a face in a sheet, above the threshold in an image: there are sixteen chances for an error."""

SAME = 0.3
"""IoU from which two faces are one."""


def make_sheet(image: Pixels) -> Pixels:
    """Return the sheet of ``image``: its copies on grey."""
    side_px = TILE_PX * COLUMNS
    sheet = np.full((side_px, side_px, 3), GREY, np.uint8)
    reduced = {size: fit(image, size) for size in {copy.side_px for copy in COPIES}}
    for number, copy in enumerate(COPIES):
        top, left = (TILE_PX * place for place in divmod(number, COLUMNS))
        sheet[top : top + TILE_PX, left : left + TILE_PX] = _sample(reduced[copy.side_px], _to_copy(copy))
    return sheet


def locate_faces(found: Sequence[Face], image: Pixels) -> tuple[Face, ...]:
    """Return where the faces of the sheet are in ``image``, best first, each once."""
    located: list[Face] = []
    for face in sorted(found, key=lambda one: -one.score):
        region = _locate(face.region, image) if face.score >= MIN_SCORE else None
        if region is not None and not any(_iou(region, known.region) > SAME for known in located):
            located.append(Face(region, face.score))
    return tuple(located)


def _to_copy(copy: Copy) -> Floats:
    """Return the matrix (2, 2) from offsets in a tile to offsets in the reduced image, both from their centres."""
    turn = radians(copy.degrees)
    turned = np.array([[cos(turn), sin(turn)], [-sin(turn), cos(turn)]])
    return np.asarray(np.diag([1 / copy.across, 1 / copy.down]) @ turned, np.float32)


def _sample(small: Pixels, matrix: Floats) -> Pixels:
    """Return a tile of ``small``, interpolated between four pixels, on grey."""
    places = np.arange(TILE_PX, dtype=np.float32) + 0.5 - TILE_PX / 2
    across, down = np.meshgrid(places, places)
    height, width = small.shape[:2]
    x, y = (one * across + other * down for one, other in matrix)
    x, y = x + width / 2 - 0.5, y + height / 2 - 0.5
    inside = (x > -0.5) & (x < width - 0.5) & (y > -0.5) & (y < height - 0.5)
    x, y = np.clip(x, 0, width - 1), np.clip(y, 0, height - 1)
    left, top = np.floor(x).astype(int), np.floor(y).astype(int)
    right, lower = np.minimum(left + 1, width - 1), np.minimum(top + 1, height - 1)
    along, below = (x - left)[:, :, np.newaxis], (y - top)[:, :, np.newaxis]
    upper_row = small[top, left] * (1 - along) + small[top, right] * along
    lower_row = small[lower, left] * (1 - along) + small[lower, right] * along
    tile: NDArray[np.float32] = upper_row * (1 - below) + lower_row * below
    return np.where(inside[:, :, np.newaxis], np.rint(tile), GREY).astype(np.uint8)


def _locate(region: Region, image: Pixels) -> Region | None:
    """Return the box of ``region``, in fractions of the sheet, in fractions of ``image``; None outside of it."""
    left, top, width, height = (part * COLUMNS for part in region)
    column, row = int(left + width / 2), int(top + height / 2)
    copy = COPIES[row * COLUMNS + column]
    small_height, small_width = fit(image, copy.side_px).shape[:2]
    corners = [(left + across - column - 0.5, top + down - row - 0.5) for across in (0, width) for down in (0, height)]
    offsets = np.array(corners) * TILE_PX @ _to_copy(copy).T
    across, down = np.clip(offsets / (small_width, small_height) + 0.5, 0.0, 1.0).T
    found = Region(float(across.min()), float(down.min()), float(np.ptp(across)), float(np.ptp(down)))
    return found if found.width > 0 and found.height > 0 else None


def _iou(one: Region, other: Region) -> float:
    across = min(one.left + one.width, other.left + other.width) - max(one.left, other.left)
    down = min(one.top + one.height, other.top + other.height) - max(one.top, other.top)
    shared = max(0.0, across) * max(0.0, down)
    return shared / (one.width * one.height + other.width * other.height - shared)
