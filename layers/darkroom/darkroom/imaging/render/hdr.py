"""Carry a gain map over to the output, where that is a JPEG too.

HDR screens brighten an image by its gain map. It is kept where only geometry changed: it then gets the same geometry.
Every effect would have to be undone in it, so with effects, a watermark, padding or another output format the base is
served alone, which is the correct SDR image. The map stays as it is where the base becomes sRGB: its numbers are
factors on linear light, which a change of primaries keeps for grey maps, and nearly so for coloured ones.
"""

from __future__ import annotations

from dataclasses import replace
from math import ceil, floor
from typing import NamedTuple

import pyvips

from ...plan.geometry.layout import Box, Geometry, Size
from ...plan.model import Plan
from ..colour.convert import apply_orientation
from ..formats.jpeg.ultrahdr import GainMap, attach_gain_map, read_gain_map
from ..formats.probe import find_patches
from ..source import Source

QUALITY = 85
"""Of the map: it is smooth, and an error of one step in 255 is below a hundredth of a stop."""

_KEPT_FIELDS = (
    *(
        "width",
        "height",
        "upscale",
        "fit",
        "gravity",
        "crop",
        "rotate",
        "flip",
        "trim",
        "findings",
        "rights",
        "orient",
        "inset",
    ),
    *("crop_to", "face_crop", "face_zoom", "trim_options", "trim_first", "min_width", "min_height", "scale"),
    *("cover_mode", "adaptive", "offset", "focus", "extension", "pixel_ratio", "max_side", "even_centre"),
    *("enlarge_only", "one_side"),
    *("format", "quality", "animate", "page", "download", "passthrough_formats", "max_bytes", "baseline", "inline"),
)
"""Fields of a plan that affect geometry, or the output but no pixel of it."""


class Region(NamedTuple):
    """Where an image is sampled, in its px; edges may lie within pixels."""

    left: float
    top: float
    width: float
    height: float


def keeps_gain_map(plan: Plan) -> bool:
    """True where ``plan`` changes nothing but geometry, so that a gain map still fits."""
    kept = {name: getattr(plan, name) for name in _KEPT_FIELDS}
    return plan.fit != "letterbox" and plan == replace(Plan(plan.key), **kept)


def copy_gain_map(base: bytes, source: Source, geometry: Geometry) -> bytes:
    """``base``, a JPEG made of ``source`` by ``geometry``, with the source's gain map in the same geometry.

    ``base`` itself where the source has no map that can be used: the image is right without. Raises what the stream
    raised.
    """
    found = read_gain_map(source.read_all())
    if found is None:
        return base
    try:
        return attach_gain_map(base, transform_gain_map(found, geometry), found.parameters)
    except pyvips.Error:
        return base


def transform_gain_map(gain_map: GainMap, geometry: Geometry) -> bytes:
    """``gain_map`` as a JPEG that covers what ``geometry`` makes of its base, at the same ratio of sizes as before, at
    most 1.

    Raises pyvips.Error where the map is damaged.
    """
    source = Source.from_bytes(gain_map.jpeg)
    opened = source.open_vips(patches=find_patches(source, "jpeg"))
    stored = pyvips.Image.jpegload_source(opened, fail_on="warning").copy_memory()
    image = apply_orientation(stored, geometry.orientation)
    ratio = min(1.0, max(gain_map.size) / max(gain_map.base_size))
    size = Size(*(max(1, round(side * ratio)) for side in geometry.cropped_size))
    sampled = _sample(image, _region(geometry, Size(image.width, image.height)), size)
    turned = sampled.rot(f"d{geometry.rotate}")
    finished = turned.fliphor() if geometry.flop else turned
    body: bytes = finished.jpegsave_buffer(Q=QUALITY, subsample_mode="off", optimize_coding=True, keep="none")
    return body


def _region(geometry: Geometry, upright_map: Size) -> Region:
    """What ``geometry`` keeps of the upright source, in px of its upright map."""
    subject, scaled = geometry.subject, geometry.scaled
    window = geometry.window or Box(0, 0, *scaled)
    across, down = upright_map.width / geometry.upright.width, upright_map.height / geometry.upright.height
    wide, tall = across * subject.width / scaled.width, down * subject.height / scaled.height
    return Region(
        across * subject.left + wide * window.left,
        down * subject.top + tall * window.top,
        wide * window.width,
        tall * window.height,
    )


def _sample(image: pyvips.Image, region: Region, size: Size) -> pyvips.Image:
    """``region`` of ``image`` at ``size``, exact to a fraction of a pixel: a map is coarse, and must not shift."""
    left, top = max(0, floor(region.left)), max(0, floor(region.top))
    right = min(image.width, max(left + 1, ceil(region.left + region.width)))
    bottom = min(image.height, max(top + 1, ceil(region.top + region.height)))
    part = image.crop(left, top, right - left, bottom - top)
    small = part.resize(min(1.0, size.width / region.width), vscale=min(1.0, size.height / region.height))
    across, down = small.width / part.width, small.height / part.height
    steps = [across * region.width / size.width, down * region.height / size.height]
    starts = [across * (region.left - left), down * (region.top - top)]
    centres = [start + step / 2 - 0.5 for start, step in zip(starts, steps, strict=True)]
    places = pyvips.Image.xyz(*size).linear(steps, centres)
    return small.mapim(places, interpolate=pyvips.Interpolate.new("bilinear"), extend="copy")
