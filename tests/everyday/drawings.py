"""Files that the matrix draws, by name, written by Pillow; the project's own decoder and encoder are libvips."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from functools import cache

import numpy as np
from PIL import Image, ImageCms, ImageDraw

from tests.images.drawn import png_chunk
from tests.images.hidden import in_rendition
from tests.images.photographs import turned
from tests.images.planted import display_p3, exif, in_jpeg
from tests.images.sources import SVG, cutout, photo, saved, sixteen_bit, sources

ARTIST = "Ada Lovelace"
"""Creator in the EXIF of a drawing with rights."""

_CREATOR_TAG, _COPYRIGHT_TAG = 0x013B, 0x8298
_P3_OF_SRGB = np.array([[0.8225, 0.1774, 0.0], [0.0332, 0.9669, 0.0], [0.0171, 0.0724, 0.9108]])
"""Linear sRGB in linear Display P3 (CSS Color 4, 10.2)."""


def _frames(count: int = 4) -> list[Image.Image]:
    """The photograph with a bar that moves."""
    sheets = []
    for number in range(count):
        sheet = photo()
        ImageDraw.Draw(sheet).rectangle((60 * number, 0, 60 * number + 40, 40), fill=(250, 40 * number, 0))
        sheets.append(sheet)
    return sheets


def _animation(form: str, **options: object) -> bytes:
    first, *others = _frames()
    return saved(first, form, save_all=True, append_images=others, duration=90, loop=0, **options)


def _wide() -> bytes:
    """The photograph in Display P3: other numbers, the same colours."""
    values = np.asarray(photo(), np.float64) / 255
    light = np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4) @ _P3_OF_SRGB.T
    encoded = np.where(light <= 0.0031308, light * 12.92, 1.055 * light.clip(0) ** (1 / 2.4) - 0.055)
    return saved(Image.fromarray(np.rint(encoded.clip(0, 1) * 255).astype(np.uint8)), "PNG", icc_profile=display_p3())


def _lab() -> bytes:
    to_lab = ImageCms.buildTransform(ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), "RGB", "LAB")
    converted = ImageCms.applyTransform(photo(), to_lab)
    assert converted is not None
    return saved(converted, "TIFF")


def _palette_with_transparency() -> bytes:
    """A palette of which one entry is transparent, as tools of web pages write."""
    image = photo().quantize(64)
    ImageDraw.Draw(image).rectangle((0, 0, 80, 240), fill=0)
    return saved(image, "PNG", transparency=0)


def _half_transparent_palette() -> bytes:
    """A palette with an alpha of its own for each entry (tRNS)."""
    image = photo().quantize(16)
    return saved(image, "PNG", transparency=bytes(range(40, 40 + 13 * 16, 13)))


def _sixteen_bit_grey_alpha() -> bytes:
    """A PNG of 16-bit grey with alpha, which Pillow does not write."""
    import struct
    import zlib

    grey = np.asarray(photo().convert("L"), np.uint16) * 257
    alpha = np.asarray(cutout().getchannel("A"), np.uint16) * 257
    rows = np.stack([grey, alpha], axis=2).astype(">u2")
    packed = zlib.compress(b"".join(b"\0" + row.tobytes() for row in rows))
    header = struct.pack(">IIBBBBB", grey.shape[1], grey.shape[0], 16, 4, 0, 0, 0)
    chunks = png_chunk(b"IHDR", header) + png_chunk(b"IDAT", packed) + png_chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunks


def _with_rights(form: str) -> bytes:
    block = Image.Exif()
    block[_CREATOR_TAG], block[_COPYRIGHT_TAG] = ARTIST, f"(c) {ARTIST}"
    return saved(photo(), form, exif=block.tobytes())


def _panorama() -> bytes:
    strip = photo().resize((160, 120))
    image = Image.new("RGB", (3200, 120))
    for left in range(0, image.width, strip.width):
        image.paste(strip, (left, 0))
    return saved(image, "JPEG", quality=90)


def _svg_as_drawn() -> bytes:
    """The SVG of the sources, drawn by Pillow at four times its size and reduced."""
    image = Image.new("RGBA", (1280, 960), (255, 255, 255, 0))
    pen = ImageDraw.Draw(image)
    pen.rectangle((80, 80, 639, 879), fill=(204, 0, 0))
    pen.ellipse((680, 200, 1240, 760), fill=(0, 102, 255))
    return saved(image.resize((320, 240), Image.Resampling.BOX), "PNG")


def _tiff_pages() -> bytes:
    first, *others = _frames()
    return saved(first, "TIFF", save_all=True, append_images=others, compression="tiff_lzw")


DRAWN: Mapping[str, Callable[[], bytes]] = {
    **{
        name: (lambda name=name: sources()[name])
        for name in (  # type: ignore[misc]
            *("jpeg", "jpeg progressive", "jpeg grey", "jpeg cmyk", "png", "png alpha", "png palette", "png grey"),
            *("png grey alpha", "webp", "webp alpha", "gif", "avif", "avif alpha", "tiff", "tiff cmyk"),
        )
    },
    "png 16 bit": sixteen_bit,
    "png 16 bit grey": lambda: sixteen_bit(1),
    "png 16 bit grey alpha": _sixteen_bit_grey_alpha,
    "png 1 bit": lambda: saved(photo().convert("1"), "PNG"),
    "png 4 bit grey": lambda: saved(photo().convert("L").quantize(16), "PNG", bits=4),
    "png palette transparent": _palette_with_transparency,
    "png palette alpha": _half_transparent_palette,
    "png display p3": _wide,
    "png interlaced": lambda: saved(photo(), "PNG", interlace=True),
    "apng": lambda: _animation("PNG"),
    "gif animated": lambda: _animation("GIF"),
    "gif transparent": lambda: saved(cutout(), "GIF"),
    "webp animated": lambda: _animation("WEBP", quality=90),
    "avif animated": lambda: _animation("AVIF", quality=90),
    "avif grey": lambda: saved(photo().convert("L"), "AVIF", quality=90),
    "tiff 1 bit": lambda: saved(photo().convert("1"), "TIFF", compression="group4"),
    "tiff grey": lambda: saved(photo().convert("L"), "TIFF"),
    "tiff grey alpha": lambda: saved(cutout().convert("LA"), "TIFF"),
    "tiff alpha": lambda: saved(cutout(), "TIFF", compression="tiff_adobe_deflate"),
    "tiff jpeg": lambda: saved(photo(), "TIFF", compression="jpeg", quality=95),
    "tiff pages": _tiff_pages,
    "tiff lab": _lab,
    "jpeg turned 6": lambda: turned(photo(), 6),
    "jpeg turned 8": lambda: turned(photo(), 8),
    "jpeg private": lambda: in_jpeg(saved(photo(), "JPEG", quality=95)),
    "jpeg gain map": lambda: in_rendition(photo()),
    "jpeg rights": lambda: _with_rights("JPEG"),
    "png rights": lambda: _with_rights("PNG"),
    "webp rights": lambda: _with_rights("WEBP"),
    "avif rights": lambda: _with_rights("AVIF"),
    "png turned": lambda: saved(photo().rotate(90, expand=True), "PNG", exif=exif(6)),
    "webp turned": lambda: saved(photo().rotate(90, expand=True), "WEBP", quality=95, exif=exif(6)),
    "jpeg one pixel": lambda: saved(Image.new("RGB", (1, 1), (200, 90, 30)), "JPEG"),
    "png one pixel": lambda: saved(Image.new("RGB", (1, 1), (200, 90, 30)), "PNG"),
    "png one clear pixel": lambda: saved(Image.new("RGBA", (1, 1), (0, 0, 0, 0)), "PNG"),
    "gif one pixel": lambda: saved(Image.new("P", (1, 1)), "GIF", transparency=0),
    "webp one pixel": lambda: saved(Image.new("RGB", (1, 1), (200, 90, 30)), "WEBP"),
    "avif one pixel": lambda: saved(Image.new("RGB", (1, 1), (200, 90, 30)), "AVIF"),
    "png grey one pixel": lambda: saved(Image.new("L", (1, 1), 90), "PNG"),
    "png clear": lambda: saved(Image.new("RGBA", (200, 150), (0, 0, 0, 0)), "PNG"),
    "png black": lambda: saved(Image.new("L", (200, 150), 0), "PNG"),
    "jpeg panorama": _panorama,
    "jpeg tall": lambda: saved(photo().resize((60, 2400)), "JPEG", quality=90),
    "png one column": lambda: saved(photo().resize((1, 240)), "PNG"),
    "svg": lambda: SVG,
    "svg as drawn": _svg_as_drawn,
    "bmp": lambda: saved(photo(), "BMP"),
    "bmp palette": lambda: saved(photo().quantize(256), "BMP"),
    "ico": lambda: saved(cutout().resize((64, 64)), "ICO", sizes=[(16, 16), (64, 64)]),
    "jpeg 2000": lambda: saved(photo(), "JPEG2000", quality_mode="rates", quality_layers=[8]),
    "jpeg 2000 grey": lambda: saved(photo().convert("L"), "JPEG2000"),
}
"""Functions by the name of the drawing."""


@cache
def draw(name: str) -> bytes:
    """Return the file of a drawing."""
    return DRAWN[name]()


def open_image(body: bytes) -> Image.Image:
    """Open ``body`` by Pillow, or pi-heif."""
    if body[4:8] == b"ftyp" and body[8:12] in (b"heic", b"heix", b"mif1", b"msf1", b"hevc"):
        import pi_heif

        return pi_heif.open_heif(io.BytesIO(body)).to_pillow()
    return Image.open(io.BytesIO(body))
