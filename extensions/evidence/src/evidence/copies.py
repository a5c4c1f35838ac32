"""Compare an image with a near copy of it: how the copy lies on it, and where both differ.

Shifts are found by phase correlation (C. D. Kuglin and D. C. Hines, "The phase correlation image alignment method",
1975), scales by trying some.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image as PillowImage

from .differences import CELL_PX, Differences, Image, compare, correlate
from .pixels import Grey, decode_reduced, read_size, to_grey

SIDE_PX = 512
"""Longer side at which images are compared."""

_SEARCH_PX = 128
_SCALES = np.geomspace(0.4, 2.5, 47)
"""Of the copy against the image: 4 % apart, refined by tenths of that."""

MIN_OVERLAP = 0.15
"""Share of the image that the copy has to show."""

MIN_CORRELATION = 0.6
"""Correlation below which both are held to show different things."""


@dataclass(frozen=True, slots=True)
class CopyComparison:
    """``scale``, ``left`` and ``top`` place the copy on the image: a copy of the same framing has 1, 0 and 0.

    ``overlap`` is the share of the image that the copy shows. Boxes are in px of the image.
    """

    scale: float
    left: int
    top: int
    overlap: float
    correlation: float
    differences: Differences
    boxes: tuple[tuple[int, int, int, int], ...]
    first: Image
    second: Image


def compare_copy(data: bytes, copy: bytes) -> CopyComparison | None:
    """Compare the image in ``data`` with ``copy``; None where both do not lie on each other. Raises ValueError."""
    size = read_size(data, rotate=True)
    first = _decode(data, size)
    second = _decode(copy, read_size(copy, rotate=True))
    place = _register(first, second)
    if place is None:
        return None
    scale, down, across = place
    a, b = _overlap(first, _resize(second, scale), down, across)
    correlation = correlate(a, b)
    if correlation < MIN_CORRELATION:
        return None
    found = compare(a, b)
    unit = size[0] / first.shape[1]
    left, top = max(across, 0), max(down, 0)
    boxes = tuple(
        (
            round(unit * (left + CELL_PX * x)),
            round(unit * (top + CELL_PX * y)),
            round(unit * CELL_PX * w),
            round(unit * CELL_PX * h),
        )
        for x, y, w, h in found.boxes
    )
    relative = scale * second.shape[1] / first.shape[1]
    overlap = a.shape[0] * a.shape[1] / (first.shape[0] * first.shape[1])
    return CopyComparison(
        relative, round(unit * across), round(unit * down), overlap, correlation, found, boxes, first=a, second=b
    )


def _decode(data: bytes, size: tuple[int, int]) -> Image:
    factor = SIDE_PX / max(size)
    width, height = (max(1, round(side * factor)) for side in size)
    return decode_reduced(data, width, height, rotate=True)


def _resize(image: Image, scale: float) -> Image:
    size = max(8, round(image.shape[1] * scale)), max(8, round(image.shape[0] * scale))
    if size == (image.shape[1], image.shape[0]):
        return image
    pillow = PillowImage.fromarray(np.clip(np.rint(image), 0, 255).astype(np.uint8))
    return np.asarray(pillow.resize(size, PillowImage.Resampling.LANCZOS), dtype=np.float32)


def _register(first: Image, second: Image) -> tuple[float, int, int] | None:
    """Return scale, rows and columns by which ``second`` is to be moved onto ``first``."""
    factor = _SEARCH_PX / SIDE_PX
    a, b = _resize(first, factor), _resize(second, factor)
    coarse = max(_score(a, b, float(scale)) for scale in (1.0, *_SCALES))
    if coarse[0] < MIN_CORRELATION / 2:
        return None
    middle = max(_score(first, second, coarse[1] * (1 + step / 100)) for step in (-2, -1, 0, 1, 2))
    fine = max(_score(first, second, middle[1] * (1 + step / 300)) for step in (-2, -1, 0, 1, 2))
    return _settle(first, _resize(second, fine[1]), *fine[1:])


def _settle(first: Image, moved: Image, scale: float, down: int, across: int) -> tuple[float, int, int]:
    """Return ``scale`` with the shift whose correlation is best, of those a pixel around ``down`` and ``across``."""
    shifts = [(down + row, across + column) for row in (0, -1, 1) for column in (0, -1, 1)]
    best = max(shifts, key=lambda shift: correlate(*_overlap(first, moved, *shift)))
    return scale, *best


def _score(first: Image, second: Image, scale: float) -> tuple[float, float, int, int]:
    """Return the correlation of both after the best shift at ``scale``, that scale, and the shift."""
    moved = _resize(second, scale)
    down, across = _find_shift(to_grey(first), to_grey(moved))
    a, b = _overlap(first, moved, down, across)
    if a.shape[0] * a.shape[1] < MIN_OVERLAP * first.shape[0] * first.shape[1]:
        return -1.0, scale, down, across
    return correlate(a, b), scale, down, across


def _find_shift(first: Grey, second: Grey) -> tuple[int, int]:
    """Return by how many rows and columns ``second`` is to be moved, by phase correlation."""
    rows, columns = (first.shape[axis] + second.shape[axis] for axis in (0, 1))
    spectra = [np.fft.rfft2(_window(image), (rows, columns)) for image in (first, second)]
    product = spectra[0] * np.conj(spectra[1])
    surface = np.fft.irfft2(product / (np.abs(product) + 1e-6), (rows, columns))
    down, across = np.unravel_index(int(surface.argmax()), surface.shape)
    return _signed(int(down), rows, first.shape[0]), _signed(int(across), columns, first.shape[1])


def _signed(shift: int, period: int, most: int) -> int:
    return shift if shift < most else shift - period


def _window(image: Grey) -> NDArray[np.float32]:
    """Return ``image`` without its mean, faded out at its edges, which would correlate with each other."""
    rows, columns = (np.hanning(side + 2)[1:-1].astype(np.float32) ** 0.5 for side in image.shape)
    return np.asarray((image - image.mean()) * rows[:, None] * columns[None, :], dtype=np.float32)


def _overlap(first: Image, second: Image, down: int, across: int) -> tuple[Image, Image]:
    """Return the parts of both that lie on each other if ``second`` is moved by ``down`` and ``across``."""
    top, left = max(down, 0), max(across, 0)
    bottom = min(first.shape[0], down + second.shape[0])
    right = min(first.shape[1], across + second.shape[1])
    if bottom <= top or right <= left:
        return first[:0, :0], second[:0, :0]
    return first[top:bottom, left:right], second[top - down : bottom - down, left - across : right - across]
