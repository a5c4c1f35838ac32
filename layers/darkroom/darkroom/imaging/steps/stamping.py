"""Where a stamp puts a watermark, and what of it can be seen there."""

from __future__ import annotations

import pyvips

from ...plan.geometry.layout import FREE_SPACE_SHARES, Box, Size
from ...plan.geometry.placement import EvenCentring, place_inwards, resolve_length, scale_offset
from ...plan.geometry.resize import contain
from ...plan.geometry.watermark_tiles import compute_tile_positions
from ...plan.model import Stamp
from ..work import Work


def multiply_offsets(stamp: Stamp, ratio: float) -> Stamp:
    """``stamp`` with its offsets in px times ``ratio``."""
    return stamp._replace(dx=scale_offset(stamp.dx, ratio), dy=scale_offset(stamp.dy, ratio))


def place(own: Size, position: str, stamp: Stamp, picture: Size, even: EvenCentring | None = None) -> Box:
    """The place of a mark of ``own`` size at ``position``, a compass word. A part of it is inside of the picture.

    The arithmetic is imgproxy's (``processing/watermark.go``, ``calc_position.go``).
    """
    size = _size(own, stamp, picture)
    share = FREE_SPACE_SHARES[position]
    left = _start(picture.width, size.width, share[0], stamp.dx, 0, even)
    top = _start(picture.height, size.height, share[1], stamp.dy, 1, even)
    return Box(
        max(1 - size.width, min(left, picture.width - 1)), max(1 - size.height, min(top, picture.height - 1)), *size
    )


def _start(side: int, kept: int, share: float, offset: float, axis: int, even: EvenCentring | None) -> int:
    if even is not None and share == 0.5:
        return even.middle(side - kept, axis) + resolve_length(offset, side)
    return place_inwards(side, kept, share, offset)


def _size(own: Size, stamp: Stamp, picture: Size) -> Size:
    if not (stamp.width or stamp.height):
        return own
    sides = (max(1, round(part * side)) for part, side in zip((stamp.width, stamp.height), picture, strict=True))
    width, height = sides
    limit = Size(width if stamp.width else max(picture), height if stamp.height else max(picture))
    return contain(own, limit, upscale=True)


def visible(mark: pyvips.Image, box: Box, stamp: Stamp, picture: Size) -> tuple[pyvips.Image, Box]:
    """What is seen of ``mark`` at ``box`` in the picture, and where: tiles of it, if the stamp wants them."""
    if stamp.tiled:
        return _tiles(mark, stamp, picture), Box(0, 0, *picture)
    left, top = max(0, box.left), max(0, box.top)
    width = min(picture.width, box.left + box.width) - left
    height = min(picture.height, box.top + box.height) - top
    seen = Box(left, top, width, height)
    return mark.crop(left - box.left, top - box.top, width, height), seen


def stamp_last(work: Work) -> None:
    """Composite the watermark over the finished picture, margins included."""
    from .watermark import lay

    assert work.plan.watermark is not None
    lay(work, work.watermark, work.plan.watermark, work.plan.stamp, work.plan.repeat)


def stamp_second(work: Work) -> None:
    """Composite the second watermark, as :func:`.watermark.stamp` does the first."""
    from .watermark import lay

    plan = work.plan
    assert plan.second_watermark is not None
    lay(work, work.second_watermark, plan.second_watermark, plan.second_stamp, plan.second_repeat)


def repeated(mark: pyvips.Image, box: Box, axes: str, picture: Size) -> tuple[pyvips.Image, Box]:
    """``mark`` all along ``axes`` of the picture, and at ``box`` on the other one."""
    across, down = compute_tile_positions(picture, box.size, axes)
    columns, rows = across or range(0, mark.width, mark.width), down or range(0, mark.height, mark.height)
    cell = mark.embed(0, 0, columns.step, rows.step).copy_memory()
    sheet = pyvips.Image.black(*picture, bands=mark.bands).copy(interpretation=mark.interpretation)
    marks = cell.replicate(len(columns), len(rows))
    sheet = sheet.insert(marks, 0 if across else box.left, 0 if down else box.top)
    return sheet.copy_memory(), Box(0, 0, *picture)


def _tiles(mark: pyvips.Image, stamp: Stamp, picture: Size) -> pyvips.Image:
    """As many marks as the picture takes, one in its middle, with ``dx`` and ``dy`` px between them."""
    gaps = [max(0, resolve_length(gap, side)) for gap, side in zip((stamp.dx, stamp.dy), picture, strict=True)]
    tile = mark.embed(gaps[0] // 2, gaps[1] // 2, mark.width + gaps[0], mark.height + gaps[1])
    across, down = (
        -(-side // own) | 1 for side, own in zip(picture, (tile.width, tile.height), strict=True)
    )  # odd, so that one is in the middle
    tiles = tile.copy_memory().replicate(across, down)
    return tiles.crop((tiles.width - picture.width) // 2, (tiles.height - picture.height) // 2, *picture)
