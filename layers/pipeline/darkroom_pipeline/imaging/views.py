"""Every rendition of a source that a viewer can show, as models take it: 8-bit sRGB without alpha, upright.

Of a frame with alpha there are three: on white, on black, and its colours without alpha. A viewer chooses the
background of transparency, and a file without alpha may keep colours that alpha hid. Any other background is a linear
mixture of white and black: an image that is flat on both is flat on all.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from math import log
from typing import TYPE_CHECKING

import pyvips

from darkroom.errors import DamagedSource, DarkroomError
from darkroom.imaging.colour.convert import (
    PEAK_8_BIT,
    PEAK_16_BIT,
    apply_orientation,
    cicp_to_srgb,
    decode_srgb,
    encode_srgb,
    ensure_rgb,
    is_cmyk,
    needs_conversion,
    resize_to,
    to_eight_bits,
    to_srgb,
)
from darkroom.imaging.formats.jpeg.ultrahdr import GainMap, read_gain_map
from darkroom.imaging.formats.load import load
from darkroom.imaging.formats.probe import Cicp, sniff
from darkroom.imaging.formats.registry import ANIMATION
from darkroom.imaging.render.pipeline import inspect_source, make_context
from darkroom.imaging.source import Source
from darkroom.plan.geometry.layout import Size
from darkroom.plan.limits import Limits
from darkroom.plan.model import Plan

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

QUALITY = 90
"""Of the JPEG sent to a model."""

_LUMA = [0.299, 0.587, 0.114]
"""Weights of ITU-R BT.601, as in JPEG."""

_LUMA_SHRINK = 8
"""Factor by which a JPEG is reduced while it is decoded, so that the mean luma costs a millisecond."""

_PERCENT_WHITE = 99.5
"""Of the pixels of an HDR rendition that are no brighter than white here: a few lights must not darken the rest."""


def make_fitting_plan(side_px: int) -> Plan:
    """Return the plan of a whole image of which no side is over ``side_px``."""
    return Plan("", width=side_px, height=side_px, format="jpeg", quality=QUALITY, animate=False)


def render_first_frame(source: Source, limits: Limits, side_px: int) -> list[pyvips.Image]:
    """Return the three views of the first frame or page; none where it has no alpha. Raises what a render raises."""
    return next(_render_pages(source, limits, side_px, animated=False, opaque=False))


def render_all_frames(source: Source, limits: Limits, side_px: int) -> Iterator[list[pyvips.Image]]:
    """Yield the views of each frame or page, in their order; none of a source that has but one.

    Raises what a render raises.
    """
    header, _ = inspect_source(make_fitting_plan(side_px), source, limits)
    if header.frames > 1:
        yield from _render_pages(source, limits, side_px, animated=header.animated)


def render_gain_map(source: Source, side_px: int) -> list[pyvips.Image]:
    """Return the gain map of a JPEG as an image, the same at full contrast, and what it makes of the base on an HDR
    display. Empty where there is no map that is ever applied or returned. Raises DamagedSource.
    """
    if sniff(source.read_head()) != "jpeg":
        return []
    data = source.read_all()
    found = read_gain_map(data)
    if found is None:
        return []
    try:
        stored = pyvips.Image.jpegload_buffer(found.jpeg, fail_on="warning")
        gain = resize_to(ensure_rgb(to_srgb(stored)), _fit_within(stored, side_px)).copy_memory()
        base = pyvips.Image.thumbnail_buffer(
            data, gain.width, height=gain.height, size="force", no_rotate=True, output_profile="srgb"
        )
        orientation = int(base.get("orientation")) if base.get_typeof("orientation") else 1
        views = [gain, _stretch_contrast(gain), _render_hdr(ensure_rgb(base), gain, found)]
        return [apply_orientation(view, orientation).copy_memory() for view in views]
    except pyvips.Error as error:
        raise DamagedSource(detail=f"gain map: {error}") from error


def encode_view(view: pyvips.Image) -> bytes:
    """Return ``view`` as a JPEG."""
    body: bytes = view.jpegsave_buffer(Q=QUALITY, keep="none")
    return body


def decode_view(jpeg: bytes, shrink: int = 1) -> pyvips.Image:
    """Return a JPEG of ours with three bands: that of a grey source has one. ``shrink`` divides its size.

    Raises DarkroomError if it cannot be decoded.
    """
    try:
        return ensure_rgb(pyvips.Image.jpegload_buffer(jpeg, shrink=shrink)).copy_memory()
    except pyvips.Error as error:
        raise DarkroomError(detail=str(error)) from error


def read_rgb(jpeg: bytes) -> NDArray[np.uint8]:
    """Return a JPEG of ours as an array (height, width, 3) of sRGB. Raises DarkroomError if it cannot be decoded."""
    pixels: NDArray[np.uint8] = decode_view(jpeg).numpy()
    return pixels


def mean_luma(jpeg: bytes) -> float:
    """Return the mean luma of a JPEG of ours, from 0 to 1. Raises DarkroomError if it cannot be decoded."""
    return float(decode_view(jpeg, _LUMA_SHRINK).recomb([_LUMA]).avg()) / PEAK_8_BIT


def make_thumbnail(view: pyvips.Image, side_px: int) -> bytes:
    """Return ``view`` as a square of ``side_px``, three bytes a pixel, row by row."""
    body: bytes = resize_to(view, Size(side_px, side_px)).write_to_memory()
    return body


def max_difference(one: pyvips.Image, other: pyvips.Image) -> float:
    """Return the largest difference of any channel of any pixel, from 0 to 255; both have one size."""
    return float((one - other).abs().max())


def _render_pages(
    source: Source, limits: Limits, side_px: int, *, animated: bool, opaque: bool = True
) -> Iterator[list[pyvips.Image]]:
    """Yield views page by page; of an animation all frames are decoded in one pass.

    Unless ``opaque``, frames without alpha are not decoded, and have no views.
    """
    plan = make_fitting_plan(side_px)
    if animated:
        plan = replace(plan, format=ANIMATION.name, animate=True)
    page, pages = 0, 1
    while page < pages:
        header, geometry = inspect_source(replace(plan, page=page), source, limits)
        pages = 1 if animated else header.frames
        # A version that is reduced while it is decoded has lost the colours under its alpha.
        whole = header.has_alpha and header.format != "svg" and not source.is_ranged
        decoded = load(source, header, geometry, limits, page=page, animated=animated, whole=whole)
        context = make_context(plan, header, geometry, decoded)
        for frame in context.frames:
            if not (opaque or frame.hasalpha()):
                yield []
                continue
            with source.decoding():
                views = _composite(frame, context.geometry.stored_scaled, context.cicp)
            yield [apply_orientation(view, context.geometry.orientation).copy_memory() for view in views]
        page += 1


def _composite(frame: pyvips.Image, size: Size, cicp: Cicp | None) -> list[pyvips.Image]:
    """Return ``frame`` at ``size`` on white, on black and without alpha; once where it has none."""
    if not frame.hasalpha():
        light = to_srgb(frame) if is_cmyk(frame) else frame
        return [_convert(resize_to(light, size).copy_memory(), cicp)]
    held = _convert(frame.copy_memory(), cicp).copy_memory()
    colours = held.extract_band(0, n=3)
    layers = [held.flatten(background=PEAK_8_BIT), held.flatten(background=0), colours]
    together = layers[0].bandjoin(layers[1:]).copy(interpretation="multiband")
    reduced = resize_to(together, size).copy_memory()
    return [reduced.extract_band(at, n=3).copy(interpretation="srgb") for at in (0, 3, 6)]


def _convert(image: pyvips.Image, cicp: Cicp | None) -> pyvips.Image:
    """Return ``image`` in 8-bit sRGB: three bands and the alpha that it has."""
    if cicp is not None and needs_conversion(cicp):
        image = cicp_to_srgb(image, cicp)
    image = to_eight_bits(to_srgb(image))
    return image if image.bands >= 3 else image.colourspace("srgb")


def _fit_within(image: pyvips.Image, side_px: int) -> Size:
    scale = min(1.0, side_px / max(image.width, image.height))
    return Size(max(1, round(image.width * scale)), max(1, round(image.height * scale)))


def _stretch_contrast(image: pyvips.Image) -> pyvips.Image:
    """Return ``image`` with its darkest value black and its brightest white."""
    black, white = image.min(), image.max()
    factor = PEAK_8_BIT / max(white - black, 1e-6)
    return image.linear(factor, -black * factor).rint().cast("uchar").copy(interpretation="srgb")


def _render_hdr(base: pyvips.Image, gain: pyvips.Image, found: GainMap) -> pyvips.Image:
    """Return the base brightened by all of its map (ISO 21496-1, 6.2), as dark as it has to be for 8 bits."""
    sides = found.parameters.sides
    low, high, gamma, sdr, hdr = (list(side) * 3 if len(side) == 1 else list(side) for side in sides)
    light = decode_srgb(base.extract_band(0, n=3) / PEAK_8_BIT)
    share = (gain / PEAK_8_BIT) ** [1 / number for number in gamma]
    stops = share * [top - bottom for top, bottom in zip(high, low, strict=True)] + low
    bright = ((light + sdr) * (stops * log(2)).exp() - hdr).clamp(min=0, max=1e6).copy_memory()
    steps = (bright * (PEAK_16_BIT / max(bright.max(), 1e-6))).cast("ushort")  # `percent` takes whole numbers
    white = max(steps.extract_band(band).percent(_PERCENT_WHITE) for band in range(3))
    encoded = encode_srgb((steps / max(white, 1)).clamp(min=0, max=1))
    return (encoded * PEAK_8_BIT).rint().cast("uchar").copy(interpretation="srgb")
