"""What ``info.json`` lists, and anybody may ask for: whole pictures halved again and again, and a grid of tiles.

Sections 5.3 and 5.4. Edges are rounded up, as the implementation notes and OpenSeadragon do. The sizes are just those
of the scale factors: versions 4.1 to 5 of OpenSeadragon take any list that is as long as the factors for their sizes.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...boxes import Box, Size
from .caps import Caps
from .parameters import Rotation
from .picture import Picture, most_of
from .reading import ImageRequest

TILE_PX = 512
"""Two tiles of a pyramid on each side: a quarter of the requests that its own would take."""
SMALLEST_PX = 256
"""Scale factors end where the whole picture is a thumbnail."""

LISTED = (
    "Here one can have info.json, the sizes and tiles that it lists, and full/max, "
    "each as /0/default.jpg; anything else needs iiif_access_mode open"
)
"""What a viewer is told in guarded mode who asked for something else."""


def scale_factors(upright: Size) -> list[int]:
    """1, 2, 4 and so on, as ``tiles`` lists them."""
    factors = [1]
    while max(reduced(upright, factors[-1])) > SMALLEST_PX:
        factors.append(factors[-1] * 2)
    return factors


def reduced(size: Size, factor: int) -> Size:
    """``size`` at a scale factor."""
    return Size(-(-size.width // factor), -(-size.height // factor))


def sizes(upright: Size, caps: Caps) -> list[Size]:
    """The whole picture at each scale factor, smallest first, where it is served in that size."""
    found = (reduced(upright, factor) for factor in reversed(scale_factors(upright)))
    return [size for size in found if caps.hold(size)]


def tiles(upright: Size) -> Iterator[tuple[Box, Size]]:
    """The region and the size of each tile, from the largest scale on."""
    for factor in scale_factors(upright):
        step = TILE_PX * factor
        for top in range(0, upright.height, step):
            for left in range(0, upright.width, step):
                region = Box(left, top, min(step, upright.width - left), min(step, upright.height - top))
                yield region, reduced(region.size, factor)


def listed(upright: Size, caps: Caps) -> set[tuple[Box, Size]]:
    """The region and the size of everything that anybody may ask for. Their number is what a stranger can have made."""
    whole = Box(0, 0, *upright)
    return {*tiles(upright), *((whole, size) for size in (*sizes(upright, caps), most_of(upright, caps)))}


def count(upright: Size, caps: Caps) -> int:
    """How many :func:`listed` are, without making them."""
    found = 0 if caps.hold(upright) else 1
    for factor in scale_factors(upright):
        across, down = reduced(upright, TILE_PX * factor)
        found += across * down + (across * down > 1 and caps.hold(reduced(upright, factor)))
    return found


def is_listed(asked: ImageRequest, picture: Picture, caps: Caps) -> bool:
    """Whether ``asked``, which is ``picture``, is one of what anybody may ask for, and spelled as ``info.json`` has it.

    A second spelling would be stored once, but kept by the CDN as often as somebody can think of another.
    """
    region, size, *rest = picture.words(caps)
    plain = f"{picture.size.width},{picture.size.height}"
    if asked.words not in ((region, size, *rest), (region, plain, *rest)) or rest != ["0", "default", "jpg"]:
        return False
    assert picture.rotation == Rotation(mirrored=False, degrees=0)
    if picture.is_whole:
        return size == "max" or picture.size in sizes(picture.upright, caps)
    return any(_is_tile(picture, factor) for factor in scale_factors(picture.upright))


def _is_tile(picture: Picture, factor: int) -> bool:
    step, region = TILE_PX * factor, picture.region
    room = Size(picture.upright.width - region.left, picture.upright.height - region.top)
    return (
        region.left % step == 0
        and region.top % step == 0
        and region.size == Size(min(step, room.width), min(step, room.height))
        and picture.size == reduced(region.size, factor)
    )
