"""Coefficients of the 8 × 8 discrete cosine transform of luma samples (ITU-T T.81, A.3.3)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .pixels import Luma

LOW = 4
"""Coefficients are computed for frequencies below this in both directions."""

FREQUENCIES = ((0, 1), (1, 0), (2, 0), (1, 1), (0, 2), (0, 3), (1, 2), (2, 1), (3, 0))
"""Vertical and horizontal frequency of the first nine AC coefficients of the zigzag order. Higher ones are zero in most
blocks, so that they show nothing (J. Lukáš and J. Fridrich, "Estimation of primary quantization matrix in double
compressed JPEG images", DFRWS 2003)."""

STRIP_ROWS = 128
"""Rows of blocks that are transformed at a time, which bounds memory."""

_STEPS = np.arange(8)
_BASIS = np.sqrt(np.where(np.arange(8)[:, None] == 0, 1, 2) / 8) * np.cos(
    np.pi * (2 * _STEPS[None, :] + 1) * np.arange(8)[:, None] / 16
)
_LOW_BASIS = _BASIS[:LOW].astype(np.float32)

type Coefficients = NDArray[np.float32]
"""Blocks down × blocks across × the coefficients of :data:`FREQUENCIES`, in units of the dequantised file."""


def compute_coefficients(luma: Luma, offset: int = 0) -> Coefficients:
    """Compute the coefficients of all whole blocks of the grid that starts at ``offset`` px in both directions."""
    down, across = ((side - offset) // 8 for side in luma.shape)
    found = np.empty((down, across, len(FREQUENCIES)), dtype=np.float32)
    vertical, horizontal = (list(part) for part in zip(*FREQUENCIES, strict=True))
    for start in range(0, down, STRIP_ROWS):
        end = min(start + STRIP_ROWS, down)
        rows = luma[offset + 8 * start : offset + 8 * end, offset : offset + 8 * across].astype(np.float32) - 128
        blocks = rows.reshape(end - start, 8, across, 8)
        by_row = np.tensordot(blocks, _LOW_BASIS, axes=(3, 1))  # down, 8, across, horizontal
        both = np.tensordot(by_row, _LOW_BASIS, axes=(1, 1))  # down, across, horizontal, vertical
        found[start:end] = both[:, :, horizontal, vertical]
    return found
