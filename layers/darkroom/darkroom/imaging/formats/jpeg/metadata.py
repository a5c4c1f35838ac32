"""Locate and strip the metadata of a JPEG."""

from __future__ import annotations

from itertools import takewhile

from ...colour.icc import rewrite_profile
from ..image_format import MetadataBlocks
from ..metadata.iptc import parse_photoshop_resources
from ..metadata.rights import NO_XMP, ComposedMetadata, XmpDescription
from .container import JpegImage, Marker, Prefix, Segment, build_segment, find_further_images, iter_segments, parse_jpeg
from .ultrahdr import attach_gain_map, read_gain_map

_JFIF = b"JFIF\0"
_ADOBE = b"Adobe"
_ICC_NUMBER, _ICC_START = len(Prefix.ICC), len(Prefix.ICC) + 2
_ICC_PIECE_BYTES = 65_533 - _ICC_START
_JFIF_BYTES, _ADOBE_BYTES = 14, 12
"""Lengths without a thumbnail, and without anything behind the colour transform."""
_PHOTOSHOP = b"Photoshop 3.0\0"
_C2PA = b"c2pa"
_JUMBF_HEAD_BYTES = 64
"""Where a JUMBF box has its type and label: behind the headers of segment, superbox and description box."""


def locate(data: bytes) -> MetadataBlocks:
    """Return the metadata blocks of a file; raise ValueError or LookupError where it is broken."""
    exif = xmp = photoshop = b""
    has_manifest = False
    for part in iter_segments(lambda at, length: data[at : at + length]):
        body = data[part.body : part.end]
        if part.marker == Marker.APP1 and body.startswith(Prefix.EXIF):
            exif = exif or body[len(Prefix.EXIF) + 1 :]
        elif part.marker == Marker.APP1 and body.startswith(Prefix.XMP):
            xmp = xmp or body[len(Prefix.XMP) :]
        elif part.marker == Marker.APP13 and body.startswith(_PHOTOSHOP):
            photoshop += body[len(_PHOTOSHOP) :]
        elif part.marker == Marker.APP11:
            has_manifest |= body.startswith(b"JP") and _C2PA in body[:_JUMBF_HEAD_BYTES]
    found = parse_photoshop_resources(photoshop) if photoshop else (b"", b"")
    return MetadataBlocks(exif, xmp, *found, has_manifest)


def strip(data: bytes, composed: ComposedMetadata, *, keep_profile: bool) -> bytes:
    """``data`` with what decodes it, its gain map, and the ``composed`` metadata; raises ValueError."""
    image = parse_jpeg(data)
    found = read_gain_map(data) if find_further_images(data, image) else None
    if found is None:
        return _kept(data, image, composed.exif, composed.xmp, keep_profile=keep_profile)
    base = _kept(data, image, composed.exif, NO_XMP, keep_profile=keep_profile)
    second = _kept(found.jpeg, parse_jpeg(found.jpeg), b"", NO_XMP, keep_profile=True)
    return attach_gain_map(base, second, found.parameters, composed.xmp)


def _kept(data: bytes, image: JpegImage, exif: bytes, xmp: XmpDescription, *, keep_profile: bool) -> bytes:
    parts = [data[image.start : image.start + 2]]
    if exif:
        parts.append(build_segment(Marker.APP1, Prefix.EXIF + b"\0" + exif))
    if xmp:
        parts.append(build_segment(Marker.APP1, Prefix.XMP + xmp.packet))
    profile = _profile_parts(data, image) if keep_profile else []
    pieces = {body[_ICC_NUMBER]: body[_ICC_START:] for body in (data[part.body : part.end] for part in profile)}
    for part in image.segments:
        parts.append(_part(data, part))
        if profile and part == profile[0]:
            parts += _profile_segments(rewrite_profile(b"".join(pieces[number] for number in sorted(pieces))))
    return b"".join(parts)


def _part(data: bytes, part: Segment) -> bytes:
    """Return what is kept of one segment. Fill bytes between segments are dropped."""
    if part.marker == Marker.COM or Marker.APP0 <= part.marker <= Marker.APP15:
        return _application(part.marker, data[part.body : part.end])
    return data[part.start : part.end]


def _application(marker: int, body: bytes) -> bytes:
    if marker == Marker.APP0 and body.startswith(_JFIF) and len(body) >= _JFIF_BYTES:
        return build_segment(Marker.APP0, body[: _JFIF_BYTES - 2] + b"\0\0")
    if marker == Marker.APP14 and body.startswith(_ADOBE) and len(body) >= _ADOBE_BYTES:
        return build_segment(Marker.APP14, body[:_ADOBE_BYTES])
    return b""


def _profile_parts(data: bytes, image: JpegImage) -> list[Segment]:
    """The numbered segments of the ICC profile (ICC.1:2022, B.4). Decoders search them before the first scan."""
    front = takewhile(lambda part: part.marker != Marker.SOS, image.segments)
    return [
        part
        for part in front
        if part.marker == Marker.APP2 and data.startswith(Prefix.ICC, part.body) and part.end > part.body + _ICC_START
    ]


def _profile_segments(profile: bytes) -> list[bytes]:
    pieces = [profile[at : at + _ICC_PIECE_BYTES] for at in range(0, len(profile), _ICC_PIECE_BYTES)]
    return [
        build_segment(Marker.APP2, Prefix.ICC + bytes((number, len(pieces))) + piece)
        for number, piece in enumerate(pieces, start=1)
    ]
