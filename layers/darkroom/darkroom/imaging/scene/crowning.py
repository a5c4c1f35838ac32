"""The crown: the levels of a scene that lie above all strips, made from the strips' shares."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pyvips

from ..containers.tiffwriting import Value, tiled
from ..render import own_fault
from ..tiling import halved, opened, saved
from .cutting import Facts, facts_of, in_order
from .planning import Scene


@dataclass(frozen=True, slots=True)
class Crown:
    """Levels from the first that is not in strips. ``body``: their tiles, those of the smallest level first.

    ``values``: the tags that tell how tiles are decoded, of all levels of the scene.
    """

    body: bytes
    values: Mapping[int, Value]
    facts: Facts


def crown(scene: Scene, shares: Sequence[bytes]) -> Crown:
    """The crown of the strips whose ``shares`` these are, in order, empty ones too.

    Raises ValueError where a share is missing or another strip's.
    """
    layout = scene.layout
    with own_fault():
        parts = [opened(share) for share in shares if share]
        wanted = [layout.part(strip, layout.crown) for strip in range(layout.strips)]
        if [(part.width, part.height) for part in parts] != [tuple(size) for size in wanted if size.height]:
            raise ValueError("these are not the shares of all strips")
        image = pyvips.Image.arrayjoin(parts, across=1, valign="low") if len(parts) > 1 else parts[0]
        image = image.crop(0, 0, *layout.sizes[layout.crown])
        bodies = [saved(image, scene.knobs, layout.tile_px)]
        while len(bodies) < len(layout.sizes) - layout.crown:
            bodies.append(saved(halved(opened(bodies[-1])), scene.knobs, layout.tile_px))
    sheets = [tiled(body) for body in bodies]
    return Crown(in_order(sheets), sheets[0].values, facts_of(sheets, len(sheets)))
