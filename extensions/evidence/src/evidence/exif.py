"""Read camera, software and thumbnail of an EXIF block (CIPA DC-008)."""

from __future__ import annotations

from dataclasses import dataclass

from darkroom.imaging.formats.metadata.image_metadata import clean_text
from darkroom.imaging.formats.tiff.container import Directory, TiffReader

_MAKE, _MODEL, _SOFTWARE = 271, 272, 305
_THUMBNAIL_AT, _THUMBNAIL_BYTES = 0x0201, 0x0202
_MAX_TEXT_BYTES = 256


@dataclass(frozen=True, slots=True)
class ExifFacts:
    """What the first two directories state. Texts are untrusted; ``thumbnail`` is empty without one."""

    make: str = ""
    model: str = ""
    software: str = ""
    thumbnail: bytes = b""


def read_exif(block: bytes) -> ExifFacts:
    """Read the block of an image; raise ValueError where it is broken.

    Two directories are read at most, so that directories which point at each other cost nothing.
    """
    if block[:2] not in (b"II", b"MM"):
        return ExifFacts()
    tiff = TiffReader(lambda at, length: block[at : at + length])
    main = tiff.read_directory(tiff.first)
    return ExifFacts(
        make=_read_text(tiff, main, _MAKE),
        model=_read_text(tiff, main, _MODEL),
        software=_read_text(tiff, main, _SOFTWARE),
        thumbnail=_read_thumbnail(tiff, block, main.next_at),
    )


def _read_text(tiff: TiffReader, directory: Directory, tag: int) -> str:
    entry = directory.entries.get(tag)
    if entry is None:
        return ""
    return clean_text(tiff.read_value(entry, _MAX_TEXT_BYTES).split(b"\0")[0].decode("latin-1"))


def _read_thumbnail(tiff: TiffReader, block: bytes, at: int) -> bytes:
    if not at or at == tiff.first:
        return b""
    second = tiff.read_directory(at)
    start, size = tiff.read_number(second, _THUMBNAIL_AT), tiff.read_number(second, _THUMBNAIL_BYTES)
    found = block[start : start + size]
    if size and len(found) < size:
        raise ValueError("the thumbnail is cut off")
    return found if found.startswith(b"\xff\xd8") else b""
