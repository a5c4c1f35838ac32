"""The frames of an animated PNG, which libvips takes for a still: each is decoded by libvips and painted here."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

import numpy as np
import pyvips

from ..errors import OverLimits
from .containers.apng import CLEAR, OVER, RESTORE, Animation, Frame, read_animation, still_of
from .source import Source

type Pixels = np.ndarray[tuple[int, ...], np.dtype[np.uint8 | np.uint16]]

MAX_PIXELS = 50_000_000
"""Of all frames together, which are in memory at once: 4 bytes each, 8 with 16 bits a channel."""
_PROFILE = "icc-profile-data"


def load_frames(source: Source, *, page: int | None) -> pyvips.Image:
    """All frames of ``source`` from top to bottom, with libvips' fields of an animation, or the frame ``page`` alone.

    Straight RGBA, or RGB where every frame is opaque. Raises OverLimits, ValueError, pyvips.Error or what the stream
    raised.
    """
    data = source.read_all()
    animation = read_animation(data)
    if animation is None:
        raise ValueError("no animation")
    first = _decoded(data, animation.frames[0])
    wide, tall = int.from_bytes(data[16:20]), int.from_bytes(data[20:24])
    count = len(animation.frames) if page is None else 1
    if wide * tall * count > MAX_PIXELS:
        pixels = wide * tall * count
        raise OverLimits(
            f"The source is an animated PNG of {pixels:,} pixels in all frames; the limit is {MAX_PIXELS:,}"
        )
    shown = _painted(data, animation, (tall, wide), len(animation.frames) if page is None else page + 1)
    stacked = np.concatenate(list(shown) if page is None else deque(shown, maxlen=1))
    return _described(stacked, first, tall, animation if page is None else None)


def _painted(data: bytes, animation: Animation, size: tuple[int, int], most: int) -> Iterator[Pixels]:
    """The canvas as each of the first ``most`` frames shows it."""
    canvas: Pixels | None = None
    for number, frame in enumerate(animation.frames[:most]):
        pixels = _rgba(_decoded(data, frame))
        if canvas is None:
            canvas = np.zeros((*size, 4), pixels.dtype)
        region = canvas[frame.top : frame.top + frame.height, frame.left : frame.left + frame.width]
        before = region.copy()
        region[:] = _over(region, pixels) if frame.blend == OVER else pixels
        yield canvas.copy()
        if frame.dispose == CLEAR or (frame.dispose == RESTORE and number == 0):
            region[:] = 0
        elif frame.dispose == RESTORE:
            region[:] = before


def _over(below: Pixels, above: Pixels) -> Pixels:
    """``above`` over ``below``, both straight RGBA."""
    peak = float(np.iinfo(above.dtype).max)
    alpha, under = above[..., 3:] / peak, below[..., 3:] / peak
    under = under * (1 - alpha)
    total = alpha + under
    colours = above[..., :3] * alpha + below[..., :3] * under
    mixed = np.divide(colours, total, out=np.zeros_like(colours), where=total > 0)
    return np.concatenate([mixed, total * peak], axis=2).round().astype(above.dtype)


def _decoded(data: bytes, frame: Frame) -> pyvips.Image:
    return pyvips.Image.pngload_buffer(still_of(data, frame), fail_on="error")


def _rgba(image: pyvips.Image) -> Pixels:
    pixels: Pixels = image.numpy()
    pixels = pixels.reshape(image.height, image.width, image.bands)
    colours = pixels[..., : 3 if image.bands > 2 else 1]
    opaque = np.full((image.height, image.width, 1), np.iinfo(pixels.dtype).max, pixels.dtype)
    alpha = pixels[..., -1:] if image.hasalpha() else opaque
    return np.concatenate([np.broadcast_to(colours, (*colours.shape[:2], 3)), alpha], axis=2)


def _described(stacked: Pixels, first: pyvips.Image, tall: int, animation: Animation | None) -> pyvips.Image:
    """``stacked`` as libvips would have loaded it; ``first`` has the profile."""
    if stacked[..., 3].min() == np.iinfo(stacked.dtype).max:
        stacked = np.ascontiguousarray(stacked[..., :3])
    wide = stacked.dtype == np.uint16
    image = pyvips.Image.new_from_memory(
        stacked.tobytes(), stacked.shape[1], stacked.shape[0], stacked.shape[2], "ushort" if wide else "uchar"
    ).copy(interpretation="rgb16" if wide else "srgb")
    if first.get_typeof(_PROFILE) and first.bands > 2:
        image.set_type(pyvips.GValue.blob_type, _PROFILE, first.get(_PROFILE))
    if animation is not None:
        image.set_type(pyvips.GValue.gint_type, "page-height", tall)
        image.set_type(pyvips.GValue.array_int_type, "delay", [frame.delay_ms for frame in animation.frames])
        image.set_type(pyvips.GValue.gint_type, "loop", animation.loops)
    return image
