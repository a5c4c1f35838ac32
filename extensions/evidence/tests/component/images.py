"""Photographs with and without splices, and EXIF blocks with thumbnails, as editors and cameras write them."""

from __future__ import annotations

import io
from functools import cache

from PIL import Image

from tests.images.photographs import photograph

BOX = (213, 117, 200, 150)
"""Left, top, width and height of the splice."""


def compress(image: Image.Image, quality: int, **options: object) -> bytes:
    target = io.BytesIO()
    image.save(target, "JPEG", quality=quality, **options)
    return target.getvalue()


def decode(jpeg: bytes) -> Image.Image:
    return Image.open(io.BytesIO(jpeg)).convert("RGB")


@cache
def coffee() -> Image.Image:
    """A photograph of 600 × 400 px that was never a JPEG."""
    from skimage import data

    return Image.fromarray(data.coffee())


@cache
def once(quality: int = 85) -> bytes:
    return compress(coffee(), quality)


@cache
def twice(first: int = 70, second: int = 88) -> bytes:
    return compress(decode(compress(coffee(), first)), second)


def splice(image: Image.Image) -> Image.Image:
    """Paste a part of another compressed photograph."""
    part = decode(compress(photograph(), 90)).crop((130, 30, 330, 180))
    changed = image.copy()
    changed.paste(part, BOX[:2])
    return changed


@cache
def spliced(first: int = 70, second: int = 88) -> bytes:
    return compress(splice(decode(compress(coffee(), first))), second)


def with_exif(jpeg: bytes, block: bytes) -> bytes:
    """Return ``jpeg`` with an EXIF block in front."""
    body = b"Exif\0\0" + block
    return jpeg[:2] + b"\xff\xe1" + (len(body) + 2).to_bytes(2) + body + jpeg[2:]


def build_exif(thumbnail: bytes = b"", make: str = "", model: str = "", *, next_at: int | None = None) -> bytes:
    """Return a block of two directories. ``next_at`` replaces the position of the second one."""
    texts = [(271, make.encode() + b"\0"), (272, model.encode() + b"\0")] if make else []
    first_size = 2 + 12 * len(texts) + 4
    data_at = 8 + first_size
    entries, data = b"", b""
    for tag, text in texts:
        padded = text.ljust(5, b"\0")  # four bytes would be in the entry itself
        entries += entry(tag, 2, len(padded), data_at + len(data))
        data += padded
    second_at = data_at + len(data)
    second = b""
    if thumbnail:
        second = (2).to_bytes(2) + entry(0x0201, 4, 1, second_at + 30) + entry(0x0202, 4, 1, len(thumbnail)) + bytes(4)
    following = next_at if next_at is not None else (second_at if thumbnail else 0)
    first = len(texts).to_bytes(2) + entries + following.to_bytes(4)
    return b"MM\0\x2a" + (8).to_bytes(4) + first + data + second + thumbnail


def entry(tag: int, kind: int, count: int, value: int) -> bytes:
    return tag.to_bytes(2) + kind.to_bytes(2) + count.to_bytes(4) + value.to_bytes(4)


def make_thumbnail(image: Image.Image, size: tuple[int, int] = (160, 107)) -> bytes:
    return compress(image.resize(size, Image.Resampling.BICUBIC), 80)
