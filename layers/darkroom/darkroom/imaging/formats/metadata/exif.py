"""EXIF 3.0 (CIPA DC-008)."""

from __future__ import annotations

from ..tiff.container import Directory, Tiff
from .image_metadata import NOTHING, Facts, Place, camera_of, moment, place_of, text_of

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


def read(block: bytes) -> Facts:
    """What an EXIF block or a TIFF says; raises ValueError where its first directory is broken."""
    if block[:2] not in (b"II", b"MM"):
        return NOTHING
    exif = _Exif(block)
    main = exif.tiff.directory(exif.tiff.first)
    shot = exif.below(main, _EXIF)
    return Facts(
        captured_at=exif.moment(shot, _ORIGINAL, _ORIGINAL_SUBSECONDS, _ORIGINAL_OFFSET),
        digitised_at=exif.moment(shot, _DIGITISED, _DIGITISED_SUBSECONDS, _DIGITISED_OFFSET),
        camera=camera_of(exif.text(main, _MAKE), exif.text(main, _MODEL)),
        lens=exif.text(shot, _LENS),
        creator=exif.text(main, _ARTIST),
        copyright=exif.text(main, _COPYRIGHT),
        place=exif.place(exif.below(main, _GPS)),
    )


class _Exif:
    """A block whose parts are read as they are asked for; what is broken counts as missing."""

    def __init__(self, block: bytes) -> None:
        self.tiff = Tiff(lambda at, length: block[at : at + length])

    def below(self, directory: Directory, tag: int) -> Directory:
        """The directory that a tag points to."""
        try:
            at = self.tiff.number(directory, tag)
            return self.tiff.directory(at) if at else _EMPTY
        except ValueError:
            return _EMPTY

    def text(self, directory: Directory, tag: int) -> str:
        """A tag's text, which should be ASCII and often is UTF-8. NUL separates, as in a copyright of two holders."""
        entry = directory.entries.get(tag)
        if entry is None or entry.kind not in _TEXTS:
            return ""
        body = self.tiff.body(entry, MAX_TEXT_BYTES)
        try:
            text = body.decode()
        except UnicodeDecodeError:
            text = body.decode("latin-1")
        return text_of(text.split("\0"))

    def moment(self, directory: Directory, tag: int, subseconds: int, offset: int) -> str:
        """A date and time, with what its companions say."""
        return moment(
            self.text(directory, tag),
            subseconds=self.text(directory, subseconds),
            offset=self.text(directory, offset),
        )

    def rationals(self, directory: Directory, tag: int, most: int) -> list[float]:
        """A tag's numbers; none where one is a division by zero, but for 0/0, which stands for nothing."""
        entry = directory.entries.get(tag)
        if entry is None or entry.kind not in (_RATIONAL, _SIGNED_RATIONAL):
            return []
        body = self.tiff.body(entry, 8 * most)
        words = [self._word(body[at : at + 4], entry.kind) for at in range(0, len(body) - 3, 4)]
        pairs = [(top, bottom or (1 if top == 0 else 0)) for top, bottom in zip(words[::2], words[1::2], strict=False)]
        return [top / bottom for top, bottom in pairs] if all(bottom for _, bottom in pairs) else []

    def place(self, gps: Directory) -> Place | None:
        """Where it was."""
        latitude = self._degrees(gps, _LATITUDE, _LATITUDE_REF, "S")
        longitude = self._degrees(gps, _LONGITUDE, _LONGITUDE_REF, "W")
        heights = self.rationals(gps, _ALTITUDE, 1)
        sign = -1 if self.tiff.number(gps, _ALTITUDE_REF) == _BELOW_SEA else 1
        return place_of(latitude, longitude, sign * heights[0] if heights else None)

    def _degrees(self, gps: Directory, tag: int, reference: int, negative: str) -> float | None:
        parts = self.rationals(gps, tag, 3)
        if not parts:
            return None
        degrees = sum(part / 60.0**power for power, part in enumerate(parts))
        return -degrees if self.text(gps, reference).upper().startswith(negative) else degrees

    def _word(self, data: bytes, kind: int) -> int:
        number = self.tiff.number_in(data)
        return number - 2**32 if kind == _SIGNED_RATIONAL and number >= 2**31 else number
