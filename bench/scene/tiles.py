"""Choose tiles of a large image at every level, as deep zoom viewers request them."""

from __future__ import annotations

from dataclasses import dataclass

SIDE_PX = 512


@dataclass(frozen=True, slots=True)
class Tile:
    """``width`` × ``height`` px of the full image from ``left`` and ``top``, reduced by ``shrink``."""

    shrink: int
    left: int
    top: int
    width: int
    height: int

    def __str__(self) -> str:
        return ",".join(map(str, (self.shrink, self.left, self.top, self.width, self.height)))


def choose_tiles(width: int, height: int) -> list[Tile]:
    """Choose, at each size down to a single tile, the first, one in the middle, one at the right edge, and the last.

    Tiles at the edges are cropped, as viewers request them.
    """
    found: list[Tile] = []
    shrink = 1
    while True:
        side = SIDE_PX * shrink
        right, bottom = ((length - 1) // side for length in (width, height))
        places = dict.fromkeys([(0, 0), (right // 2, bottom // 3), (right, bottom // 2), (right, bottom)])
        for across, down in places:
            left, top = across * side, down * side
            found.append(Tile(shrink, left, top, min(side, width - left), min(side, height - top)))
        if right == bottom == 0:
            return found
        shrink *= 2
