"""The frames of an animated PNG, which libvips takes for a still: each is decoded by libvips and painted here."""

from __future__ import annotations

import numpy as np
import pyvips

from ....errors import OverLimits
from ...colour.icc import PROFILE_FIELD, attach_profile
from ...source import Source
from .apng import CLEAR, OVER, RESTORE, Animation, Frame, extract_frame, parse_animation

type Pixels = np.ndarray[tuple[int, ...], np.dtype[np.uint8 | np.uint16]]

MAX_BYTES = 200_000_000
"""Of all frames that are loaded together, 4 bytes a pixel, 8 with 16 bits a channel: 50 megapixels of 8 bits."""
_STRIP_PIXELS = 65_536
"""Of the part of a frame that is blended at once: blending takes 100 bytes a pixel."""


def load_frames(source: Source, *, page: int | None) -> pyvips.Image:
    """All frames of ``source`` from top to bottom, with libvips' fields of an animation, or the frame ``page`` alone.

    Straight RGBA, or RGB where every frame is opaque. Raises OverLimits, ValueError, pyvips.Error or what the stream
    raised.
    """
    data = source.read_all()
    animation = parse_animation(data)
    if animation is None:
        raise ValueError("no animation")
    first = _decode_frame(data, animation.frames[0])
    wide, tall = int.from_bytes(data[16:20]), int.from_bytes(data[20:24])
    shown = range(len(animation.frames)) if page is None else range(page, page + 1)
    pixels = wide * tall * len(shown)
    most = MAX_BYTES // (4 if data[24] <= 8 else 8)
    if pixels > most:
        raise OverLimits(f"The source is an animated PNG of {pixels:,} pixels in all frames; the limit is {most:,}")
    return _build_image(
        _paint_frames(data, animation, (tall, wide), shown), first, tall, animation if page is None else None
    )


def _paint_frames(data: bytes, animation: Animation, size: tuple[int, int], shown: range) -> Pixels:
    """The canvas at each of the frames ``shown``, from top to bottom. Frames before them are painted and not kept."""
    tall, wide = size
    dtype = np.uint8 if data[24] <= 8 else np.uint16
    canvas = np.zeros((tall, wide, 4), dtype)
    stacked = canvas if len(shown) == 1 else np.empty((tall * len(shown), wide, 4), dtype)
    for number, frame in enumerate(animation.frames[: shown.stop]):
        pixels = _to_rgba(_decode_frame(data, frame))
        region = canvas[frame.top : frame.top + frame.height, frame.left : frame.left + frame.width]
        cleared = frame.dispose == CLEAR or (frame.dispose == RESTORE and number == 0)
        before = region.copy() if frame.dispose == RESTORE and not cleared else None
        _paint(region, pixels, over=frame.blend == OVER)
        if number in shown and stacked is not canvas:
            top = (number - shown.start) * tall
            stacked[top : top + tall] = canvas
        if number + 1 == shown.stop:
            break  # the canvas may be what is returned
        if cleared:
            region[:] = 0
        elif before is not None:
            region[:] = before
    return stacked


def _paint(region: Pixels, pixels: Pixels, *, over: bool) -> None:
    """Paint ``pixels`` into ``region``, over what is there or in its place."""
    step = max(1, _STRIP_PIXELS // region.shape[1])
    for top in range(0, region.shape[0], step):
        rows = slice(top, top + step)
        region[rows] = _composite_over(region[rows], pixels[rows]) if over else pixels[rows]


def _composite_over(below: Pixels, above: Pixels) -> Pixels:
    """``above`` over ``below``, both straight RGBA."""
    peak = float(np.iinfo(above.dtype).max)
    alpha, under = above[..., 3:] / peak, below[..., 3:] / peak
    under = under * (1 - alpha)
    total = alpha + under
    colours = above[..., :3] * alpha + below[..., :3] * under
    mixed = np.divide(colours, total, out=np.zeros_like(colours), where=total > 0)
    return np.concatenate([mixed, total * peak], axis=2).round().astype(above.dtype)


def _decode_frame(data: bytes, frame: Frame) -> pyvips.Image:
    return pyvips.Image.pngload_buffer(extract_frame(data, frame), fail_on="error")


def _to_rgba(image: pyvips.Image) -> Pixels:
    pixels: Pixels = image.numpy()
    pixels = pixels.reshape(image.height, image.width, image.bands)
    if image.bands == 4:
        return pixels
    full = np.empty((image.height, image.width, 4), pixels.dtype)
    full[..., :3] = pixels[..., : 3 if image.bands > 2 else 1]
    full[..., 3] = pixels[..., -1] if image.hasalpha() else np.iinfo(pixels.dtype).max
    return full


def _build_image(stacked: Pixels, first: pyvips.Image, tall: int, animation: Animation | None) -> pyvips.Image:
    """``stacked`` as libvips would have loaded it; ``first`` has the profile."""
    opaque = stacked[..., 3].min() == np.iinfo(stacked.dtype).max
    wide = stacked.dtype == np.uint16
    image = pyvips.Image.new_from_memory(
        memoryview(stacked).cast("B"), stacked.shape[1], stacked.shape[0], 4, "ushort" if wide else "uchar"
    ).copy(interpretation="rgb16" if wide else "srgb")
    image = image.extract_band(0, n=3) if opaque else image
    if first.get_typeof(PROFILE_FIELD) and first.bands > 2:
        image = attach_profile(image, first.get(PROFILE_FIELD))
    if animation is not None:
        image.set_type(pyvips.GValue.gint_type, "page-height", tall)
        image.set_type(pyvips.GValue.array_int_type, "delay", [frame.delay_ms for frame in animation.frames])
        image.set_type(pyvips.GValue.gint_type, "loop", animation.loops)
    return image
