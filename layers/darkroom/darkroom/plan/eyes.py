"""Where eyes may be in a picture, by its faces: pure arithmetic, in pixels of what a cover has kept."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..findings import Region
from .boxes import Box
from .facing import placed
from .geometry import Geometry

ACROSS, DOWN = (0.3, 0.7), 0.42
"""The middles of the eyes, as parts of a face's width and height.

By the faces in ``tests/cases/faces.toml``, whose boxes reach from the forehead to the chin.
"""

WIDTH, HEIGHT = 0.4, 0.28
"""How far an eye may reach, as parts of the same: a face is seldom quite upright, nor seen quite from the front."""


def eyes(faces: Sequence[Region], geometry: Geometry) -> list[Box]:
    """The rectangles in which the eyes of ``faces`` are, which are fractions of the upright source.

    In px of the upright picture after the resize and the cover, before it is turned.
    """
    seen = [box for face in faces if (box := placed(face, geometry)) is not None]
    return [eye for face in seen for eye in _of(face, geometry)]


def _of(face: Box, geometry: Geometry) -> Iterator[Box]:
    kept = geometry.window or Box(0, 0, *geometry.scaled)
    half_width, half_height = face.width * WIDTH / 2, face.height * HEIGHT / 2
    y = face.top - kept.top + face.height * DOWN
    for part in ACROSS:
        x = face.left - kept.left + face.width * part
        left, right = (_within(edge, kept.width) for edge in (x - half_width, x + half_width))
        top, bottom = (_within(edge, kept.height) for edge in (y - half_height, y + half_height))
        if left < right and top < bottom:
            yield Box(left, top, right - left, bottom - top)


def _within(edge: float, side: int) -> int:
    return min(max(0, round(edge)), side)
