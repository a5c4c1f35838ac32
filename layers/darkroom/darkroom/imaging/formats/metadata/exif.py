"""EXIF 3.0 (CIPA DC-008)."""

from __future__ import annotations

from ..tiff.container import Directory, TiffReader
from .image_metadata import (
    EMPTY,
    GpsLocation,
    ImageMetadata,
    build_location,
    clean_text,
    join_make_and_model,
    parse_timestamp,
)

MAX_TEXT_BYTES = 4_096
_MAKE, _MODEL, _ARTIST, _COPYRIGHT, _EXIF, _GPS = 271, 272, 315, 33432, 34665, 34853
_ORIGINAL, _DIGITISED, _LENS = 0x9003, 0x9004, 0xA434
_ORIGINAL_OFFSET, _DIGITISED_OFFSET, _ORIGINAL_SUBSECONDS, _DIGITISED_SUBSECONDS = 0x9011, 0x9012, 0x9291, 0x9292
_LATITUDE_REF, _LATITUDE, _LONGITUDE_REF, _LONGITUDE, _ALTITUDE_REF, _ALTITUDE = range(1, 7)
_TEXTS = frozenset((1, 2, 7, 129))
"""Types that hold text: ASCII, UTF-8 since EXIF 3.0, and what careless writers take."""
_RATIONAL, _SIGNED_RATIONAL = 5, 10
_BELOW_SEA = 1
_EMPTY = Directory(0, {}, 0)


def parse_exif(block: bytes) -> ImageMetadata:
    """Parse an EXIF block or a TIFF; raise ValueError where its first directory is broken."""
    if block[:2] not in (b"II", b"MM"):
        return EMPTY
    exif = _ExifReader(block)
    main = exif.tiff.read_directory(exif.tiff.first)
    shot = exif.read_subdirectory(main, _EXIF)
    return ImageMetadata(
        captured_at=exif.read_timestamp(shot, _ORIGINAL, _ORIGINAL_SUBSECONDS, _ORIGINAL_OFFSET),
        digitised_at=exif.read_timestamp(shot, _DIGITISED, _DIGITISED_SUBSECONDS, _DIGITISED_OFFSET),
        camera=join_make_and_model(exif.read_text(main, _MAKE), exif.read_text(main, _MODEL)),
        lens=exif.read_text(shot, _LENS),
        creator=exif.read_text(main, _ARTIST),
        copyright=exif.read_text(main, _COPYRIGHT),
        location=exif.read_location(exif.read_subdirectory(main, _GPS)),
    )


class _ExifReader:
    """A block whose parts are read on demand; broken ones count as missing."""

    def __init__(self, block: bytes) -> None:
        self.tiff = TiffReader(lambda at, length: block[at : at + length])

    def read_subdirectory(self, directory: Directory, tag: int) -> Directory:
        """Return the directory that a tag points to."""
        try:
            at = self.tiff.read_number(directory, tag)
            return self.tiff.read_directory(at) if at else _EMPTY
        except ValueError:
            return _EMPTY

    def read_text(self, directory: Directory, tag: int) -> str:
        """Return a tag's text, ASCII or often UTF-8. NUL separates parts, as in a copyright of two holders."""
        entry = directory.entries.get(tag)
        if entry is None or entry.kind not in _TEXTS:
            return ""
        body = self.tiff.read_value(entry, MAX_TEXT_BYTES)
        try:
            text = body.decode()
        except UnicodeDecodeError:
            text = body.decode("latin-1")
        return clean_text(text.split("\0"))

    def read_timestamp(self, directory: Directory, tag: int, subseconds: int, offset: int) -> str:
        """Return a date and time, with subseconds and offset from their own tags."""
        return parse_timestamp(
            self.read_text(directory, tag),
            subseconds=self.read_text(directory, subseconds),
            offset=self.read_text(directory, offset),
        )

    def read_rationals(self, directory: Directory, tag: int, most: int) -> list[float]:
        """Return a tag's numbers; none where one is a division by zero, but for 0/0, which stands for nothing."""
        entry = directory.entries.get(tag)
        if entry is None or entry.kind not in (_RATIONAL, _SIGNED_RATIONAL):
            return []
        body = self.tiff.read_value(entry, 8 * most)
        words = [self._decode_word(body[at : at + 4], entry.kind) for at in range(0, len(body) - 3, 4)]
        pairs = [(top, bottom or (1 if top == 0 else 0)) for top, bottom in zip(words[::2], words[1::2], strict=False)]
        return [top / bottom for top, bottom in pairs] if all(bottom for _, bottom in pairs) else []

    def read_location(self, gps: Directory) -> GpsLocation | None:
        """Return where the image was captured."""
        latitude = self._read_degrees(gps, _LATITUDE, _LATITUDE_REF, "S")
        longitude = self._read_degrees(gps, _LONGITUDE, _LONGITUDE_REF, "W")
        heights = self.read_rationals(gps, _ALTITUDE, 1)
        sign = -1 if self.tiff.read_number(gps, _ALTITUDE_REF) == _BELOW_SEA else 1
        return build_location(latitude, longitude, sign * heights[0] if heights else None)

    def _read_degrees(self, gps: Directory, tag: int, reference: int, negative: str) -> float | None:
        parts = self.read_rationals(gps, tag, 3)
        if not parts:
            return None
        degrees = sum(part / 60.0**power for power, part in enumerate(parts))
        return -degrees if self.read_text(gps, reference).upper().startswith(negative) else degrees

    def _decode_word(self, data: bytes, kind: int) -> int:
        number = self.tiff.decode_number(data)
        return number - 2**32 if kind == _SIGNED_RATIONAL and number >= 2**31 else number
