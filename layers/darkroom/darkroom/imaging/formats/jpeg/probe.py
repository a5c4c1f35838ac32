"""JPEG headers."""

from __future__ import annotations

from ...source import Source
from ..header import Header
from ..metadata.orientation import read_orientation
from .container import APP1, APP2, EXIF, FRAMES, HDRGM, ICC, ISO_GAIN_MAP, MPF, XMP, Segment, iter_segments

_COLOURS = {1: "gray", 3: "rgb", 4: "cmyk"}
_PROGRESSIVE = frozenset({0xC2, 0xC6, 0xCA, 0xCE})


def read_header(source: Source, page: int) -> Header:  # noqa: ARG001 - a JPEG has one page
    """The header of a JPEG; raises ValueError or IndexError."""
    frame: Segment | None = None
    turn = 0
    profile = multi = map_data = False
    for segment in iter_segments(source.read_at):
        marker = segment.marker
        if marker in FRAMES:
            frame = segment
        elif marker in (APP1, APP2):
            body = source.read_at(segment.body, segment.end - segment.body)
            if body.startswith(EXIF):
                turn = turn or read_orientation(body[6:])
            profile |= body.startswith(ICC)
            multi |= body.startswith(MPF)
            map_data |= body.startswith(ISO_GAIN_MAP) or (body.startswith(XMP) and HDRGM.encode() in body)
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
