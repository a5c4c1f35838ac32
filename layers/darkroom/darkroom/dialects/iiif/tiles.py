"""What ``info.json`` lists, and anybody may ask for: whole pictures halved again and again, and a grid of tiles.

Sections 5.3 and 5.4. Edges are rounded up, as the implementation notes and OpenSeadragon do. The sizes are just those
of the scale factors: versions 4.1 to 5 of OpenSeadragon take any list that is as long as the factors for their sizes.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...plan.geometry.boxes import Box, Size
from .image import Picture, by_width, most_of
from .limits import Caps
from .parameters import Rotation
from .url import ImageRequest

TILE_PX = 512
"""Two tiles of a pyramid on each side: a quarter of the requests that its own would take."""
SMALLEST_PX = 256
"""Scale factors end where the whole picture is a thumbnail."""

THUMBNAIL_WIDTHS_PX = (90, 200)
"""Widths of the whole picture that Universal Viewer 4 requests for its thumbnails without reading ``sizes``."""

LISTED = (
    "Without iiif_access_mode open, requests are limited to info.json, the sizes and tiles that it lists, full/max, "
    f"and thumbnails of {' and '.join(map(str, THUMBNAIL_WIDTHS_PX))} px, each as /0/default.jpg"
)
"""The detail of a refusal in guarded mode."""


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
    found = {(whole, size) for size in _whole_sizes(upright, caps)}
    for region, size in tiles(upright):
        found |= {(region, one) for one in _both(region.size, size, caps)}
    return found


def count(upright: Size, caps: Caps) -> int:
    """How many :func:`listed` are, without making them: of a factor's tiles only those at an edge differ in shape.

    Small corner tiles are the same at several factors.
    """
    found = len(_whole_sizes(upright, caps))
    corners: set[tuple[Box, Size]] = set()
    for factor in scale_factors(upright):
        step = TILE_PX * factor
        columns, right = divmod(upright.width, step)
        rows, low = divmod(upright.height, step)
        if columns + bool(right) > 1 or rows + bool(low) > 1:
            shapes = ((step, step, columns * rows), (right, step, rows), (step, low, columns))
            found += sum(many * len(_tile_sizes(Size(width, height), factor, caps)) for width, height, many in shapes)
            corner = Box(columns * step, rows * step, right, low)
            corners |= {(corner, size) for size in _tile_sizes(corner.size, factor, caps)}
    return found + len(corners)


def _tile_sizes(shape: Size, factor: int, caps: Caps) -> set[Size]:
    return _both(shape, reduced(shape, factor), caps) if min(shape) else set()


def is_listed(asked: ImageRequest, picture: Picture, caps: Caps) -> bool:
    """Whether ``asked``, which is ``picture``, is one of what anybody may ask for, and spelled as ``info.json`` has it.

    A second spelling would be stored once, but kept by the CDN as often as somebody can think of another.
    """
    region, _, *rest = picture.words(caps, asked.version)
    if rest != ["0", "default", "jpg"] or (asked.words[0], *asked.words[2:]) != (region, *rest):
        return False
    assert picture.rotation == Rotation(mirrored=False, degrees=0)
    if asked.words[1] not in _size_words(asked, picture, caps):
        return False
    if picture.is_whole:
        return picture.size in _whole_sizes(picture.upright, caps)
    return any(_is_tile(picture, factor, caps) for factor in scale_factors(picture.upright))


def _size_words(asked: ImageRequest, picture: Picture, caps: Caps) -> set[str]:
    """The spellings of a listed size: the canonical one, ``w,h``, and what viewers write without reading ``sizes``."""
    width, height = picture.size
    words = {picture.words(caps, asked.version)[1], f"{width},{height}"}
    if picture.is_whole and picture.size == most_of(picture.upright, caps):
        words.add("max")
    is_thumbnail = picture.is_whole and width in THUMBNAIL_WIDTHS_PX
    if (asked.version.upscales_silently or is_thumbnail) and picture.size == by_width(picture.region.size, width):
        words.add(f"{width},")
    return words


def _whole_sizes(upright: Size, caps: Caps) -> set[Size]:
    """Sizes of the whole picture: those of ``info.json``, the largest, and thumbnails, none of them enlarged."""
    found = {most_of(upright, caps)}
    for size in sizes(upright, caps):
        found |= _both(upright, size, caps)
    thumbnails = {by_width(upright, width) for width in THUMBNAIL_WIDTHS_PX if width <= upright.width}
    return found | {size for size in thumbnails if caps.hold(size)}


def _both(region: Size, size: Size, caps: Caps) -> set[Size]:
    """A listed ``size`` of a ``region``, and what ``w,`` makes of its width: clients of version 2 write that.

    The second of a region one pixel wide can be too long to be served.
    """
    return {one for one in (size, by_width(region, size.width)) if caps.hold(one)}


def _is_tile(picture: Picture, factor: int, caps: Caps) -> bool:
    step, region = TILE_PX * factor, picture.region
    room = Size(picture.upright.width - region.left, picture.upright.height - region.top)
    return (
        region.left % step == 0
        and region.top % step == 0
        and region.size == Size(min(step, room.width), min(step, room.height))
        and picture.size in _both(region.size, reduced(region.size, factor), caps)
    )
