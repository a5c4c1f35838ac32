"""Read GIF headers (GIF89a)."""

from __future__ import annotations

from ...source import Source
from ..image_format import Header
from .container import Block, iter_blocks


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


def _canvas(data: bytes, first: int) -> tuple[int, int]:
    """The logical screen, which grows where the first frame is larger, as libnsgif and browsers do."""
    screen_wide, screen_tall, left, top, wide, tall = (
        int.from_bytes(data[at : at + 2], "little") for at in (6, 8, first + 1, first + 3, first + 5, first + 7)
    )
    return max(screen_wide, left + wide), max(screen_tall, top + tall)
