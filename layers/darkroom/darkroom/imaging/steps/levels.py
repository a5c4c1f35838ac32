"""Make use of all levels."""

from __future__ import annotations

import pyvips

from ..colour.convert import ensure_rgb, get_white_level, join_alpha, split_alpha, to_eight_bits
from ..work import Work

CLIPPED = (1, 99)
"""Percentiles of lightness that become black and white, in whole steps of 100: sharp's ``normalise``."""

LEAST_SPAN = 1
"""A picture whose lightness spans no more steps is left as it is, as sharp leaves it."""


def equalise_histogram(work: Work) -> None:
    """Even out the histogram of each band, if the plan's levels are ``equal``; alpha stays.

    All frames of an animation change alike.
    """
    if work.plan.levels == "equal":
        _even(work)


def adjust_levels_late(work: Work) -> None:
    """Stretch lightness to the whole range, colours staying, if the plan's levels are ``stretch``; alpha stays.

    After watermarks, as in sharp. If they are ``after``, even out the histogram of each band. All frames of an
    animation change alike.
    """
    if work.plan.levels == "stretch":
        _stretch(work)
    elif work.plan.levels == "after":
        _even(work)


def _stretch(work: Work) -> None:
    labs = [ensure_rgb(split_alpha(frame)[0]).colourspace("lab") for frame in work.frames]
    light = pyvips.Image.arrayjoin([lab[0] for lab in labs], across=1)
    low, high = (int(light.percent(share)) for share in CLIPPED)
    if high - low <= LEAST_SPAN:
        return
    gain = 100 / (high - low)
    work.each(lambda frame: _stretched(frame, gain, -low * gain))


def _stretched(frame: pyvips.Image, gain: float, lift: float) -> pyvips.Image:
    colour, alpha = split_alpha(frame)
    lab = ensure_rgb(colour).colourspace("lab")
    light = lab[0] * gain + lift
    result = light.bandjoin(lab.extract_band(1, n=2)).copy(interpretation="lab")
    back = {1: "grey16" if get_white_level(frame) > 255 else "b-w"}.get(
        colour.bands, "rgb16" if get_white_level(frame) > 255 else "srgb"
    )
    return join_alpha(result.colourspace(back), alpha)


def _even(work: Work) -> None:
    """The formula is thumbor's (``_equalize.c``): share of the pixels up to a level, without those of the least one."""
    frames = [to_eight_bits(frame) for frame in work.frames]
    colours = pyvips.Image.arrayjoin([split_alpha(frame)[0] for frame in frames], across=1)
    counted = colours.hist_find()
    tables = [_table([int(counted(x, 0)[band]) for x in range(256)]) for band in range(counted.bands)]
    table = tables[0].bandjoin(tables[1:]) if len(tables) > 1 else tables[0]
    changed = iter(frames)
    work.each(lambda _: _mapped(next(changed), table))


def _table(counts: list[int]) -> pyvips.Image:
    pixels, least = sum(counts), next(count for count in counts if count)
    if pixels == least:
        return pyvips.Image.identity()
    total, levels = 0, []
    for count in counts:
        total += count
        levels.append(max(0, total - least) * 255 // (pixels - least))
    return pyvips.Image.new_from_array([levels]).cast("uchar")


def _mapped(frame: pyvips.Image, table: pyvips.Image) -> pyvips.Image:
    colour, alpha = split_alpha(frame)
    return join_alpha(colour.maplut(table).copy(interpretation=frame.interpretation), alpha)
