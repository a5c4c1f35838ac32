"""List the images that need no permission: the whole image at powers of two, and a grid of tiles.

Sections 5.3 and 5.4. Edges are rounded up, as in the implementation notes and OpenSeadragon. Sizes are those of the
scale factors only: OpenSeadragon 4.1 to 5 assumes so for any list of the same length.
"""

from __future__ import annotations

from collections.abc import Iterator

from darkroom.plan.geometry.placement import Box, Size

from .image import ResolvedImage, max_size, scale_to_width
from .spec import SizeLimits
from .url import ImageRequest, Rotation

TILE_PX = 512
"""Two tiles of a pyramid on each side: a quarter of the requests."""
SMALLEST_PX = 256
"""Scale factors end where the whole image is a thumbnail."""

THUMBNAIL_WIDTHS_PX = (90, 200)
"""Widths of the whole image that Universal Viewer 4 requests without reading ``sizes``."""

LISTED_DETAIL = (
    "Without iiif_access_mode open, requests are limited to info.json, the sizes and tiles that it lists, full/max, "
    f"and thumbnails of {' and '.join(map(str, THUMBNAIL_WIDTHS_PX))} px, each as /0/default.jpg"
)
"""The detail of a refusal in guarded mode."""


def list_scale_factors(upright: Size) -> list[int]:
    """Return 1, 2, 4 and so on, as in ``tiles``."""
    factors = [1]
    while max(scale_down(upright, factors[-1])) > SMALLEST_PX:
        factors.append(factors[-1] * 2)
    return factors


def scale_down(size: Size, factor: int) -> Size:
    """Return ``size`` at a scale factor."""
    return Size(-(-size.width // factor), -(-size.height // factor))


def list_sizes(upright: Size, caps: SizeLimits) -> list[Size]:
    """Return the sizes of the whole image within the limits, smallest first."""
    found = (scale_down(upright, factor) for factor in reversed(list_scale_factors(upright)))
    return [size for size in found if caps.allow(size)]


def iterate_tiles(upright: Size) -> Iterator[tuple[Box, Size]]:
    """Yield region and size of each tile, from the largest scale on."""
    for factor in list_scale_factors(upright):
        step = TILE_PX * factor
        for top in range(0, upright.height, step):
            for left in range(0, upright.width, step):
                region = Box(left, top, min(step, upright.width - left), min(step, upright.height - top))
                yield region, scale_down(region.size, factor)


def list_images(upright: Size, caps: SizeLimits) -> set[tuple[Box, Size]]:
    """Return region and size of all images that need no permission."""
    whole = Box(0, 0, *upright)
    found = {(whole, size) for size in _whole_sizes(upright, caps)}
    for region, size in iterate_tiles(upright):
        found |= {(region, one) for one in _size_and_rounded_size(region.size, size, caps)}
    return found


def count_images(upright: Size, caps: SizeLimits) -> int:
    """Return the number of :func:`list_images` without listing them: only tiles at an edge differ in shape.

    Small corner tiles are the same at several factors.
    """
    found = len(_whole_sizes(upright, caps))
    corners: set[tuple[Box, Size]] = set()
    for factor in list_scale_factors(upright):
        step = TILE_PX * factor
        columns, right = divmod(upright.width, step)
        rows, bottom = divmod(upright.height, step)
        if columns + bool(right) > 1 or rows + bool(bottom) > 1:
            shapes = ((step, step, columns * rows), (right, step, rows), (step, bottom, columns))
            found += sum(many * len(_tile_sizes(Size(width, height), factor, caps)) for width, height, many in shapes)
            corner = Box(columns * step, rows * step, right, bottom)
            corners |= {(corner, size) for size in _tile_sizes(corner.size, factor, caps)}
    return found + len(corners)


def _tile_sizes(shape: Size, factor: int, caps: SizeLimits) -> set[Size]:
    return _size_and_rounded_size(shape, scale_down(shape, factor), caps) if min(shape) else set()


def is_listed(parsed: ImageRequest, image: ResolvedImage, caps: SizeLimits) -> bool:
    """Return whether ``parsed``, resolved to ``image``, is listed and spelled as in ``info.json``.

    Other spellings of a stored image would be cached by the CDN once each.
    """
    region, _, *rest = image.canonical_parameters(caps, parsed.version)
    if rest != ["0", "default", "jpg"] or (parsed.parameters[0], *parsed.parameters[2:]) != (region, *rest):
        return False
    assert image.rotation == Rotation(mirrored=False, degrees=0)
    if parsed.parameters[1] not in _listed_size_syntaxes(parsed, image, caps):
        return False
    if image.is_whole:
        return image.size in _whole_sizes(image.upright, caps)
    return any(_is_tile(image, factor, caps) for factor in list_scale_factors(image.upright))


def _listed_size_syntaxes(parsed: ImageRequest, image: ResolvedImage, caps: SizeLimits) -> set[str]:
    """Return the accepted spellings of a listed size: canonical, ``w,h``, and those of known viewers."""
    width, height = image.size
    words = {image.canonical_parameters(caps, parsed.version)[1], f"{width},{height}"}
    if image.is_whole and image.size == max_size(image.upright, caps):
        words.add("max")
    is_thumbnail = image.is_whole and width in THUMBNAIL_WIDTHS_PX
    if (parsed.version.upscales_silently or is_thumbnail) and image.size == scale_to_width(image.region.size, width):
        words.add(f"{width},")
    return words


def _whole_sizes(upright: Size, caps: SizeLimits) -> set[Size]:
    """Return the sizes of the whole image: those of ``info.json``, the largest, and thumbnails, never enlarged."""
    found = {max_size(upright, caps)}
    for size in list_sizes(upright, caps):
        found |= _size_and_rounded_size(upright, size, caps)
    thumbnails = {scale_to_width(upright, width) for width in THUMBNAIL_WIDTHS_PX if width <= upright.width}
    return found | {size for size in thumbnails if caps.allow(size)}


def _size_and_rounded_size(region: Size, size: Size, caps: SizeLimits) -> set[Size]:
    """Return a listed ``size`` of a ``region``, and that of ``w,`` with its width, which clients of version 2 request.

    The latter can exceed the limits if the region is one pixel wide.
    """
    return {one for one in (size, scale_to_width(region, size.width)) if caps.allow(one)}


def _is_tile(image: ResolvedImage, factor: int, caps: SizeLimits) -> bool:
    step, region = TILE_PX * factor, image.region
    room = Size(image.upright.width - region.left, image.upright.height - region.top)
    return (
        region.left % step == 0
        and region.top % step == 0
        and region.size == Size(min(step, room.width), min(step, room.height))
        and image.size in _size_and_rounded_size(region.size, scale_down(region.size, factor), caps)
    )
