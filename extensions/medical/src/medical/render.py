"""Render pages of masters: the ``rendered`` resources of DICOMweb (PS3.18, 8.3.5.1), and pages as raw numbers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache

import numpy as np
import pyvips

from darkroom.errors import BadOption, OverLimits
from darkroom.imaging.source import Source

from .appearance import MAX_VIEWPORT_PX, PNG, Appearance, Region
from .instance import Instance, Scale
from .voi import Voi, full_range, list_values

MAX_BODY_BYTES = 4_500_000
"""A Lambda response has 6 MB, and the body is encoded as base64."""


def choose_voi(instance: Instance, page: int, appearance: Appearance) -> Voi:
    """Return the transformation for ``page``; raises BadOption for a preset that the file lacks."""
    if appearance.voi is not None:
        return appearance.voi
    presets = instance.page_presets(page)
    if appearance.preset > len(presets):
        raise BadOption(f"The image has {len(presets)} presets", option="preset")
    if presets:
        return presets[max(0, appearance.preset - 1)]
    return full_range(instance.low, instance.high)


@lru_cache(maxsize=64)
def build_table(voi: Voi, scale: Scale, inverted: bool) -> bytes:
    """Return the grey level, from 0 to 255, of each 16-bit number of a page."""
    fractions = voi.apply(list_values(*scale))
    if inverted:
        fractions = 1 - fractions
    return np.floor(255 * fractions + 0.5).astype(np.uint8).tobytes()


def render(
    instance: Instance, page: int, appearance: Appearance, source: Source, overlays: Sequence[bytes] = ()
) -> bytes:
    """Return ``page`` as JPEG or PNG. Raises BadOption, OverLimits, or DamagedSource.

    ``overlays`` are the masks of the page, as PNG, which are drawn in white.
    """
    with source.decoding():
        whole = Region(0, 0, instance.width, instance.height)
        region = check_region(appearance.region or whole, instance)
        size = fit(region, appearance.viewport)
        image = _load(instance, page, region, size, source)
        if not instance.colour:
            table = build_table(choose_voi(instance, page, appearance), instance.scale(page), instance.inverted)
            image = image.maplut(pyvips.Image.new_from_memory(table, 65_536, 1, 1, "uchar"))
            for mask in overlays:
                image = _draw_overlay(image, mask, region, size)
        return encode(image, appearance)


def limit_pages(instance: Instance, pages: Sequence[int]) -> Sequence[int]:
    """Return ``pages`` if they fit into one response; raises OverLimits."""
    size_bytes = len(pages) * instance.width * instance.height * (3 if instance.colour else 2)
    if len(pages) > 1 and size_bytes > MAX_BODY_BYTES:
        raise OverLimits(f"The frames have {size_bytes:,} bytes; the limit is {MAX_BODY_BYTES:,}. Request fewer.")
    return pages


def read_page(instance: Instance, page: int, source: Source) -> bytes:
    """Return the numbers of ``page``, 16 bits in little-endian order, or RGB. Raises OverLimits or DamagedSource."""
    count = instance.width * instance.height * (3 if instance.colour else 2)
    if count > MAX_BODY_BYTES:
        raise OverLimits(f"The frame has {count:,} bytes; the limit is {MAX_BODY_BYTES:,}. Use /rendered.")
    with source.decoding():
        image = pyvips.Image.new_from_source(source.open_vips(), "", page=page - 1)
        return bytes(image.write_to_memory())


def check_region(region: Region, instance: Instance) -> Region:
    """Return the part of ``region`` that lies in the image; raises BadOption if there is none."""
    right, bottom = (
        min(start + length, most)
        for start, length, most in (
            (region.left, region.width, instance.width),
            (region.top, region.height, instance.height),
        )
    )
    if right - region.left < 1 or bottom - region.top < 1:
        raise BadOption("viewport: the region is outside of the image", option="viewport")
    return Region(region.left, region.top, right - region.left, bottom - region.top)


def fit(region: Region, viewport: tuple[int, int] | None) -> tuple[int, int]:
    """Return the size of the result: the largest one of the region's shape in the viewport (PS3.18, 8.3.5.1.3)."""
    if viewport is None:
        width, height = round(region.width), round(region.height)
        if max(width, height) > MAX_VIEWPORT_PX:
            raise OverLimits(f"The image is larger than {MAX_VIEWPORT_PX} px; request a viewport")
        return width, height
    scale = min(viewport[0] / region.width, viewport[1] / region.height)
    return max(1, round(region.width * scale)), max(1, round(region.height * scale))


def choose_level(instance: Instance, region: Region, size: tuple[int, int]) -> int:
    """Return which copy of a page is read: 0 is the page, each further one has half the size of the one before."""
    level = 0
    while level < instance.levels and region.width / 2 ** (level + 1) >= size[0]:
        if region.height / 2 ** (level + 1) < size[1]:
            break
        level += 1
    return level


def _load(instance: Instance, page: int, region: Region, size: tuple[int, int], source: Source) -> pyvips.Image:
    level = choose_level(instance, region, size)
    opened = source.open_vips()
    if level:
        image = pyvips.Image.new_from_source(opened, "", page=page - 1, subifd=level - 1)
    else:
        image = pyvips.Image.new_from_source(opened, "", page=page - 1)
    return _resize(image, region, (image.width / instance.width, image.height / instance.height), size)


def _resize(
    image: pyvips.Image, region: Region, scale: tuple[float, float], size: tuple[int, int], kernel: str = "linear"
) -> pyvips.Image:
    """Return ``region`` of ``image``, which is by ``scale`` smaller than the page, in ``size``."""
    left, top = min(int(region.left * scale[0]), image.width - 1), min(int(region.top * scale[1]), image.height - 1)
    width = max(1, min(round(region.width * scale[0]), image.width - left))
    height = max(1, min(round(region.height * scale[1]), image.height - top))
    if (left, top, width, height) != (0, 0, image.width, image.height):
        image = image.crop(left, top, width, height)
    if (image.width, image.height) == size:
        return image
    image = image.resize(size[0] / image.width, vscale=size[1] / image.height, kernel=kernel)
    return image.crop(0, 0, min(size[0], image.width), min(size[1], image.height))


def _draw_overlay(image: pyvips.Image, mask: bytes, region: Region, size: tuple[int, int]) -> pyvips.Image:
    plane = pyvips.Image.new_from_buffer(mask, "")[0]
    plane = _resize((plane > 0).ifthenelse(255, 0), region, (1.0, 1.0), size)
    plane = plane.embed(0, 0, image.width, image.height, extend="copy")
    return (plane >= 128).ifthenelse(255, image)


def encode(image: pyvips.Image, appearance: Appearance) -> bytes:
    """Return ``image`` in the requested format; raises OverLimits if a response cannot have as many bytes."""
    save: Callable[..., bytes] = image.pngsave_buffer if appearance.media_type == PNG else image.jpegsave_buffer
    options = {"compression": 6} if appearance.media_type == PNG else {"Q": appearance.quality}
    body = bytes(save(keep="none", **options))
    if len(body) > MAX_BODY_BYTES:
        raise OverLimits(f"The result has {len(body):,} bytes; the limit is {MAX_BODY_BYTES:,}. Request a viewport.")
    return body
