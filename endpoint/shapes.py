"""Distinguish large objects from text: recognition takes them for one or two letters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from darkroom.findings import TextLine

SHAPE_LETTERS, SHAPE_HEIGHT, SHAPE_WIDTH = 2, 0.4, 2.0
"""A line of so few letters, at least so high in parts of the image's shorter side, and at most so wide in parts of its
height, can be an object: a cup is read as an 8. It has room for no more letters."""

READS_SURELY = 0.95
"""Score from which such a line counts as text. Of 89 letters that were drawn so high and read rightly, 81 have it; of
63 objects without text, 3."""


def split_shapes(lines: Sequence[TextLine], width_px: int, height_px: int) -> tuple[list[TextLine], list[TextLine]]:
    """Return ``lines`` without the outlines of objects that were taken for one or two letters, and those outlines.

    An outline may be that of a letter which the model cannot read: it has no text, and is covered with all text.
    """
    text: list[TextLine] = []
    shapes: list[TextLine] = []
    for line in lines:
        if line.score < READS_SURELY and _is_shape(line, width_px, height_px):
            shapes.append(replace(line, text="", personal=()))
        else:
            text.append(line)
    return text, shapes


def _is_shape(line: TextLine, width_px: int, height_px: int) -> bool:
    corners = np.array(line.corners) * (width_px, height_px)
    across, down = (float(np.linalg.norm(corners[0] - corners[place])) for place in (1, 3))
    is_large = down >= SHAPE_HEIGHT * min(width_px, height_px) and across <= SHAPE_WIDTH * down
    return is_large and len(line.text) <= SHAPE_LETTERS
