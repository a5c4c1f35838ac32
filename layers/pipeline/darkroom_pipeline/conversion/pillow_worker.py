"""Decode an upload by Pillow: ``python -m darkroom_pipeline.conversion.pillow_worker FORMAT``.

Pillow reads bitmaps, icons and rows of Photoshop documents by code of its own, JPEG 2000 by OpenJPEG. No other parser
sees the bytes.
"""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO

from PIL import BmpImagePlugin, IcoImagePlugin, Image, ImageChops, ImageFile, Jpeg2KImagePlugin

from . import bmp, ico, jpeg2000, psd
from .confine import main
from .encode import encode, load_encoders

_ROUNDING = 2
"""Levels by which a colour composed on white may be too dark."""
_MODES = {"1": "L", "P": "RGB", "PA": "RGBA", "La": "LA", "RGBa": "RGBA"}


def prepare(arguments: list[str]) -> Callable[[bytes], bytes]:
    """Return the decoder of the format that is the only argument."""
    [name] = arguments
    Image.MAX_IMAGE_PIXELS = None  # the header was checked against the limits
    ImageFile.LOAD_TRUNCATED_IMAGES = False
    form, decode = _FORMATS[name]
    for mode in ("RGB", "RGBA", "L") if form else ():  # modules that Pillow loads when it needs them
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


def decode_photoshop(data: bytes) -> bytes:
    """Return the composite image of a Photoshop document as PNG, with four inks as JPEG."""
    document = psd.parse_document(data)
    count = psd.COLOURS[document.mode]
    planes = [
        _read_plane(document, data, *place) for place in document.find_planes(data)[: count + document.transparent]
    ]
    image = _merge_planes(document, planes[:count])
    if document.transparent:
        image = _separate_white(image, planes[count])
    space = {"L": b"GRAY", "LA": b"GRAY", "CMYK": b"CMYK"}.get(image.mode, b"RGB ")
    profile = document.profile if document.profile[16:20] == space else b""
    return encode(image, lossless=image.mode != "CMYK", profile=profile)


def _read_plane(document: psd.Document, data: bytes, start: int, end: int) -> Image.Image:
    """Return a channel in 8 bits, of 16 the higher. Raises ValueError if it is damaged."""
    size = (document.row_bytes, document.height)
    body = data[start:end]
    if document.compression == psd.RUN_LENGTHS:
        body = Image.frombytes("L", size, body, "packbits", "L").tobytes()
    if document.mode == psd.BITMAP:
        return Image.frombytes("1", (document.width, document.height), body, "raw", "1;I").convert("L")
    return Image.frombytes("L", (document.width, document.height), body[:: document.bits // 8])


def _merge_planes(document: psd.Document, planes: list[Image.Image]) -> Image.Image:
    if document.mode == psd.CMYK:
        return Image.merge("CMYK", [ImageChops.invert(plane) for plane in planes])
    if document.mode == psd.INDEXED:
        image = planes[0].convert("P")
        image.putpalette(document.palette, "RGB;L")
        return image.convert("RGB")
    return Image.merge("RGB", planes) if document.mode == psd.RGB else planes[0]


def _separate_white(colours: Image.Image, alpha: Image.Image) -> Image.Image:
    """Return a composite image with its transparency. Photoshop composes it on white, some other programs on nothing.

    On white, no colour is darker than the share of white: where one is, the image has its own colours already.
    """
    white = ImageChops.invert(alpha)
    bands = colours.split()
    if any(any(ImageChops.subtract(white, band).histogram()[_ROUNDING + 1 :]) for band in bands):
        colours.putalpha(alpha)
        return colours
    multiplied = [ImageChops.subtract(band, white) for band in bands]
    return Image.merge(f"{colours.mode}a", [*multiplied, alpha]).convert(f"{colours.mode}A")


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
    "psd": ("", decode_photoshop),
}
"""By format: the name by which Pillow can write a sample, if it can, and the decoder."""


if __name__ == "__main__":
    main(prepare)
