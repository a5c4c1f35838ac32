"""Overlay planes: bitmaps of groups 6000 to 601E (PS3.3, C.9.2), unpacked to masks of the size of the image."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from . import limits
from .header import Header

type Mask = NDArray[np.uint8]
"""0 or 255 for each pixel, of shape (rows, columns)."""


class Plane(NamedTuple):
    """A mask, and the pages that it belongs to, from 1. Empty: all pages."""

    pages: tuple[int, ...]
    mask: Mask


def read_overlays(dataset: Any, header: Header) -> list[Plane]:
    """Return the planes that can be read. Those within the bits of the pixels (retired in 2004) are not."""
    found: list[Plane] = []
    for number in range(limits.MAX_OVERLAYS):
        with suppress(AttributeError, IndexError, KeyError, TypeError, ValueError):
            for plane in _read_group(dataset, 0x6000 + 2 * number, header):
                if len(found) == limits.MAX_OVERLAY_PAGES:
                    return found
                found.append(plane)
    return found


def _read_group(dataset: Any, group: int, header: Header) -> Iterator[Plane]:
    if (group, 0x3000) not in dataset or int(dataset[group, 0x0100].value) != 1:
        return
    rows, columns = int(dataset[group, 0x0010].value), int(dataset[group, 0x0011].value)
    top, left = (int(one) - 1 for one in dataset[group, 0x0050].value)
    frames = int(dataset[group, 0x0015].value) if (group, 0x0015) in dataset else 1
    first = int(dataset[group, 0x0051].value) if (group, 0x0051) in dataset else 1
    if not 0 < rows * columns <= limits.MAX_FRAME_BYTES or not 0 < frames <= limits.MAX_FRAMES:
        return
    packed = np.frombuffer(dataset[group, 0x3000].value, np.uint8)
    several = (group, 0x0015) in dataset and header.frames > 1
    for frame in range(min(frames, limits.MAX_OVERLAY_PAGES)):
        start = frame * rows * columns
        window = packed[start // 8 : -(-(start + rows * columns) // 8)]
        bits = np.unpackbits(window, bitorder="little")[start % 8 :][: rows * columns]
        if bits.size == rows * columns and bits.any():
            mask = _place(bits.reshape(rows, columns) * np.uint8(255), top, left, header)
            yield Plane((first + frame,) if several else (), mask)


def _place(bits: Mask, top: int, left: int, header: Header) -> Mask:
    """Return a mask of the size of the image; parts outside of the image are cut off."""
    mask = np.zeros((header.rows, header.columns), np.uint8)
    cut = bits[max(0, -top) :, max(0, -left) :]
    top, left = max(0, top), max(0, left)
    cut = cut[: max(0, header.rows - top), : max(0, header.columns - left)]
    mask[top : top + cut.shape[0], left : left + cut.shape[1]] = cut
    return mask
