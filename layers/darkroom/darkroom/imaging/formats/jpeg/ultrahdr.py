"""UltraHDR files: a JPEG with a second, smaller one behind it, the gain map (Android's Ultra HDR 1.1, ISO 21496-1).

libvips' own ``uhdrsave`` writes EXIF into both images and no GContainer, which older readers need; hence the few
lines here.
"""

from __future__ import annotations

from dataclasses import dataclass

from ....plan.geometry.layout import Size
from ..metadata.rights import NO_XMP, XmpDescription
from .container import FRAMES, HDRGM, JpegImage, Marker, Prefix, build_segment, find_further_images, parse_jpeg
from .gain_map import VERSION_ONLY, GainMapMetadata, format_base_xmp, format_iso, format_map_xmp, parse_iso, parse_xmp

MAX_LARGER_PIXELS = 1_000_000
"""Of a map with more pixels than its base: small images have one of a fixed size."""


@dataclass(frozen=True, slots=True)
class GainMap:
    """A gain map as it is stored: a JPEG of ``size`` px for a base of ``base_size`` px, and its numbers."""

    jpeg: bytes
    size: Size
    base_size: Size
    parameters: GainMapMetadata


def read_gain_map(data: bytes) -> GainMap | None:
    """Return the gain map in the JPEG ``data``; None where there is no usable one."""
    try:
        base = parse_jpeg(data)
        return next(filter(None, (_read_usable(data, base, place) for place in find_further_images(data, base))), None)
    except (ArithmeticError, LookupError, ValueError):
        return None


def attach_gain_map(
    base: bytes, gain_map: bytes, parameters: GainMapMetadata, description: XmpDescription = NO_XMP
) -> bytes:
    """Join two JPEGs without XMP to one UltraHDR file: XMP and ISO 21496-1 in both, MPF in the first.

    ``description`` is added to the XMP of the first.
    """
    described = build_segment(Marker.APP1, Prefix.XMP + format_map_xmp(parameters)) + build_segment(
        Marker.APP2, Prefix.ISO_GAIN_MAP + format_iso(parameters)
    )
    second = _insert_segments(gain_map, described)
    announced = build_segment(Marker.APP1, Prefix.XMP + format_base_xmp(len(second), description)) + build_segment(
        Marker.APP2, Prefix.ISO_GAIN_MAP + VERSION_ONLY
    )
    place = _find_insert_offset(base) + len(announced)
    first_bytes = len(base) + len(announced) + len(_build_mpf(0, 0, 0))
    directory_at = place + 4 + len(Prefix.MPF)
    directory = _build_mpf(first_bytes, len(second), first_bytes - directory_at)
    return _insert_segments(base, announced + directory) + second


def _read_usable(data: bytes, base: JpegImage, place: int) -> GainMap | None:
    image = parse_jpeg(data, place)
    numbers = _read_gain_map_metadata(data, image)
    size, base_size = _read_size(data, image), _read_size(data, base)
    if numbers is None or size.width * size.height > max(base_size.width * base_size.height, MAX_LARGER_PIXELS):
        return None
    return GainMap(data[image.start : image.end], size, base_size, numbers)


def _read_gain_map_metadata(data: bytes, image: JpegImage) -> GainMapMetadata | None:
    """The numbers of an image that is a gain map: by ISO 21496-1, which takes precedence, else by XMP."""
    bodies = [data[part.body : part.end] for part in image.segments if part.marker in (Marker.APP1, Marker.APP2)]
    for name, reader in ((Prefix.ISO_GAIN_MAP, parse_iso), (Prefix.XMP, parse_xmp)):
        for body in bodies:
            if body.startswith(name) and (name == Prefix.ISO_GAIN_MAP or HDRGM.encode() in body):
                return reader(body[len(name) :])
    return None


def _read_size(data: bytes, image: JpegImage) -> Size:
    """Size by the frame header; raises ValueError for maps that are neither grey nor RGB."""
    body = next(part.body for part in image.segments if part.marker in FRAMES)
    if data[body + 5] not in (1, 3):
        raise ValueError("neither grey nor RGB")
    return Size(int.from_bytes(data[body + 3 : body + 5]), int.from_bytes(data[body + 1 : body + 3]))


def _insert_segments(jpeg: bytes, segments: bytes) -> bytes:
    at = _find_insert_offset(jpeg)
    return jpeg[:at] + segments + jpeg[at:]


def _find_insert_offset(jpeg: bytes) -> int:
    """Behind the leading APPn segments: JFIF must stay first, and so must EXIF and ICC stay together."""
    at = 2
    while jpeg[at] == 0xFF and 0xE0 <= jpeg[at + 1] <= 0xEF:
        at += 2 + int.from_bytes(jpeg[at + 2 : at + 4])
    return at


def _build_mpf(first_bytes: int, second_bytes: int, second_at: int) -> bytes:
    """The MPF segment of a base and its map (CIPA DC-007); ``second_at`` counts from the byte order mark."""
    entries = (0x030000, first_bytes, 0, 0, 0, second_bytes, second_at, 0)
    fields = b"\0\3" + b"\xb0\0\0\7\0\0\0\4" + b"0100" + b"\xb0\1\0\4\0\0\0\1\0\0\0\2"
    fields += b"\xb0\2\0\7\0\0\0\x20\0\0\0\x32" + b"\0\0\0\0"
    body = Prefix.MPF + b"MM\0\x2a\0\0\0\x08" + fields + b"".join(number.to_bytes(4) for number in entries)
    return build_segment(Marker.APP2, body)
