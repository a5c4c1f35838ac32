"""Tones and colours: what changes a pixel by its own value alone."""

from __future__ import annotations

from functools import partial, reduce
from itertools import batched, pairwise

import pyvips

from ....plan.model import IDENTITY, Clahe, Curve, Lch, Matrix
from ...colour.convert import (
    PEAK_8_BIT,
    ensure_rgb,
    get_white_level,
    join_alpha,
    parse_hex_colour,
    split_alpha,
    to_eight_bits,
)
from ..context import RenderContext

LUMA = (0.2126, 0.7152, 0.0722)
"""Weights of red, green and blue in lightness (ITU-R BT.709), as CSS filters use them."""


def adjust_tone(context: RenderContext) -> None:
    """Change tones in this order, on sRGB values from 0 to 1, clipped at the end; alpha stays.

    * ``gam``: v^(1/gam), so that more than 1 brightens the shadows;
    * ``bri``: v × (1 + bri/100), CSS ``brightness()``: −100 is black, 100 doubles;
    * ``con``: (v − ½) × (1 + con/100) + ½, CSS ``contrast()``: −100 is grey;
    * ``sat``: luma + (v − luma) × (1 + sat/100), CSS ``saturate()``: −100 takes all colour away;
    * ``gray``: one band of CIE lightness.
    """
    plan = context.plan
    if plan.gamma != 1 or plan.brightness or plan.contrast or plan.saturation:
        context.map_frames(lambda frame: _adjust_frame(frame, context))
    if plan.grayscale:
        context.map_frames(_to_grey)


def _adjust_frame(frame: pyvips.Image, context: RenderContext) -> pyvips.Image:
    plan = context.plan
    colour, alpha = split_alpha(frame)
    white = get_white_level(frame)
    value = colour / white
    if plan.gamma != 1:
        value = value ** (1 / plan.gamma)
    gain, slope = 1 + plan.brightness / 100, 1 + plan.contrast / 100
    if plan.saturation and colour.bands == 3:
        value = value.recomb(_saturation_matrix(1 + plan.saturation / 100))
    value = value * (gain * slope * white) + (1 - slope) * white / 2
    return join_alpha(value.rint().cast(frame.format).copy(interpretation=frame.interpretation), alpha)


def _saturation_matrix(amount: float) -> list[list[float]]:
    """Return the matrix that scales the distance of a colour from its luma."""
    return [
        [weight * (1 - amount) + (amount if row == column else 0) for column, weight in enumerate(LUMA)]
        for row in range(3)
    ]


def _to_grey(frame: pyvips.Image) -> pyvips.Image:
    return frame.colourspace("grey16" if frame.format == "ushort" else "b-w")


CURVE_LEVELS = range(PEAK_8_BIT + 1)


def apply_curves(context: RenderContext) -> None:
    """Apply the curves of red, green and blue, then to each the curve of all channels; alpha stays.

    Grey images stay grey where the three curves are one.
    """
    curves = context.plan.curves
    assert curves is not None
    every, *each = ([round(level) for level in build_curve_table(curve)] for curve in curves)
    tables = [[every[level] for level in one] for one in each]
    context.map_frames(lambda frame: _apply_tables(frame, tables))


def build_curve_table(curve: Curve) -> list[float]:
    """Return the output of ``curve``, from 0 to 255, for each input level.

    A natural cubic spline, as in thumbor's ``_curve.c``, level beyond its ends. A curve without points changes nothing.
    """
    if not curve:
        return [float(level) for level in CURVE_LEVELS]
    bends = _second_derivatives(curve)
    found = [float(curve[0][1] if level <= curve[0][0] else curve[-1][1]) for level in CURVE_LEVELS]
    for ((x, y), (next_x, next_y)), (bend_here, bend_there) in zip(pairwise(curve), pairwise(bends), strict=True):
        width = next_x - x
        for level in range(x, next_x):
            there = (level - x) / width
            here = 1 - there
            bulge = (here**3 - here) * bend_here + (there**3 - there) * bend_there
            found[level] = here * y + there * next_y + width * width / 6 * bulge
    return [min(max(value, 0.0), float(PEAK_8_BIT)) for value in found]


def _second_derivatives(curve: Curve) -> list[float]:
    """Return the second derivatives of the natural cubic spline through ``curve``, 0 at its ends (Thomas)."""
    slopes = [(next_y - y) / (next_x - x) for (x, y), (next_x, next_y) in pairwise(curve)]
    ahead, found = [0.0], [0.0]
    for at in range(1, len(curve) - 1):
        before, after = curve[at][0] - curve[at - 1][0], curve[at + 1][0] - curve[at][0]
        pivot = (before + after) / 3 - before / 6 * ahead[-1]
        ahead.append(after / 6 / pivot)
        found.append((slopes[at] - slopes[at - 1] - before / 6 * found[-1]) / pivot)
    solved = [0.0]
    for share, value in zip(reversed(ahead[1:]), reversed(found[1:]), strict=True):
        solved.append(value - share * solved[-1])
    return [0.0, *reversed(solved)]


