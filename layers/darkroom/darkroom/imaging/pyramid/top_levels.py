"""The crown: the levels of a scene that lie above all strips, made from the strips' shares."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pyvips

from ..render.pipeline import internal_errors
from .plan import PyramidPlan
from .strips import TileIndex, index_tiles, join_tiles
from .tiff_write import Value, read_tiled
from .tiles import halve, open_tiled, save_tiled


@dataclass(frozen=True, slots=True)
class TopLevels:
    """Levels from the first that is not in strips. ``body``: their tiles, those of the smallest level first.

    ``values``: the tags that tell how tiles are decoded, of all levels of the scene.
    """

    body: bytes
    values: Mapping[int, Value]
    index: TileIndex


def build_top_levels(plan: PyramidPlan, rows: Sequence[bytes]) -> TopLevels:
    """The crown of the strips whose ``shares`` these are, in order, empty ones too.

    Raises ValueError where a share is missing or another strip's.
    """
    layout = plan.layout
    with internal_errors():
        parts = [open_tiled(share) for share in rows if share]
        wanted = [layout.part(strip, layout.first_top_level) for strip in range(layout.strips)]
        if [(part.width, part.height) for part in parts] != [tuple(size) for size in wanted if size.height]:
            raise ValueError("these are not the shares of all strips")
        image = pyvips.Image.arrayjoin(parts, across=1, valign="low") if len(parts) > 1 else parts[0]
        image = image.crop(0, 0, *layout.sizes[layout.first_top_level])
        bodies = [save_tiled(image, plan.tile_options, layout.tile_px)]
        while len(bodies) < len(layout.sizes) - layout.first_top_level:
            bodies.append(save_tiled(halve(open_tiled(bodies[-1])), plan.tile_options, layout.tile_px))
    sheets = [read_tiled(body) for body in bodies]
    return TopLevels(join_tiles(sheets), sheets[0].values, index_tiles(sheets, len(sheets)))
