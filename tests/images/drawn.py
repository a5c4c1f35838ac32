"""Input files for tests: drawn small, then patched or corrupted byte by byte."""

from __future__ import annotations

import io
import struct
import zlib
from functools import cache
from pathlib import Path

import numpy as np
import pyvips
from PIL import Image, TiffImagePlugin

HEIC = Path(__file__).parent / "heic"


def corners(width: int = 96, height: int = 64) -> np.ndarray:
    """A red, a green, a blue and a white quarter, in reading order."""
    pixels = np.zeros((height, width, 3), np.uint8)
    pixels[: height // 2, : width // 2] = (255, 0, 0)
    pixels[: height // 2, width // 2 :] = (0, 255, 0)
    pixels[height // 2 :, : width // 2] = (0, 0, 255)
    pixels[height // 2 :, width // 2 :] = (255, 255, 255)
    return pixels


@cache
def saved(form: str, width: int = 96, height: int = 64, mode: str = "RGB", **options: object) -> bytes:
    """The corners in a format that Pillow writes."""
    out = io.BytesIO()
    Image.fromarray(corners(width, height)).convert(mode).save(out, form, **options)
    return out.getvalue()


@cache
def avif(width: int = 96, height: int = 64, bands: int = 3, bitdepth: int = 8) -> bytes:
    """A flat AVIF by libvips."""
    image = pyvips.Image.black(width, height, bands=bands) + [200, 100, 50, 128][:bands]
    image = image.cast("uchar").copy(interpretation="srgb")
    if bitdepth > 8:
        image = (image.cast("ushort") * 257).copy(interpretation="rgb16")
    data: bytes = image.heifsave_buffer(compression="av1", effort=0, bitdepth=bitdepth)
    return data


def jpeg_of_size(width: int, height: int) -> bytes:
    """A small JPEG whose frame header declares another size."""
    data = bytearray(saved("JPEG"))
    frame = data.index(b"\xff\xc0")
    data[frame + 5 : frame + 9] = struct.pack(">HH", height, width)
    return bytes(data)


def png_of_size(width: int, height: int) -> bytes:
    """A PNG with a header for any size and hardly any pixels."""
    header = struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", header) + png_chunk(b"IDAT", zlib.compress(bytes(1000)))


def png_chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def avif_of_size(width: int, height: int, coded_width: int = 64, coded_height: int = 64) -> bytes:
    """An AVIF whose `ispe` and bitstream declare different sizes."""
    data = avif(coded_width, coded_height)
    extent = b"ispe" + bytes(4)
    size_box = extent + struct.pack(">II", coded_width, coded_height)
    assert data.count(size_box) == 1
    return data.replace(size_box, extent + struct.pack(">II", width, height))


def with_exif(jpeg: bytes, orientation: int, *, big: bool = False) -> bytes:
    """A JPEG with an EXIF orientation, GPS, a comment, XMP and IPTC in front of all else."""
    exif = exif_block(orientation, big=big)
    parts = (
        (0xE1, b"Exif\0\0" + exif),
        (0xE1, b"http://ns.adobe.com/xap/1.0/\0<x:xmpmeta>secret place</x:xmpmeta>"),
        (0xED, b"Photoshop 3.0\x008BIM\x04\x04\0\0\0\0\0\x0asecret name"),
        (0xFE, b"secret comment"),
    )
    segments = b"".join(b"\xff" + bytes([marker]) + struct.pack(">H", len(body) + 2) + body for marker, body in parts)
    return jpeg[:2] + segments + jpeg[2:]


def exif_block(orientation: int, *, big: bool = False) -> bytes:
    """A TIFF structure with an orientation and GPS coordinates."""
    exif = Image.Exif()
    exif.endian = ">" if big else "<"
    exif[0x0112] = orientation
    exif[0x010F] = "secret maker"
    exif.get_ifd(0x8825).update({1: "N", 2: (52.0, 30.0, 0.0)})
    return exif.tobytes().removeprefix(b"Exif\0\0")


def tiff(pages: int = 1, **tags: int) -> bytes:
    """Pages of growing width, from 10 px."""
    out = io.BytesIO()
    sheets = [Image.new("RGB", (10 + page, 8), (page, 0, 0)) for page in range(pages)]
    info = TiffImagePlugin.ImageFileDirectory_v2()
    for number, value in tags.items():
        info[int(number.removeprefix("tag_"))] = value
    sheets[0].save(out, "TIFF", save_all=True, append_images=sheets[1:], tiffinfo=info)
    return out.getvalue()


def animation(form: str, frames: int = 3, size: tuple[int, int] = (40, 30)) -> bytes:
    """An animation that changes its colour."""
    sheets = [Image.new("RGB", size, (40 * frame % 256, 80, 160)) for frame in range(frames)]
    out = io.BytesIO()
    sheets[0].save(out, form, save_all=True, append_images=sheets[1:], duration=70, loop=2)
    return out.getvalue()
