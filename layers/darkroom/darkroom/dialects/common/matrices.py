"""Colour matrices, which the tone filters of other services come to: several filters are one product."""

from __future__ import annotations

from collections.abc import Sequence

from ...plan.model import IDENTITY, MAX_MATRICES, Matrix

LUMA_601 = (0.299, 0.587, 0.114)
"""Weights of red, green and blue in lightness (ITU-R BT.601), as Pillow, thumbor and JPEG have them."""

LUMA_709 = (0.2126, 0.7152, 0.0722)
"""Weights of red, green and blue in lightness (ITU-R BT.709), as CSS filters and libvips have them."""

_HALF_A_LEVEL = 0.5 / 255

DECIMALS = 4
"""Of the numbers in a canonical path."""


def compose(first: Matrix, then: Matrix) -> Matrix:
    """The matrix that does ``first`` and ``then`` in this order. Values are not clipped between."""
    rows = []
    for row in range(3):
        weights = then[row * 4 : row * 4 + 3]
        rows += [sum(weights[k] * first[k * 4 + column] for k in range(3)) for column in range(4)]
        rows[-1] += then[row * 4 + 3]
    return tuple(rows)


def combine(steps: Sequence[Matrix]) -> Matrix:
    """``steps`` as a Plan has them: one matrix where nothing can be clipped between, else as many as have to be."""
    found: list[Matrix] = [IDENTITY]
    for step in steps:
        if _stays_within(found[-1]) or len(found) == MAX_MATRICES:
            found[-1] = compose(found[-1], step)
        else:
            found.append(step)
    return tuple(number for matrix in found for number in round_matrix(matrix))


def _stays_within(matrix: Matrix) -> bool:
    """Whether values from 0 to 1 stay so."""
    rows = (matrix[at : at + 4] for at in (0, 4, 8))
    return all(
        row[3] + sum(min(0, one) for one in row[:3]) >= -_HALF_A_LEVEL
        and row[3] + sum(max(0, one) for one in row[:3]) <= 1 + _HALF_A_LEVEL
        for row in rows
    )


def round_matrix(matrix: Matrix) -> Matrix:
    """``matrix`` in the decimals that a canonical path has."""
    return tuple(round(number, DECIMALS) + 0.0 for number in matrix)


def scale_channels(slopes: Sequence[float], offsets: Sequence[float]) -> Matrix:
    """Each channel times its own slope, plus its own offset (1 is white)."""
    red, green, blue = slopes
    return (red, 0, 0, offsets[0], 0, green, 0, offsets[1], 0, 0, blue, offsets[2])


def linear(slope: float, offset: float = 0.0) -> Matrix:
    """All channels times ``slope``, plus ``offset``."""
    return scale_channels((slope,) * 3, (offset,) * 3)


def lightness(luma: Sequence[float] = LUMA_709, tint: Sequence[float] = (0, 0, 0)) -> Matrix:
    """All colour taken away, and that of ``tint`` added to each channel."""
    red, green, blue = luma
    return (red, green, blue, tint[0], red, green, blue, tint[1], red, green, blue, tint[2])


def saturation(amount: float, luma: Sequence[float] = LUMA_709) -> Matrix:
    """Each colour ``amount`` times as far from grey: 0 takes it away, 1 changes nothing."""
    grey = lightness(luma)
    return tuple(grey[k] * (1 - amount) + IDENTITY[k] * amount for k in range(12))
