"""Tones as sharp changes them, in the order of its ``src/pipeline.cc`` (0.35), after watermarks."""

from __future__ import annotations

from functools import partial

import pyvips

from ...plan.model import Clahe, Lch
from ..colour.convert import ensure_rgb, get_white_level, join_alpha, parse_hex_colour, split_alpha, to_eight_bits
from ..work import Work
from .matrix import apply_matrices


def change_lch(work: Work) -> None:
    """Multiply lightness and chroma, turn hues, and add lightness; alpha stays: sharp's ``modulate()``."""
    assert work.plan.lch is not None
    work.each(partial(_modulated, change=work.plan.lch))


def _modulated(frame: pyvips.Image, change: Lch) -> pyvips.Image:
    colour, alpha = split_alpha(ensure_rgb(frame))
    lch = colour.colourspace("lch").linear([change.brightness, change.saturation, 1], [change.lightness, 0, change.hue])
    return join_alpha(
        lch.copy(interpretation="lch").colourspace("rgb16" if get_white_level(frame) > 255 else "srgb"), alpha
    )


def equalise_window(work: Work) -> None:
    """Equalise each band, alpha too, within a sliding window, no larger than the image: sharp's ``clahe()``."""
    assert work.plan.clahe is not None
    work.each(partial(_equalised, clahe=work.plan.clahe))


def _equalised(frame: pyvips.Image, clahe: Clahe) -> pyvips.Image:
    eight = to_eight_bits(frame)
    width, height = max(1, min(clahe.width, frame.width)), max(1, min(clahe.height, frame.height))
    even = eight.copy_memory().hist_local(width, height, max_slope=clahe.slope)
    return even.copy(interpretation=eight.interpretation)


def tint(work: Work) -> None:
    """Give each lightness L the chroma of the plan's colour, by 1 − 4 (L − ½)²: none at black and white.

    Alpha stays. An image without colour stays too, as sharp makes greys of its result again.
    """
    if split_alpha(work.frames[0])[0].bands < 3:
        return
    rgb = parse_hex_colour(work.plan.tint)[:3]
    target = (pyvips.Image.black(1, 1) + rgb).copy(interpretation="srgb").colourspace("lab").getpoint(0, 0)
    greys = pyvips.Image.identity(bands=3).copy(interpretation="srgb").colourspace("lab")
    light = greys[0] / 100
    weight = 1 - 4 * (light - 0.5) * (light - 0.5)
    table = greys[0].bandjoin([weight * target[1], weight * target[2]]).copy(interpretation="lab").colourspace("srgb")
    work.each(partial(_tinted, table=table.copy_memory()))


def _tinted(frame: pyvips.Image, table: pyvips.Image) -> pyvips.Image:
    colour, alpha = split_alpha(to_eight_bits(frame))
    return join_alpha(colour.colourspace("b-w").maplut(table).copy(interpretation="srgb"), alpha)


def mix_late(work: Work) -> None:
    """Apply the plan's late matrices, as :func:`.matrix.mix` its first ones."""
    apply_matrices(work, work.plan.late_matrix)


def change_alpha(work: Work) -> None:
    """Invert alpha, drop it so that hidden colours show, or make it opaque from the plan's threshold on, and clear."""
    if work.frames[0].hasalpha():
        work.each(partial(_with_alpha, how=work.plan.alpha, threshold=work.plan.threshold))


def _with_alpha(frame: pyvips.Image, how: str, threshold: int) -> pyvips.Image:
    colour, alpha = split_alpha(frame)
    if how == "drop" or alpha is None:
        return colour
    white = get_white_level(frame)
    changed = white - alpha if how == "invert" else (alpha >= threshold * white / 255).ifthenelse(white, 0)
    return join_alpha(colour, changed.cast(frame.format))
