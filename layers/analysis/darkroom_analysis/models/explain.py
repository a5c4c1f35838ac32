"""Explain why a model flagged an image: an occlusion map.

Each cell of a grid is covered in turn, and the score is compared with that of the whole image: Zeiler and Fergus,
"Visualizing and Understanding Convolutional Networks", ECCV 2014, section 4.2.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import numpy as np

from darkroom.findings import GRID, Explanation, Finding

from .catalogue import ModelSpec
from .pixels import Pixels, resize

CELLS = GRID**2

type Detect = Callable[[Sequence[Pixels], int], list[Finding]]
"""The findings of a model in images, of which it gets up to a number at once."""


def explain(detect: Detect, image: Pixels, model: ModelSpec) -> Explanation | None:
    """Explain why ``model`` flags ``image``; None if it does not. Raises what ``detect`` raises.

    One batch has each cell covered. The cells that lower the score most are then covered together: as many of them as
    it takes for a score that is not flagged, found by bisection with at most six further runs.
    """
    side_px = model.input.scaled_px or model.input.side_px
    small = resize(image, side_px, side_px)
    [whole] = detect([small], 1)
    if not whole.flagged:
        return None
    scores = [_score(one) for one in detect([cover(small, [cell], model) for cell in range(CELLS)], CELLS)]
    order = sorted(range(CELLS), key=scores.__getitem__)
    best: tuple[list[int], Finding] = [], whole
    low, high = 0, CELLS + 1  # of the cells in that order, ``low`` are too few
    while high - low > 1:
        number = (low + high) // 2
        [covered] = detect([cover(small, order[:number], model)], 1)
        if covered.flagged:
            low = number
        else:
            high, best = number, (order[:number], covered)
    cells, lowered = best
    threshold = max(model.thresholds.values(), default=0.0)
    return Explanation(_score(whole), threshold, tuple(scores), tuple(cells), _score(lowered))


def cover(image: Pixels, cells: Iterable[int], model: ModelSpec) -> Pixels:
    """Return ``image`` with ``cells`` in the mean colour that ``model`` subtracts, which it sees as zero."""
    height, width = image.shape[:2]
    rows, columns = (np.rint(np.linspace(0, side, GRID + 1)).astype(int) for side in (height, width))
    mean = model.input.mean[::-1] if model.input.order == "bgr" else model.input.mean
    covered = image.copy()
    for cell in cells:
        row, column = divmod(cell, GRID)
        covered[rows[row] : rows[row + 1], columns[column] : columns[column + 1]] = np.rint(mean)
    return covered


def _score(finding: Finding) -> float:
    return max((label.score for label in finding.labels), default=0.0)
