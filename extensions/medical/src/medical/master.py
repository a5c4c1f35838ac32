"""Masters: TIFFs with a page for each frame, in tiles, each page with smaller copies of itself."""

from __future__ import annotations

import mmap
from pathlib import Path

import pyvips

MEDIA_TYPE = "image/tiff"
TILE_PX = 256
MAX_CLASSIC_BYTES = 2**31
"""Uncompressed size from which on the TIFF has 64-bit offsets."""


def write_master(pages: Path, target: Path, *, width: int, height: int, count: int, colour: bool) -> int:
    """Write ``count`` raw pages of ``width`` x ``height`` px as a TIFF; return the number of smaller copies of each.

    A page has 16-bit numbers, little endian, or 8-bit RGB. Compression is lossless. Copies are means of 2 x 2 px.
    """
    image = _map(pages, width, height * count, 3 if colour else 1, "uchar" if colour else "ushort")
    image = image.copy(interpretation="srgb" if colour else "grey16")
    image.set_type(pyvips.GValue.gint_type, "page-height", height)
    image.tiffsave(
        str(target),
        tile=True,
        tile_width=TILE_PX,
        tile_height=TILE_PX,
        pyramid=True,
        subifd=True,
        depth="onetile",
        compression="deflate",
        predictor="horizontal",
        region_shrink="mean",
        bigtiff=pages.stat().st_size > MAX_CLASSIC_BYTES,
        page_height=height,
        keep="none",
    )
    written = pyvips.Image.tiffload(str(target))
    return int(written.get("n-subifds")) if "n-subifds" in written.get_fields() else 0


def write_overlay(mask: Path, width: int, height: int) -> bytes:
    """Return a mask, a raw byte for each pixel, as PNG."""
    image = _map(mask, width, height, 1, "uchar").copy(interpretation="b-w")
    return bytes(image.pngsave_buffer(bitdepth=1, keep="none"))


def _map(file: Path, width: int, height: int, bands: int, number_format: str) -> pyvips.Image:
    """Return raw pixels of ``file`` without reading them: the core blocks libvips' loader of raw files."""
    with file.open("rb") as opened:
        pixels = mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ)
    return pyvips.Image.new_from_memory(pixels, width, height, bands, number_format)
