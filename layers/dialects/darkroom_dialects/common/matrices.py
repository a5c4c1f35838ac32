"""Build colour matrices. Consecutive tone filters of other services are combined into one matrix."""

from __future__ import annotations

from collections.abc import Sequence

from darkroom.plan.model import IDENTITY, MAX_MATRICES, Matrix

LUMA_601 = (0.299, 0.587, 0.114)
"""Luma weights of red, green and blue (ITU-R BT.601), as in Pillow, thumbor and JPEG."""

LUMA_709 = (0.2126, 0.7152, 0.0722)
"""Luma weights of red, green and blue (ITU-R BT.709), as in CSS filters and libvips."""

_HALF_A_LEVEL = 0.5 / 255

DECIMALS = 4
"""Decimals of numbers in a canonical path."""


def compose(first: Matrix, then: Matrix) -> Matrix:
    """Return the matrix that applies ``first``, then ``then``, without clipping between them."""
    rows = []
    for row in range(3):
        weights = then[row * 4 : row * 4 + 3]
        rows += [sum(weights[k] * first[k * 4 + column] for k in range(3)) for column in range(4)]
        rows[-1] += then[row * 4 + 3]
    return tuple(rows)


def combine(steps: Sequence[Matrix]) -> Matrix:
    """Return ``steps`` as in a Plan: one matrix unless values can be clipped between them."""
    found: list[Matrix] = [IDENTITY]
    for step in steps:
        if _stays_within(found[-1]) or len(found) == MAX_MATRICES:
            found[-1] = compose(found[-1], step)
        else:
            found.append(step)
    return tuple(number for matrix in found for number in round_matrix(matrix))


def _stays_within(matrix: Matrix) -> bool:
    """Return whether values from 0 to 1 stay in this range."""
    rows = (matrix[at : at + 4] for at in (0, 4, 8))
    return all(
        row[3] + sum(min(0, one) for one in row[:3]) >= -_HALF_A_LEVEL
        and row[3] + sum(max(0, one) for one in row[:3]) <= 1 + _HALF_A_LEVEL
        for row in rows
    )


def round_matrix(matrix: Matrix) -> Matrix:
    """Round ``matrix`` to the decimals of a canonical path."""
    return tuple(round(number, DECIMALS) + 0.0 for number in matrix)


def scale_channels(slopes: Sequence[float], offsets: Sequence[float]) -> Matrix:
    """Return the matrix of a slope and an offset (1 is white) per channel."""
    red, green, blue = slopes
    return (red, 0, 0, offsets[0], 0, green, 0, offsets[1], 0, 0, blue, offsets[2])


def linear(slope: float, offset: float = 0.0) -> Matrix:
    """Return the matrix that multiplies all channels by ``slope`` and adds ``offset``."""
    return scale_channels((slope,) * 3, (offset,) * 3)


def lightness(luma: Sequence[float] = LUMA_709, tint: Sequence[float] = (0, 0, 0)) -> Matrix:
    """Return the matrix that replaces colours by their luma and adds ``tint``."""
    red, green, blue = luma
    return (red, green, blue, tint[0], red, green, blue, tint[1], red, green, blue, tint[2])


def mix(matrix: Matrix, amount: float) -> Matrix:
    """Return the matrix whose result is ``amount`` of that of ``matrix``, and the rest unchanged."""
    return tuple(one * amount + same * (1 - amount) for one, same in zip(matrix, IDENTITY, strict=True))


def sepia(amount: float) -> Matrix:
    """Return the matrix of a sepia tone, as in the CSS filter: 0 changes nothing."""
    return mix((0.393, 0.769, 0.189, 0, 0.349, 0.686, 0.168, 0, 0.272, 0.534, 0.131, 0), amount)


def saturation(amount: float, luma: Sequence[float] = LUMA_709) -> Matrix:
    """Return the matrix that multiplies the distance from grey by ``amount``: 0 removes colour, 1 changes nothing."""
    grey = lightness(luma)
    return tuple(grey[k] * (1 - amount) + IDENTITY[k] * amount for k in range(12))
