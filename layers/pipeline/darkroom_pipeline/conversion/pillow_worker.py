"""Decode a bitmap, an icon or a JPEG 2000 image by Pillow: ``python -m darkroom_pipeline.conversion.pillow_worker``.

Pillow reads bitmaps and icons by code of its own, JPEG 2000 by OpenJPEG. No other parser sees the bytes.
"""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO

from PIL import BmpImagePlugin, IcoImagePlugin, Image, ImageFile, Jpeg2KImagePlugin

from . import bmp, ico, jpeg2000
from .confine import main
from .encode import encode, load_encoders

_MODES = {"1": "L", "P": "RGB", "PA": "RGBA", "La": "LA", "RGBa": "RGBA"}


def prepare(arguments: list[str]) -> Callable[[bytes], bytes]:
    """Return the decoder of the format that is the only argument."""
    [name] = arguments
    Image.MAX_IMAGE_PIXELS = None  # the header was checked against the limits
    ImageFile.LOAD_TRUNCATED_IMAGES = False
    form, decode = _FORMATS[name]
    for mode in ("RGB", "RGBA", "L"):  # modules that Pillow loads when it needs them
        _decode_sample(form, mode, decode)
    load_encoders()
    return decode


def _decode_sample(form: str, mode: str, decode: Callable[[bytes], bytes]) -> None:
    sample, options = BytesIO(), {"bitmap_format": "bmp", "sizes": [(64, 64)]} if form == "ICO" else {}
    Image.new("RGBA" if form == "ICO" else mode, (64, 64)).save(sample, form, **options)
    decode(sample.getvalue())


def decode_bitmap(data: bytes) -> bytes:
    """Return a bitmap as PNG."""
    image = BmpImagePlugin.BmpImageFile(BytesIO(data))
    return encode(_plain(image), lossless=True, profile=bmp.find_profile(data))


def decode_icon(data: bytes) -> bytes:
    """Return the largest image of an icon, a bitmap, as PNG."""
    icon = ico.find_largest(data)
    image = _plain(IcoImagePlugin.IcoImageFile(BytesIO(ico.wrap(icon))))
    if image.mode == "RGBA" and image.getchannel("A").getextrema() == (0, 0):
        image.putalpha(_read_mask(icon))  # as Windows: without any alpha, the mask applies
    return encode(image, lossless=True)


def _read_mask(icon: ico.Icon) -> Image.Image:
    """Return the mask of transparency at the end of a bitmap; opaque if there is none."""
    width, height = size = icon.header.width, icon.header.height
    row = ico.get_mask_row_bytes(width)
    bitmap = bmp.parse_bitmap(icon.body, 0)
    start = int.from_bytes(icon.body[:4], "little") + bitmap.palette_bytes + bitmap.row_bytes * height
    mask = icon.body[start : start + row * height]
    if len(mask) < row * height:
        return Image.new("L", size, 255)
    return Image.frombytes("1", size, mask, "raw", "1;I", row, -1).convert("L")


def decode_jpeg2000(data: bytes) -> bytes:
    """Return a JPEG 2000 image as PNG if its wavelet loses nothing, else as JPEG."""
    container = jpeg2000.read_container(data)
    stream = jpeg2000.parse_codestream(data, container.codestream)
    image = _plain(Jpeg2KImagePlugin.Jpeg2KImageFile(BytesIO(data)))
    bands = 1 if image.mode in ("L", "I;16") else len(image.getbands())
    grey = container.profile[16:20] == b"GRAY"
    profile = container.profile if grey == (bands < 3) else b""
    return encode(image, lossless=stream.reversible, profile=profile)


def _plain(image: Image.Image) -> Image.Image:
    """Return ``image`` without a palette; raises OSError or ValueError if it is damaged."""
    image.load()
    if image.mode == "PA" or (image.mode == "P" and "transparency" in image.info):
        return image.convert("RGBA")
    return image.convert(_MODES[image.mode]) if image.mode in _MODES else image


_FORMATS: dict[str, tuple[str, Callable[[bytes], bytes]]] = {
    "bmp": ("BMP", decode_bitmap),
    "ico": ("ICO", decode_icon),
    "jp2": ("JPEG2000", decode_jpeg2000),
}
"""By format: Pillow's name, and the decoder."""


if __name__ == "__main__":
    main(prepare)
