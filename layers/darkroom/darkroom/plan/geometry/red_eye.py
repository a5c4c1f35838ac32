"""Where eyes may be in a picture, by its faces: pure arithmetic, in pixels of what a cover has kept."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ...findings import Region
from .boxes import Box
from .face_gravity import project_face
from .layout import Geometry

EYES_ACROSS, EYES_DOWN = (0.3, 0.7), 0.42
"""The middles of the eyes, as parts of a face's width and height.

By the faces in ``tests/cases/faces.toml``, whose boxes reach from the forehead to the chin.
"""

EYE_WIDTH, EYE_HEIGHT = 0.4, 0.28
"""How far an eye may reach, as parts of the same: a face is seldom quite upright, nor seen quite from the front."""


def locate_eyes(faces: Sequence[Region], geometry: Geometry) -> list[Box]:
    """The rectangles in which the eyes of ``faces`` are, which are fractions of the upright source.

    In px of the upright picture after the resize and the cover, before it is turned.
    """
    seen = [box for face in faces if (box := project_face(face, geometry)) is not None]
    return [eye for face in seen for eye in _locate_eyes(face, geometry)]


def _locate_eyes(face: Box, geometry: Geometry) -> Iterator[Box]:
    kept = geometry.window or Box(0, 0, *geometry.scaled)
    half_width, half_height = face.width * EYE_WIDTH / 2, face.height * EYE_HEIGHT / 2
    y = face.top - kept.top + face.height * EYES_DOWN
    for part in EYES_ACROSS:
        x = face.left - kept.left + face.width * part
        left, right = (_clamp(edge, kept.width) for edge in (x - half_width, x + half_width))
        top, bottom = (_clamp(edge, kept.height) for edge in (y - half_height, y + half_height))
        if left < right and top < bottom:
            yield Box(left, top, right - left, bottom - top)


def _clamp(edge: float, side: int) -> int:
    return min(max(0, round(edge)), side)
