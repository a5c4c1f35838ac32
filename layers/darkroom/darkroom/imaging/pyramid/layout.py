"""Where the tiles of a scene are: plain arithmetic.

A scene is held in full and halved until it is one tile. It is cut into strips of whole rows of tiles, so high that the
first levels have whole rows of tiles in each strip too; what lies above those is the *crown*.
"""

from __future__ import annotations

from dataclasses import dataclass

from ...plan.geometry.layout import Size

TILE_PX = 512
"""See docs/decisions/0022: half the entries and requests of 256, and tiles that a viewer asks for are as large."""
STRIP_BYTES = 400_000_000
"""Most pixels of a strip, in bytes: all that is held of it is their tiles, a sixth of that where they are JPEG."""


@dataclass(frozen=True, slots=True)
class PyramidLayout:
    """A scene of ``size`` px, as stored. Levels 0 (in full) to ``depth`` lie in strips, the others in the crown."""

    size: Size
    tile_px: int
    depth: int

    @classmethod
    def of(
        cls, size: Size, pixel_bytes: int, *, tile_px: int = TILE_PX, strip_bytes: int = STRIP_BYTES
    ) -> PyramidLayout:
        """The layout with the highest strips of at most ``strip_bytes``; raises ValueError for a picture of one tile.

        A single row of tiles may have more bytes than that.
        """
        if max(size) <= tile_px:
            raise ValueError("a scene has more than one tile")
        depth, row_bytes = 0, size.width * tile_px * pixel_bytes
        while (
            row_bytes << (depth + 1) <= strip_bytes and max(size) >> (depth + 1) > tile_px and min(size) >> (depth + 2)
        ):
            depth += 1
        return cls(size, tile_px, depth)

    @property
    def sizes(self) -> tuple[Size, ...]:
        """The size of each level, down to the one that is a single tile."""
        found = [self.size]
        while max(found[-1]) > self.tile_px:
            found.append(Size(max(1, found[-1].width // 2), max(1, found[-1].height // 2)))
        return tuple(found)

    @property
    def strip_px(self) -> int:
        """The height of each strip but the last, in full."""
        return self.tile_px << self.depth

    @property
    def strips(self) -> int:
        """How many strips there are."""
        return -(-self.size.height // self.strip_px)

    @property
    def first_top_level(self) -> int:
        """The first level that is not in strips; each of them makes a share of it."""
        return self.depth + 1

    def part(self, strip: int, level: int) -> Size:
        """What ``strip`` holds of a level up to the crown's first; it may have no height in the last strip."""
        whole, high = self.sizes[level], self.strip_px >> level
        return Size(whole.width, max(0, min(high, whole.height - strip * high)))

    def tiles(self, size: Size) -> int:
        """How many tiles a picture of ``size`` has."""
        return -(-size.width // self.tile_px) * -(-size.height // self.tile_px)
