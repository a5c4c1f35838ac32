"""GIF: the blocks after the logical screen (GIF89a specification)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

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
    """Frames and extensions in order, up to the trailer or, where that is missing, the end between two blocks.

    Raises ValueError or IndexError where the data ends within a block or is no block.
    """
    at = find_first_block(data)
    while at < len(data) and data[at] != TRAILER:
        start = at
        if data[at] == IMAGE:
            flags = data[at + 9]
            at += 11 + (3 << (flags & 7) + 1 if flags & 0x80 else 0)
        elif data[at] == EXTENSION:
            at += 2
        else:
            raise ValueError(f"{data[at]:#x} is no block")
        while size := data[at]:
            at += 1 + size
        at += 1
        yield Block(data[start] == IMAGE, 0 if data[start] == IMAGE else data[start + 1], start, at)
