"""Decode HEIC by pi-heif, as libvips' wheel has no HEVC."""

from __future__ import annotations

from typing import NamedTuple

import pyvips

from ....errors import DamagedSource
from ...colour.icc import attach_profile
from ...source import Source
from .container import Item, find_needed_items, parse_meta


class PixelLayout(NamedTuple):
    """How pi-heif lays an image out: bands, libvips' format, and whether colours are multiplied by alpha."""

    bands: int
    form: str
    premultiplied: bool = False


PIXEL_LAYOUTS: dict[str, PixelLayout] = {
    "L": PixelLayout(1, "uchar"),
    "LA": PixelLayout(2, "uchar"),
    "La": PixelLayout(2, "uchar", premultiplied=True),
    "RGB": PixelLayout(3, "uchar"),
    "RGBA": PixelLayout(4, "uchar"),
    "RGBa": PixelLayout(4, "uchar", premultiplied=True),
    "I;16": PixelLayout(1, "ushort"),
    "L;16": PixelLayout(1, "ushort"),
    "LA;16": PixelLayout(2, "ushort"),
    "La;16": PixelLayout(2, "ushort", premultiplied=True),
    "RGB;16": PixelLayout(3, "ushort"),
    "RGBA;16": PixelLayout(4, "ushort"),
    "RGBa;16": PixelLayout(4, "ushort", premultiplied=True),
}

_MEANINGS = {
    ("uchar", False): "b-w",
    ("uchar", True): "srgb",
    ("ushort", False): "grey16",
    ("ushort", True): "rgb16",
}
_FORBIDDEN = (b"\0\0\0", b"\0\0\1", b"\0\0\2")
"""Never within a unit of HEVC (H.265, 7.4.2): a sign of lost data, over which libde265 paints without complaint."""


def decode_heic(source: Source) -> pyvips.Image:
    """Return the primary image in memory, upright, its colours as stored with the ICC profile that explains them.

    8 bits a band stay 8, more become 16. libheif applies `irot`, `imir` and `clap`; EXIF orientation has no meaning in
    HEIF. Raises DamagedSource, or what the source's stream raised.
    """
    import pi_heif  # 60 ms, for HEIC only

    data = source.read_all()
    _check_units(data)
    try:
        opened = pi_heif.open_heif(data, convert_hdr_to_8bit=False)
        still = opened[opened.primary_index]
        pixels = bytes(still.data)  # a copy: pi-heif frees its memory with the image
    except (EOFError, MemoryError, OSError, RuntimeError, ValueError) as error:
        raise DamagedSource(detail=repr(error)) from error
    image = _image(pixels, still.size, PIXEL_LAYOUTS[still.mode])
    profile = still.info.get("icc_profile")
    return attach_profile(image, profile) if profile else image


def _image(pixels: bytes, size: tuple[int, int], layout: PixelLayout) -> pyvips.Image:
    image = pyvips.Image.new_from_memory(pixels, *size, layout.bands, layout.form)
    image = image.copy(interpretation=_MEANINGS[layout.form, layout.bands > 2])
    return image.unpremultiply().cast(layout.form) if layout.premultiplied else image


def _check_units(data: bytes) -> None:
    """Raise DamagedSource where a coded image is not made of whole units of HEVC."""
    try:
        meta = parse_meta(data)
        needed = [meta.items[number] for number in find_needed_items(meta)]
    except (LookupError, ValueError) as error:
        raise DamagedSource(detail=repr(error)) from error
    for item in needed:
        config = item.first(b"hvcC")
        if item.kind == b"hvc1" and config is not None and len(config) > 21:
            _check_item(data, item, (config[21] & 3) + 1)


def _check_item(data: bytes, item: Item, length_size: int) -> None:
    body = b"".join(data[part.offset : part.offset + part.length] for part in item.extents)
    at = 0
    while at < len(body):
        start = at + length_size
        at = start + int.from_bytes(body[at:start])
        if at > len(body) or any(body.find(mark, start, at) >= 0 for mark in _FORBIDDEN):
            raise DamagedSource(detail="a unit of HEVC is cut off or overwritten")
