"""Read GIF headers, and the blocks after the logical screen (GIF89a specification)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from ...source import Patch, Source
from ..image_format import Header

IMAGE, EXTENSION, TRAILER = 0x2C, 0x21, 0x3B
GRAPHIC_CONTROL, COMMENT, PLAIN_TEXT, APPLICATION = 0xF9, 0xFE, 0x01, 0xFF


class Block(NamedTuple):
    """One block, ``start`` to ``end``: a frame, or the extension that ``label`` names (0 for a frame)."""

    is_image: bool
    label: int
    start: int
    end: int


def find_first_block(data: bytes) -> int:
    """Where the blocks begin: after the screen descriptor and its colour table."""
    flags = data[10]
    return 13 + (3 << (flags & 7) + 1 if flags & 0x80 else 0)


def iter_blocks(data: bytes) -> Iterator[Block]:
    """Frames and extensions in order, up to the trailer or, as in browsers, whatever else stands between two blocks.

    Raises IndexError where the data ends within a block.
    """
    at = find_first_block(data)
    while at < len(data) and data[at] in (IMAGE, EXTENSION):
        start = at
        if data[at] == IMAGE:
            flags = data[at + 9]
            at += 11 + (3 << (flags & 7) + 1 if flags & 0x80 else 0)
        else:
            at += 2
        while size := data[at]:
            at += 1 + size
        at += 1
        yield Block(data[start] == IMAGE, 0 if data[start] == IMAGE else data[start + 1], start, at)


def read_header(source: Source, page: int) -> Header:  # noqa: ARG001 - frames of an animation are alike
    """Return the header of a GIF; raise ValueError where it is cut off. The whole file is read, to count frames."""
    data = source.read_all()
    frames: list[Block] = []
    transparent = False
    for block in iter_blocks(data):
        if block.is_image:
            frames.append(block)
        elif block.label == 0xF9:
            transparent |= bool(data[block.start + 3] & 1)
    if not frames:
        raise ValueError("no frame")
    wide, tall = _canvas(data, frames[0].start)
    return Header(
        "gif",
        wide,
        tall,
        frames=len(frames),
        has_alpha=transparent,
        progressive=any(data[frame.start + 9] & 0x40 for frame in frames),
    )


def find_patches(source: Source, page: int) -> Iterator[Patch]:  # noqa: ARG001 - frames of an animation are alike
    """End the file where its blocks end."""
    data = source.read_all()
    end = max((block.end for block in iter_blocks(data)), default=len(data))
    if data[end : end + 1] not in (b"", bytes([TRAILER])):
        yield Patch(end, bytes([TRAILER]))


def _canvas(data: bytes, first: int) -> tuple[int, int]:
    """The logical screen, which grows where the first frame is larger, as libnsgif and browsers do."""
    screen_wide, screen_tall, left, top, wide, tall = (
        int.from_bytes(data[at : at + 2], "little") for at in (6, 8, first + 1, first + 3, first + 5, first + 7)
    )
    return max(screen_wide, left + wide), max(screen_tall, top + tall)
