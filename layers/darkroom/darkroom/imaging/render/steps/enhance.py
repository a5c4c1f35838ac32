"""Correct exposure, black point and white balance by statistics of the master.

The statistics come from one small sample, which is the same for each size and format of an image. The estimates are
conservative: they are thresholds beyond what good photographs have (``bench/enhance`` of commit
10e7c8d8). Values are sRGB from 0 to 1 unless they are called light, which is linear.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import batched
from statistics import fmean, median
from typing import NamedTuple

import pyvips

from ....plan.model import Plan
from ...colour.convert import (
    PEAK_8_BIT,
    decode_srgb,
    encode_srgb,
    ensure_rgb,
    get_white_level,
    join_alpha,
    split_alpha,
)
from ...colour.icc import decode_srgb_value
from ..context import Correction, RenderContext

SAMPLE_SIDE_PX = 96

BLACK, WHITE = 0.01, 0.99
"""Shares of the pixels that are darker than the black point, and not brighter than the white point."""

USUAL_BLACK = 0.2
"""A black point up to which an image is not washed out."""

MAX_BLACK = 0.3
FADED_WHITE = 0.86, 0.92
"""White points between which the correction of the black point fades out: faded images have no white either."""

HIGH_KEY = 0.65, 0.75
"""Medians between which the correction of the black point fades out: bright images have no black."""

USUAL_WHITE, DARK_WHITE = 0.7, 0.6
"""White points from which on the exposure stays, and up to which it is corrected in full."""

MIN_WHITE = 0.05
TARGET_WHITE = 0.93
MAX_EXPOSURE = 4.0
LOW_KEY = 0.3, 0.4
"""Medians, in parts of the white point, between which the correction of the exposure begins: nights stay dark."""

NEAR_NEUTRAL = 20.0
"""Chroma in CIE Lab up to which a pixel may be grey in another light."""

NEUTRAL, MAX_NEUTRAL_SHARE = 2.5, 0.06
"""Chroma of a grey pixel, and the share of them among the near-neutral ones from which on there is no cast."""

MIN_NEAR_SHARE = 0.2
MIN_LIGHTNESS = 40.0
"""Lightness in CIE Lab from which on a cast shows in full."""

MAX_SPREAD = 8.5
"""Standard deviation in CIE Lab: with more, the near-neutral pixels have colours of their own."""

USUAL_CAST, MAX_CAST = 3.0, 11.0
"""Chroma of a cast that stays, and above which it is the colour of a surface or a style."""

HIGHLIGHTS = 0.02
"""Share of the lightest pixels. A cast is what they share with the near-neutral ones: with 50 photographs, those whose
near-neutral pixels had a chroma of 5 to 11 by themselves had white highlights, but for one in a brown tone."""

MAX_GAIN = 1.25
"""Of the light of a channel: 12 % of its value."""


CLIPPED = 252
"""Level of 8 bits from which on a channel does not show the colour of the light."""

KEEP_WHITE = 12
"""Exponent of a value, by which the gains of the white balance fade out towards white: white paper stays white."""


class Colour(NamedTuple):
    """A pixel with 8 bits a channel, and in CIE Lab."""

    rgb: tuple[int, ...]
    light: float
    a: float
    b: float

    @property
    def chroma(self) -> float:
        """Return the distance from grey."""
        return float((self.a**2 + self.b**2) ** 0.5)


def make_sample_plan(plan: Plan) -> Plan:
    """Return the plan of the sample: the whole page or first frame, without what is redacted."""
    side = SAMPLE_SIDE_PX
    return Plan(plan.key, width=side, height=side, redact=plan.redact, page=plan.page, animate=False, format="png")


def measure(sample: pyvips.Image, *, tones: bool) -> Correction:
    """Return the correction for an image of which ``sample`` has 8 bits; without ``tones``, that of white balance."""
    colour, alpha = split_alpha(ensure_rgb(sample))
    shown = None if alpha is None else [level > PEAK_8_BIT // 2 for level in bytes(alpha.write_to_memory())]
    pixels = _list_pixels(colour, shown)
    if not pixels:
        return Correction()
    tone = estimate_tones(
        [max(pixel.rgb) / PEAK_8_BIT for pixel in pixels],
        [min(pixel.rgb) / PEAK_8_BIT for pixel in pixels],
        median(pixel.light for pixel in pixels) / 100,
    )
    if tone != Correction():
        pixels = _list_pixels(correct(colour, tone), shown)
    gains = estimate_gains(pixels)
    return tone._replace(gains=gains) if tones else Correction(gains=gains)


def _list_pixels(colour: pyvips.Image, shown: Sequence[bool] | None) -> list[Colour]:
    levels = batched(bytes(colour.write_to_memory()), 3, strict=True)
    lab = colour.copy(interpretation="srgb").colourspace("lab").cast("float").write_to_memory()
    places = batched(memoryview(lab).cast("B").cast("f"), 3, strict=True)
    pixels = [Colour(rgb, *place) for rgb, place in zip(levels, places, strict=True)]
    return pixels if shown is None else [pixel for pixel, visible in zip(pixels, shown, strict=True) if visible]


def estimate_tones(brightest: Iterable[float], darkest: Iterable[float], middle: float) -> Correction:
    """Return black point and exposure by the largest and the smallest channel of each pixel, and the median lightness.

    All are from 0 to 1.
    """
    black, white = _find_quantile(darkest, BLACK), max(_find_quantile(brightest, WHITE), MIN_WHITE)
    faded = (1 - _ramp(middle, *HIGH_KEY)) * (1 - _ramp(white, *FADED_WHITE))
    black = max(0.0, min(0.9 * black, 2 * (black - USUAL_BLACK), MAX_BLACK)) * faded
    white = (white - black) / (1 - black)
    strength = 1 - _ramp(white, DARK_WHITE, USUAL_WHITE)
    strength *= _ramp((middle - black) / (1 - black) / white, *LOW_KEY)
    target = white + max(0.0, TARGET_WHITE - white) * strength
    return Correction(black, min(decode_srgb_value(target) / decode_srgb_value(white), MAX_EXPOSURE))


def estimate_gains(pixels: Sequence[Colour]) -> tuple[float, float, float]:
    """Return the gains of red, green and blue light; 1 unless near-neutral pixels agree on the colour of the light."""
    near = [one for one in pixels if one.light > MIN_LIGHTNESS and one.chroma < NEAR_NEUTRAL and max(one.rgb) < CLIPPED]
    white = sum(min(one.rgb) >= CLIPPED for one in pixels)
    if len(near) < MIN_NEAR_SHARE * len(pixels):
        return Correction().gains
    neutral = white + sum(one.chroma < NEUTRAL for one in near)
    cast = Colour((), 0, median(one.a for one in near), median(one.b for one in near))
    highlight = _average_highlights(pixels)
    spread = (sum(_square_distance(one, cast) for one in near) / len(near)) ** 0.5
    shared = min(cast.chroma, (cast.a * highlight.a + cast.b * highlight.b) / (cast.chroma or 1))
    if neutral > MAX_NEUTRAL_SHARE * len(near) or spread > MAX_SPREAD:
        return Correction().gains
    if shared <= USUAL_CAST or cast.chroma > MAX_CAST or highlight.chroma > NEAR_NEUTRAL:
        return Correction().gains
    close = [one for one in near if _square_distance(one, cast) <= MAX_SPREAD**2]
    return _balance(close, (shared - USUAL_CAST) / cast.chroma)


def _average_highlights(pixels: Sequence[Colour]) -> Colour:
    lightest = sorted(pixels, key=lambda one: one.light)[-max(1, int(len(pixels) * HIGHLIGHTS)) :]
    return Colour((), 0, fmean(one.a for one in lightest), fmean(one.b for one in lightest))


def _square_distance(one: Colour, other: Colour) -> float:
    """Return the squared distance of two colours, without their lightness."""
    return (one.a - other.a) ** 2 + (one.b - other.b) ** 2


def _balance(pixels: Sequence[Colour], share: float) -> tuple[float, float, float]:
    """Return gains that make the mean of ``pixels`` neutral, by this ``share`` of the way."""
    red, green, blue = (sum(decode_srgb_value(one.rgb[band] / PEAK_8_BIT) for one in pixels) for band in range(3))
    mean = (red * green * blue) ** (1 / 3)
    gains = [min(max((mean / light) ** share, 1 / MAX_GAIN), MAX_GAIN) for light in (red, green, blue)]
    return gains[0], gains[1], gains[2]


def enhance(context: RenderContext) -> None:
    """Apply the correction that was measured in the master; grey images stay grey, and alpha stays."""
    correction = context.correction
    if correction and correction != Correction():
        context.map_frames(lambda frame: correct(frame, correction))


def correct(frame: pyvips.Image, correction: Correction) -> pyvips.Image:
    """Return ``frame``, in sRGB or grey, with ``correction``."""
    colour, alpha = split_alpha(frame)
    white, gains = get_white_level(frame), correction.gains if colour.bands == 3 else (1.0,)
    levels = pyvips.Image.identity(ushort=white > PEAK_8_BIT) / white
    value = ((levels - correction.black) / (1 - correction.black)).clamp(min=0, max=1)
    light, fading = (decode_srgb(value) * correction.exposure).clamp(max=1), 1 - value**KEEP_WHITE
    curves = [encode_srgb((light * fading.math2_const("wop", gain)).clamp(max=1)) for gain in gains]
    table = (curves[0].bandjoin(curves[1:]) * white).rint().cast(frame.format)
    return join_alpha(colour.maplut(table).copy(interpretation=frame.interpretation), alpha)


def _find_quantile(values: Iterable[float], share: float) -> float:
    found = sorted(values)
    return found[min(int(len(found) * share), len(found) - 1)]


def _ramp(value: float, low: float, high: float) -> float:
    """Return 0 up to ``low``, 1 from ``high`` on, and a line between."""
    return min(max((value - low) / (high - low), 0.0), 1.0)
