"""Read JPEG headers, and what a decoder must not see of a file."""

from __future__ import annotations

from collections.abc import Iterator

from ...source import Patch, Source
from ..image_format import Header, read_orientation
from .container import FILL, FRAMES, HDRGM, SOI_BYTES, Marker, Prefix, Segment, iter_segments, parse_jpeg

_COLOURS = {1: "gray", 3: "rgb", 4: "cmyk"}
_SEQUENTIAL = (0xC0, 0xC1)
_WHOLE_BLOCK = b"\0\x3f\0"
_CHANNELS_AT = 5
"""In a frame header (T.81, B.2.2)."""
_JFIF, _JFIF_MAJOR = b"JFIF\0", b"\1"
"""The only major version that exists; some encoders write their own."""
_ADOBE, _TRANSFORM_AT, _MAX_TRANSFORM = b"Adobe", 11, b"\2"
_TRANSFORMS = {b"\3": b"\1", b"\4": b"\2"}
"""YCbCr and YCCK, by the number of channels."""
_PROGRESSIVE = frozenset({0xC2, 0xC6, 0xCA, 0xCE})


def read_header(source: Source, page: int) -> Header:  # noqa: ARG001 - a JPEG has one page
    """Return the header of a JPEG; raise ValueError or IndexError."""
    frame: Segment | None = None
    turn = 0
    profile = multi = map_data = False
    for segment in iter_segments(source.read_at):
        marker = segment.marker
        if marker in FRAMES:
            frame = segment
        elif marker in (Marker.APP1, Marker.APP2):
            body = source.read_at(segment.body, segment.end - segment.body)
            if body.startswith(Prefix.EXIF):
                turn = turn or read_orientation(body[6:])
            profile |= body.startswith(Prefix.ICC)
            multi |= body.startswith(Prefix.MPF)
            map_data |= body.startswith(Prefix.ISO_GAIN_MAP) or (body.startswith(Prefix.XMP) and HDRGM.encode() in body)
    if frame is None:
        raise ValueError("a scan without a frame")
    bits, tall, wide, channels = _frame(source.read_at(frame.body, 6))
    return Header(
        "jpeg",
        wide,
        tall,
        orientation=turn or 1,
        has_profile=profile,
        bits=bits,
        progressive=frame.marker in _PROGRESSIVE,
        colour=_COLOURS[channels] if channels in _COLOURS else _no_colour(channels),
        gain_map=multi and map_data,
    )


def _frame(body: bytes) -> tuple[int, int, int, int]:
    if len(body) < 6:
        raise ValueError("a frame header is cut off")
    return body[0], int.from_bytes(body[1:3]), int.from_bytes(body[3:5]), body[5]


def _no_colour(channels: int) -> str:
    raise ValueError(f"{channels} channels")


def find_patches(source: Source, page: int) -> Iterator[Patch]:  # noqa: ARG001 - a JPEG has one page
    """Hide what libjpeg reports as damage before it reads pixels: EXIF, bytes between segments, versions.

    Sequential scans get the only parameters that they can have.
    """
    sequential, end, transform = False, SOI_BYTES, 0
    for part in iter_segments(source.read_at):
        if part.start > end:
            yield from _fill(source, end, part.start)
        end = part.end
        if part.marker == Marker.APP1 and source.read_at(part.body, len(Prefix.EXIF)) == Prefix.EXIF:
            yield Patch(part.body, bytes(len(Prefix.EXIF)))
        elif part.marker == Marker.APP0 and source.read_at(part.body, len(_JFIF)) == _JFIF:
            yield from _patch_version(source, part.body + len(_JFIF))
        elif part.marker == Marker.APP14 and source.read_at(part.body, len(_ADOBE)) == _ADOBE:
            transform = part.body + _TRANSFORM_AT
        elif part.marker in FRAMES:
            sequential = part.marker in _SEQUENTIAL
            yield from _patch_transform(source, transform, source.read_at(part.body + _CHANNELS_AT, 1))
        elif part.marker == Marker.SOS and sequential and source.read_at(part.end - 3, 3) != _WHOLE_BLOCK:
            yield from _patch_scans(source)


def _fill(source: Source, start: int, end: int) -> Iterator[Patch]:
    """Make fill bytes (T.81, B.1.1.2) of what an editor left between two segments: decoders skip both."""
    if source.read_at(start, end - start).strip(FILL):
        yield Patch(start, FILL * (end - start))


def _patch_version(source: Source, at: int) -> Iterator[Patch]:
    if source.read_at(at, 1) != _JFIF_MAJOR:
        yield Patch(at, _JFIF_MAJOR)


def _patch_transform(source: Source, at: int, channels: bytes) -> Iterator[Patch]:
    """Replace an unknown colour transform of Adobe's, by that which libjpeg and browsers assume (T.872, 6.5.3)."""
    if at and source.read_at(at, 1) > _MAX_TRANSFORM and channels in _TRANSFORMS:
        yield Patch(at, _TRANSFORMS[channels])


def _patch_scans(source: Source) -> Iterator[Patch]:
    """Spectral selection and approximation of every scan, as sequential ones have them (T.81, B.2.3): of no effect."""
    data = source.read_all()
    for part in parse_jpeg(data).segments:
        if part.marker == Marker.SOS:
            end = part.body - 2 + int.from_bytes(data[part.body - 2 : part.body])
            yield Patch(end - 3, _WHOLE_BLOCK)
