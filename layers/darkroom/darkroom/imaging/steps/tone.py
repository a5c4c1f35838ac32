"""Brightness, contrast, saturation, gamma, grey: what changes a pixel by its own value alone."""

from __future__ import annotations

import pyvips

from ..colour.convert import get_white_level, join_alpha, split_alpha
from ..work import Work

LUMA = (0.2126, 0.7152, 0.0722)
"""Weights of red, green and blue in lightness (ITU-R BT.709), as CSS filters use them."""


def tone(work: Work) -> None:
    """Change tones in this order, on sRGB values from 0 to 1, clipped at the end; alpha stays.

    * ``gam``: v^(1/gam), so that more than 1 brightens the shadows;
    * ``bri``: v × (1 + bri/100), CSS ``brightness()``: −100 is black, 100 doubles;
    * ``con``: (v − ½) × (1 + con/100) + ½, CSS ``contrast()``: −100 is grey;
    * ``sat``: luma + (v − luma) × (1 + sat/100), CSS ``saturate()``: −100 takes all colour away;
    * ``gray``: one band of CIE lightness.
    """
    plan = work.plan
    if plan.gamma != 1 or plan.brightness or plan.contrast or plan.saturation:
        work.each(lambda frame: _toned(frame, work))
    if plan.grayscale:
        work.each(_grey)


def _toned(frame: pyvips.Image, work: Work) -> pyvips.Image:
    plan = work.plan
    colour, alpha = split_alpha(frame)
    white = get_white_level(frame)
    value = colour / white
    if plan.gamma != 1:
        value = value ** (1 / plan.gamma)
    gain, slope = 1 + plan.brightness / 100, 1 + plan.contrast / 100
    if plan.saturation and colour.bands == 3:
        value = value.recomb(_saturation(1 + plan.saturation / 100))
    value = value * (gain * slope * white) + (1 - slope) * white / 2
    return join_alpha(value.rint().cast(frame.format).copy(interpretation=frame.interpretation), alpha)


def _saturation(amount: float) -> list[list[float]]:
    """The matrix that scales the distance of a colour from its luma."""
    return [
        [weight * (1 - amount) + (amount if row == column else 0) for column, weight in enumerate(LUMA)]
        for row in range(3)
    ]


def _grey(frame: pyvips.Image) -> pyvips.Image:
    return frame.colourspace("grey16" if frame.format == "ushort" else "b-w")
