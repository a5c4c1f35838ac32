"""The frames of an animated PNG, which libvips takes for a still: each is decoded by libvips and painted here."""

from __future__ import annotations

import pyvips

from ....errors import OverLimits
from ...colour.icc import PROFILE_FIELD, attach_profile
from ...source import Source
from .apng import CLEAR, OVER, RESTORE, Animation, Frame, extract_frame, parse_animation

MAX_BYTES = 200_000_000
"""Of all frames that are loaded together, 4 bytes a pixel, 8 with 16 bits a channel: 50 megapixels of 8 bits."""
_PEAKS = {"uchar": 255, "ushort": 65_535}


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


def _paint_frames(data: bytes, animation: Animation, size: tuple[int, int], shown: range) -> pyvips.Image:
    """The canvas at each of the frames ``shown``, from top to bottom. Frames before them are painted and not kept."""
    tall, wide = size
    number_format = "uchar" if data[24] <= 8 else "ushort"
    canvas = _clear(wide, tall, number_format)
    kept = []
    for number, frame in enumerate(animation.frames[: shown.stop]):
        before, canvas = canvas, _paint(canvas, _to_rgba(_decode_frame(data, frame)), frame).copy_memory()
        if number in shown:
            kept.append(canvas)
        if frame.dispose == CLEAR or (frame.dispose == RESTORE and number == 0):
            hole = _clear(frame.width, frame.height, number_format)
            canvas = canvas.insert(hole, frame.left, frame.top).copy_memory()
        elif frame.dispose == RESTORE:
            canvas = before
    return pyvips.Image.arrayjoin(kept, across=1)


def _clear(wide: int, tall: int, number_format: str) -> pyvips.Image:
    image = pyvips.Image.black(wide, tall, bands=4).cast(number_format)
    return image.copy(interpretation=_space(number_format))


def _space(number_format: str) -> str:
    return "rgb16" if number_format == "ushort" else "srgb"


def _paint(canvas: pyvips.Image, pixels: pyvips.Image, frame: Frame) -> pyvips.Image:
    """Paint ``pixels``, straight RGBA as ``canvas`` is, over what is there or in its place.

    Only the region of the frame is blended.
    """
    if frame.blend == OVER:
        below = canvas.crop(frame.left, frame.top, frame.width, frame.height)
        pixels = below.composite2(pixels, "over", compositing_space=canvas.interpretation).cast(canvas.format)
    return canvas.insert(pixels, frame.left, frame.top)


def _decode_frame(data: bytes, frame: Frame) -> pyvips.Image:
    return pyvips.Image.pngload_buffer(extract_frame(data, frame), fail_on="error")


def _to_rgba(image: pyvips.Image) -> pyvips.Image:
    """The pixels as straight RGBA without a profile: the canvas has those of the first frame."""
    if image.bands < 3:
        alpha = [image[1]] if image.hasalpha() else []
        image = image[0].bandjoin([image[0], image[0], *alpha]).copy(interpretation=_space(image.format))
    return image if image.bands == 4 else image.addalpha()


def _build_image(stacked: pyvips.Image, first: pyvips.Image, tall: int, animation: Animation | None) -> pyvips.Image:
    """``stacked`` as libvips would have loaded it; ``first`` has the profile."""
    image = stacked
    if stacked[3].min() == _PEAKS[stacked.format]:
        image = image.extract_band(0, n=3)
    if first.get_typeof(PROFILE_FIELD) and first.bands > 2:
        image = attach_profile(image, first.get(PROFILE_FIELD))
    if animation is not None:
        image.set_type(pyvips.GValue.gint_type, "page-height", tall)
        image.set_type(pyvips.GValue.array_int_type, "delay", [frame.delay_ms for frame in animation.frames])
        image.set_type(pyvips.GValue.gint_type, "loop", animation.loops)
    return image
