"""UltraHDR files: a JPEG with a second, smaller one behind it, the gain map (Android's Ultra HDR 1.1, ISO 21496-1).

libvips' own ``uhdrsave`` writes EXIF into both pictures and no GContainer, which older readers want; hence the few
lines here.
"""

from __future__ import annotations

from dataclasses import dataclass

from ....plan.geometry.layout import Size
from .container import (
    APP1,
    APP2,
    FRAMES,
    HDRGM,
    ISO_GAIN_MAP,
    MPF,
    XMP,
    Picture,
    further_pictures,
    picture_at,
    segment,
)
from .gain_map import VERSION_ONLY, Parameters, base_xmp, from_iso, from_xmp, map_xmp, to_iso


@dataclass(frozen=True, slots=True)
class GainMap:
    """A gain map as it is stored: a JPEG of ``size`` px for a base of ``base_size`` px, and its numbers."""

    jpeg: bytes
    size: Size
    base_size: Size
    parameters: Parameters


def read(data: bytes) -> GainMap | None:
    """The gain map in the JPEG ``data``; None where there is none that can be used."""
    try:
        base = picture_at(data)
        return next(filter(None, (_usable(data, base, place) for place in further_pictures(data, base))), None)
    except (ArithmeticError, LookupError, ValueError):
        return None


def attach(base: bytes, gain_map: bytes, parameters: Parameters) -> bytes:
    """One UltraHDR file of two JPEGs without metadata: XMP and ISO 21496-1 in both, MPF in the first."""
    told = segment(APP1, XMP + map_xmp(parameters)) + segment(APP2, ISO_GAIN_MAP + to_iso(parameters))
    second = _inserted(gain_map, told)
    announced = segment(APP1, XMP + base_xmp(len(second))) + segment(APP2, ISO_GAIN_MAP + VERSION_ONLY)
    place = _after_applications(base) + len(announced)
    first_bytes = len(base) + len(announced) + len(_mpf(0, 0, 0))
    directory_at = place + 4 + len(MPF)
    directory = _mpf(first_bytes, len(second), first_bytes - directory_at)
    return _inserted(base, announced + directory) + second


def _usable(data: bytes, base: Picture, place: int) -> GainMap | None:
    picture = picture_at(data, place)
    numbers = _parameters(data, picture)
    size, base_size = _size(data, picture), _size(data, base)
    if numbers is None or size.width * size.height > base_size.width * base_size.height:
        return None
    return GainMap(data[picture.start : picture.end], size, base_size, numbers)


def _parameters(data: bytes, picture: Picture) -> Parameters | None:
    """The numbers of a picture that is a gain map: by ISO 21496-1, which has the last word, else by XMP."""
    bodies = [data[part.body : part.end] for part in picture.segments if part.marker in (APP1, APP2)]
    for name, reader in ((ISO_GAIN_MAP, from_iso), (XMP, from_xmp)):
        for body in bodies:
            if body.startswith(name) and (name == ISO_GAIN_MAP or HDRGM.encode() in body):
                return reader(body[len(name) :])
    return None


def _size(data: bytes, picture: Picture) -> Size:
    """Size by the frame header; raises ValueError for maps that are neither grey nor RGB."""
    body = next(part.body for part in picture.segments if part.marker in FRAMES)
    if data[body + 5] not in (1, 3):
        raise ValueError("neither grey nor RGB")
    return Size(int.from_bytes(data[body + 3 : body + 5]), int.from_bytes(data[body + 1 : body + 3]))


def _inserted(jpeg: bytes, segments: bytes) -> bytes:
    at = _after_applications(jpeg)
    return jpeg[:at] + segments + jpeg[at:]


def _after_applications(jpeg: bytes) -> int:
    """Behind the leading APPn segments: JFIF must stay first, and so must EXIF and ICC stay together."""
    at = 2
    while jpeg[at] == 0xFF and 0xE0 <= jpeg[at + 1] <= 0xEF:
        at += 2 + int.from_bytes(jpeg[at + 2 : at + 4])
    return at


def _mpf(first_bytes: int, second_bytes: int, second_at: int) -> bytes:
    """The MPF segment of a base and its map (CIPA DC-007); ``second_at`` counts from the byte order mark."""
    entries = (0x030000, first_bytes, 0, 0, 0, second_bytes, second_at, 0)
    fields = b"\0\3" + b"\xb0\0\0\7\0\0\0\4" + b"0100" + b"\xb0\1\0\4\0\0\0\1\0\0\0\2"
    fields += b"\xb0\2\0\7\0\0\0\x20\0\0\0\x32" + b"\0\0\0\0"
    body = MPF + b"MM\0\x2a\0\0\0\x08" + fields + b"".join(number.to_bytes(4) for number in entries)
    return segment(APP2, body)