def _apply_tables(frame: pyvips.Image, tables: list[list[int]]) -> pyvips.Image:
    colour, alpha = split_alpha(frame)
    same = tables[0] == tables[1] == tables[2]
    colour = colour if same else ensure_rgb(colour)
    bands = [pyvips.Image.new_from_array([one]) for one in (tables[:1] if same else tables)]
    table = bands[0].bandjoin(bands[1:]) if len(bands) > 1 else bands[0]
    mapped = colour.maplut(_expand_to_16_bits(table) if get_white_level(frame) > PEAK_8_BIT else table.cast("uchar"))
    return join_alpha(mapped.copy(interpretation=colour.interpretation), alpha)


def _expand_to_16_bits(table: pyvips.Image) -> pyvips.Image:
    """Interpolate ``table`` linearly for 16 bits."""
    places = (pyvips.Image.identity(ushort=True) / 257).bandjoin(0)
    fine = table.cast("float").mapim(places, interpolate=pyvips.Interpolate.new("bilinear"), extend="copy")
    return (fine * 257).rint().cast("ushort")


def apply_colour_matrix(frame: pyvips.Image, matrices: Matrix) -> pyvips.Image:
    """Make each channel a weighted sum of all three and a constant, on sRGB values from 0 to 1, clipped; alpha stays.

    Several matrices are applied one after another. Grey images stay grey where the matrix keeps grey.
    """
    return reduce(_mix_channels, batched(matrices, len(IDENTITY), strict=True), frame)


def _mix_channels(frame: pyvips.Image, matrix: Matrix) -> pyvips.Image:
    colour, alpha = split_alpha(frame)
    rows = [matrix[at : at + 4] for at in (0, 4, 8)]
    greys = [(sum(row[:3]), row[3]) for row in rows]
    if colour.bands < 3 and greys[0] == greys[1] == greys[2]:
        mixed = colour * greys[0][0] + greys[0][1] * get_white_level(frame)
    else:
        colour = ensure_rgb(colour)
        mixed = colour.recomb([list(row[:3]) for row in rows]) + [row[3] * get_white_level(frame) for row in rows]
    return join_alpha(mixed.rint().cast(frame.format).copy(interpretation=colour.interpretation), alpha)


def apply_threshold(frame: pyvips.Image, threshold: int) -> pyvips.Image:
    """Make what is as light as ``threshold`` (of 255, on the scale of grey images) white and the rest black.

    One band; alpha stays.
    """
    colour, alpha = split_alpha(to_eight_bits(frame))
    grey = colour.colourspace("b-w")
    return join_alpha((grey >= threshold).copy(interpretation="b-w"), alpha)


def modulate_lch(frame: pyvips.Image, change: Lch) -> pyvips.Image:
    """Multiply lightness and chroma, turn hues, and add lightness; alpha stays: sharp's ``modulate()``."""
    colour, alpha = split_alpha(ensure_rgb(frame))
    lch = colour.colourspace("lch").linear([change.brightness, change.saturation, 1], [change.lightness, 0, change.hue])
    return join_alpha(
        lch.copy(interpretation="lch").colourspace("rgb16" if get_white_level(frame) > 255 else "srgb"), alpha
    )


def equalise_in_window(frame: pyvips.Image, clahe: Clahe) -> pyvips.Image:
    """Equalise each band, alpha too, within a sliding window, no larger than the image: sharp's ``clahe()``."""
    eight = to_eight_bits(frame)
    width, height = max(1, min(clahe.width, frame.width)), max(1, min(clahe.height, frame.height))
    even = eight.copy_memory().hist_local(width, height, max_slope=clahe.slope)
    return even.copy(interpretation=eight.interpretation)


def tint(context: RenderContext) -> None:
    """Give each lightness L the chroma of the plan's colour, by 1 − 4 (L − ½)²: none at black and white.

    Alpha stays. Grey images stay too, as sharp converts its result back to grey.
    """
    if split_alpha(context.frames[0])[0].bands < 3:
        return
    rgb = parse_hex_colour(context.plan.tint)[:3]
    target = (pyvips.Image.black(1, 1) + rgb).copy(interpretation="srgb").colourspace("lab").getpoint(0, 0)
    greys = pyvips.Image.identity(bands=3).copy(interpretation="srgb").colourspace("lab")
    light = greys[0] / 100
    weight = 1 - 4 * (light - 0.5) * (light - 0.5)
    table = greys[0].bandjoin([weight * target[1], weight * target[2]]).copy(interpretation="lab").colourspace("srgb")
    context.map_frames(partial(_tint_frame, table=table.copy_memory()))


def _tint_frame(frame: pyvips.Image, table: pyvips.Image) -> pyvips.Image:
    colour, alpha = split_alpha(to_eight_bits(frame))
    return join_alpha(colour.colourspace("b-w").maplut(table).copy(interpretation="srgb"), alpha)


def change_alpha(context: RenderContext) -> None:
    """Invert alpha, drop it so that hidden colours show, or make it 0 or opaque by the plan's threshold."""
    if context.frames[0].hasalpha():
        context.map_frames(partial(_change_alpha_frame, how=context.plan.alpha, threshold=context.plan.threshold))


def _change_alpha_frame(frame: pyvips.Image, how: str, threshold: int) -> pyvips.Image:
    colour, alpha = split_alpha(frame)
    if how == "drop" or alpha is None:
        return colour
    white = get_white_level(frame)
    changed = white - alpha if how == "invert" else (alpha >= threshold * white / 255).ifthenelse(white, 0)
    return join_alpha(colour, changed.cast(frame.format))
