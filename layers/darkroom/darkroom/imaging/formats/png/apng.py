"""PNG: the chunks of a file, and the frames of an animated one (W3C PNG, third edition, 4.9, 11.3.6)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple
from zlib import crc32

SIGNATURE_BYTES = 8
MAX_CHUNKS = 100_000
"""Encoders cut pixels into chunks of 8 KB and more."""


class Chunk(NamedTuple):
    """One chunk, ``start`` to ``end``, with its length, name and checksum; what it carries begins at ``body``."""

    name: bytes
    start: int
    body: int
    end: int


def iter_chunks(data: bytes) -> Iterator[Chunk]:
    """The chunks up to IEND; raises ValueError where the data ends in one."""
    at = SIGNATURE_BYTES
    for _ in range(MAX_CHUNKS):
        if at + 12 > len(data):
            return
        size, name = int.from_bytes(data[at : at + 4]), data[at + 4 : at + 8]
        end = at + 12 + size
        if end > len(data):
            raise ValueError("the data ends in a chunk")
        yield Chunk(name, at, at + 8, end)
        if name == b"IEND":
            return
        at = end
    raise ValueError("too many chunks")


def build_chunk(name: bytes, body: bytes) -> bytes:
    """A chunk that carries ``body``."""
    return len(body).to_bytes(4) + name + body + crc32(name + body).to_bytes(4)


KEEP, CLEAR, RESTORE = range(3)
"""What replaces a frame's region before the next one: nothing, transparent black, or its former pixels."""
SOURCE, OVER = range(2)
"""How a frame is painted: in place of what is there, or over it."""
_SHARED = frozenset((b"PLTE", b"tRNS", b"gAMA", b"cHRM", b"sRGB", b"iCCP", b"cICP", b"sBIT"))
"""Chunks before the first IDAT that every frame is decoded by."""
_CONTROL_BYTES, _SEQUENCE_BYTES = 26, 4
_DEFAULT_DIVISOR = 100
"""Of a delay whose divisor is 0: hundredths of a second."""


class Frame(NamedTuple):
    """One frame: its region in the canvas in px, how it is shown, and the pieces of its compressed data in the file."""

    left: int
    top: int
    width: int
    height: int
    delay_ms: int
    dispose: int
    blend: int
    pieces: tuple[tuple[int, int], ...]


class Animation(NamedTuple):
    """An animation that plays ``loops`` times, 0 for ever. ``default_image_is_frame``: the still is frame 0."""

    frames: tuple[Frame, ...]
    loops: int
    default_image_is_frame: bool


def parse_animation(data: bytes) -> Animation | None:
    """Return the animation in a PNG; None where it has none, or one that is not exactly as announced.

    Such a file is a still for decoders that follow the specification. Raises ValueError where the data ends in a chunk.
    """
    found = list(iter_chunks(data))
    control = next((part for part in found if part.name == b"acTL"), None)
    if control is None or control.end - control.body != 8 + 4:
        return None
    announced, loops = (_number(data, control.body + at) for at in (0, 4))
    canvas = _number(data, SIGNATURE_BYTES + 8), _number(data, SIGNATURE_BYTES + 12)
    try:
        frames, starts_with_image = _frames(data, found, canvas)
    except ValueError:
        return None
    return Animation(frames, loops, starts_with_image) if len(frames) == announced else None


def _frames(data: bytes, found: list[Chunk], canvas: tuple[int, int]) -> tuple[tuple[Frame, ...], bool]:
    frames: list[Frame] = []
    pieces: list[tuple[int, int]] = []
    expected = 0
    starts_with_image = False
    before: set[bytes] = set()
    for part in found:
        if part.name in (b"fcTL", b"fdAT"):
            if _number(data, part.body) != expected:
                raise ValueError("chunks of an animation are out of order")
            expected += 1
        if part.name == b"fcTL":
            if frames and not pieces:
                raise ValueError("a frame without data")
            frames, pieces = [*_set_pieces(frames, pieces), _frame(data, part, canvas)], []
        elif part.name == b"fdAT" and frames:
            pieces.append((part.body + _SEQUENCE_BYTES, part.end - 4))
        elif part.name == b"IDAT" and frames:
            if b"fdAT" in before:  # decoders of stills would show the one, and those of animations the other
                raise ValueError("the image comes after data of a frame")
            if len(frames) > 1 or frames[0][:4] != (0, 0, *canvas):
                raise ValueError("the image is not the first frame")
            starts_with_image = True
            pieces.append((part.body, part.end - 4))
        before.add(part.name)
    if not pieces:
        raise ValueError("a frame without data")
    return tuple(_set_pieces(frames, pieces)), starts_with_image


def _set_pieces(frames: list[Frame], pieces: list[tuple[int, int]]) -> list[Frame]:
    """``frames``, of which the last one has got its data."""
    return [*frames[:-1], frames[-1]._replace(pieces=tuple(pieces))] if frames else []


def _frame(data: bytes, part: Chunk, canvas: tuple[int, int]) -> Frame:
    if part.end - 4 - part.body != _CONTROL_BYTES:
        raise ValueError("a frame's control chunk has another length")
    width, height, left, top = (_number(data, part.body + at) for at in (4, 8, 12, 16))
    if not (0 < width <= canvas[0] - left and 0 < height <= canvas[1] - top):
        raise ValueError("a frame lies outside the image")
    tenths, divisor = (int.from_bytes(data[part.body + at : part.body + at + 2]) for at in (20, 22))
    dispose, blend = data[part.body + 24], data[part.body + 25]
    if dispose > RESTORE or blend > OVER:
        raise ValueError("a frame is shown in an unknown way")
    delay_ms = round(1000 * tenths / (divisor or _DEFAULT_DIVISOR))
    return Frame(left, top, width, height, delay_ms, dispose, blend, ())


def extract_frame(data: bytes, frame: Frame) -> bytes:
    """Return a PNG of one frame."""
    parts = [data[:SIGNATURE_BYTES]]
    for part in iter_chunks(data):
        if part.name == b"IHDR":
            size = frame.width.to_bytes(4) + frame.height.to_bytes(4)
            parts.append(build_chunk(b"IHDR", size + data[part.body + 8 : part.end - 4]))
        elif part.name in _SHARED:
            parts.append(data[part.start : part.end])
        elif part.name == b"IDAT":
            break
    pixels = b"".join(data[start:end] for start, end in frame.pieces)
    return b"".join(parts) + build_chunk(b"IDAT", pixels) + build_chunk(b"IEND", b"")


def _number(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + 4])
