"""Read JPEG headers, and what a decoder must not see of a file."""

from __future__ import annotations

from collections.abc import Iterator

from ...source import Patch, Source
from ..image_format import Header
from ..metadata.orientation import read_orientation
from .container import FRAMES, HDRGM, Marker, Prefix, Segment, iter_segments, parse_jpeg

_COLOURS = {1: "gray", 3: "rgb", 4: "cmyk"}
_SEQUENTIAL = (0xC0, 0xC1)
_WHOLE_BLOCK = b"\0\x3f\0"
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
    """Hide EXIF, and correct the parameters of sequential scans."""
    sequential = False
    for part in iter_segments(source.read_at):
        if part.marker == Marker.APP1 and source.read_at(part.body, len(Prefix.EXIF)) == Prefix.EXIF:
            yield Patch(part.body, bytes(len(Prefix.EXIF)))
        elif part.marker in FRAMES:
            sequential = part.marker in _SEQUENTIAL
        elif part.marker == Marker.SOS and sequential and source.read_at(part.end - 3, 3) != _WHOLE_BLOCK:
            yield from _patch_scans(source)


def _patch_scans(source: Source) -> Iterator[Patch]:
    """Spectral selection and approximation of every scan, as sequential ones have them (T.81, B.2.3): of no effect."""
    data = source.read_all()
    for part in parse_jpeg(data).segments:
        if part.marker == Marker.SOS:
            end = part.body - 2 + int.from_bytes(data[part.body - 2 : part.body])
            yield Patch(end - 3, _WHOLE_BLOCK)
