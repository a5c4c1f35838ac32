"""Positions of a repeated watermark: thumbor's arithmetic (``filters/watermark.py`` of thumbor 7.8)."""

from __future__ import annotations

from typing import NamedTuple

from .placement import Size

MAX_TILES = 100
"""With more tiles, both axes have at most :data:`MAX_TILES_PER_AXIS`."""

MAX_TILES_PER_AXIS = 6
MIN_GAP_PX = 10
"""Between the tiles of an axis that has no room for two."""


class _Row(NamedTuple):
    """The number of tiles on one axis, and the px left between them."""

    tiles: int
    spare_px: int


def compute_tile_positions(image: Size, mark: Size, axes: str) -> tuple[range, range]:
    """Return the first px of each tile across and down, for the repeated ``axes`` (``h``, ``v``, ``hv``).

    The range of another axis is empty.
    """
    across, down = _count_tiles(image.width, mark.width), _count_tiles(image.height, mark.height)
    if axes == "hv" and across.tiles * down.tiles > MAX_TILES:
        across, down = _limit_tiles(across, image.width, mark.width), _limit_tiles(down, image.height, mark.height)
    return (
        _compute_starts(across, mark.width) if "h" in axes else range(0),
        _compute_starts(down, mark.height) if "v" in axes else range(0),
    )


def _count_tiles(side: int, own: int) -> _Row:
    if side < 2 * own:
        return _Row(-(-side // own), MIN_GAP_PX)
    return _Row(*divmod(side, own))


def _limit_tiles(row: _Row, side: int, own: int) -> _Row:
    marks = min(MAX_TILES_PER_AXIS, row.tiles)
    return _Row(marks, side - marks * own)


def _compute_starts(row: _Row, own: int) -> range:
    gap = row.spare_px // (max(row.tiles, 2) - 1)
    return range(0, row.tiles * (own + gap), own + gap)
