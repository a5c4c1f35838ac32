"""Levels and histograms."""

from __future__ import annotations

import pyvips

from ....plan.geometry.layout import Size
from ...colour.convert import ensure_rgb, get_white_level, join_alpha, resize_to, split_alpha, to_eight_bits
from ..context import RenderContext

CLIP_PERCENTILES = (1, 99)
"""Percentiles of lightness that become black and white, in whole steps of 100: sharp's ``normalise``."""

MIN_SPAN = 1
"""An image whose lightness spans no more steps is unchanged, as in sharp."""


def equalise_histogram(context: RenderContext) -> None:
    """Equalise the histogram of each band, if the plan's levels are ``equal``; alpha stays.

    All frames of an animation change alike.
    """
    if context.plan.normalise == "equal":
        _equalise_histograms(context)


def normalise_late(context: RenderContext) -> None:
    """Stretch lightness to the whole range, keeping colours, if the plan's levels are ``stretch``; alpha stays.

    After watermarks, as in sharp. If they are ``after``, equalise the histogram of each band. All frames of an
    animation change alike.
    """
    if context.plan.normalise == "stretch":
        _stretch_lightness(context)
    elif context.plan.normalise == "after":
        _equalise_histograms(context)


def _stretch_lightness(context: RenderContext) -> None:
    labs = [ensure_rgb(split_alpha(frame)[0]).colourspace("lab") for frame in context.frames]
    light = pyvips.Image.arrayjoin([lab[0] for lab in labs], across=1)
    low, high = (int(light.percent(share)) for share in CLIP_PERCENTILES)
    if high - low <= MIN_SPAN:
        return
    gain = 100 / (high - low)
    context.map_frames(lambda frame: _stretch_frame(frame, gain, -low * gain))


def _stretch_frame(frame: pyvips.Image, gain: float, lift: float) -> pyvips.Image:
    colour, alpha = split_alpha(frame)
    lab = ensure_rgb(colour).colourspace("lab")
    light = lab[0] * gain + lift
    result = light.bandjoin(lab.extract_band(1, n=2)).copy(interpretation="lab")
    back = {1: "grey16" if get_white_level(frame) > 255 else "b-w"}.get(
        colour.bands, "rgb16" if get_white_level(frame) > 255 else "srgb"
    )
    return join_alpha(result.colourspace(back), alpha)


def _equalise_histograms(context: RenderContext) -> None:
    """Equalise as thumbor (``_equalize.c``): by the share of pixels up to a level, without those of the lowest one."""
    frames = [to_eight_bits(frame) for frame in context.frames]
    colours = pyvips.Image.arrayjoin([split_alpha(frame)[0] for frame in frames], across=1)
    counted = colours.hist_find()
    tables = [_equalising_table([int(counted(x, 0)[band]) for x in range(256)]) for band in range(counted.bands)]
    table = tables[0].bandjoin(tables[1:]) if len(tables) > 1 else tables[0]
    changed = iter(frames)
    context.map_frames(lambda _: _map_levels(next(changed), table))


def _equalising_table(counts: list[int]) -> pyvips.Image:
    pixels, least = sum(counts), next(count for count in counts if count)
    if pixels == least:
        return pyvips.Image.identity()
    total, levels = 0, []
    for count in counts:
        total += count
        levels.append(max(0, total - least) * 255 // (pixels - least))
    return pyvips.Image.new_from_array([levels]).cast("uchar")


def _map_levels(frame: pyvips.Image, table: pyvips.Image) -> pyvips.Image:
    colour, alpha = split_alpha(frame)
    return join_alpha(colour.maplut(table).copy(interpretation=frame.interpretation), alpha)


WINDOWS_PER_SIDE = 8
MAX_SLOPE = 3
"""How much CLAHE may steepen contrast: 3 is the usual choice of OpenCV's and libvips' users; more shows noise."""

DIRECT_PIXELS = 500_000
"""Above this, the transfer is computed on a smaller copy: a sliding histogram takes a second for 3 MP."""


def equalise_locally(context: RenderContext) -> None:
    """Equalise CIE lightness locally (CLAHE: contrast-limited, adaptive); colour and alpha stay."""
    context.map_frames(_equalise_lightness)


def _equalise_lightness(frame: pyvips.Image) -> pyvips.Image:
    colour, alpha = split_alpha(frame)
    lab = ensure_rgb(colour).colourspace("lab")
    light = lab[0] * 2.55
    pixels = light.width * light.height
    if pixels <= DIRECT_PIXELS:
        even = _apply_clahe(light)
    else:
        factor = (DIRECT_PIXELS / pixels) ** 0.5
        even = _transfer_clahe(light, Size(max(1, round(light.width * factor)), max(1, round(light.height * factor))))
    result = (even / 2.55).bandjoin(lab.extract_band(1, n=2)).copy(interpretation="lab")
    same = result.colourspace("rgb16" if get_white_level(frame) > 255 else "srgb")
    return join_alpha(same, alpha)


def _apply_clahe(light: pyvips.Image) -> pyvips.Image:
    side = max(3, min(light.width, light.height) // WINDOWS_PER_SIDE)
    levels = light.rint().cast("uchar")
    even = levels.hist_local(min(side, levels.width), min(side, levels.height), max_slope=MAX_SLOPE)
    # What 8 bits rounded off is put back: smooth gradients must not become steps.
    return even.cast("float") + (light - levels)


def _transfer_clahe(light: pyvips.Image, size: Size) -> pyvips.Image:
    """Apply CLAHE of a smaller copy: its local ``a × light + b`` (fast guided filter, He and Sun 2015) on the whole."""
    small = resize_to(light, size).copy_memory()
    even = _apply_clahe(small).copy_memory()
    side = 2 * (max(size) // 100) + 3
    box = pyvips.Image.new_from_array([[1] * side], scale=side)
    mean, target = small.convsep(box), even.convsep(box)
    variance = (small * small).convsep(box) - mean * mean
    slope = ((small * even).convsep(box) - mean * target) / (variance + 4.0)
    offset = (target - slope * mean).convsep(box)
    whole = Size(light.width, light.height)
    return resize_to(slope.convsep(box), whole) * light + resize_to(offset, whole)
