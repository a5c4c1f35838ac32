"""Apply thumbor's filters for colours, edges, corners and output. Arithmetic: ``thumbor/ext/filters``."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import batched
from math import exp
from typing import NamedTuple

from darkroom.plan.model import IMAGE_FORMATS, Convolution, Curve, Matrix

from ..common.colours import parse_colour
from ..common.matrices import LUMA_601, lightness, linear, saturation, scale_channels
from ..common.validate import bad_option
from .model import ThumborOptions, parse_bool, parse_decimal, parse_int, parse_ints, strip_quotes

EQUALIZE, BLUR, WATERMARK = "equalize", "blur", "watermark"


class ToneOrder(NamedTuple):
    """Tone matrices at both positions, and whether ``equalize()`` is at the later one (None: there is none)."""

    early: tuple[Matrix, ...]
    late: tuple[Matrix, ...]
    equalizes_late: bool | None


def order_tones(steps: Sequence[Matrix | str]) -> ToneOrder:
    """Assign ``steps`` to the positions that a Plan has for tones: an early one, and one after watermarks.

    Steps before a watermark are early, so that they do not change the watermark. Each position follows one for
    ``equalize()``.
    """
    last_mark = max((at for at, step in enumerate(steps) if step == WATERMARK), default=-1)
    equalize = next((at for at, step in enumerate(steps) if step == EQUALIZE), None)
    late_equalize = equalize is not None and equalize > 0 and equalize > last_mark
    after_blur = next((at for at, step in enumerate(steps) if step in (BLUR, WATERMARK)), len(steps))
    places: tuple[list[Matrix], list[Matrix]] = ([], [])
    for at, step in enumerate(steps):
        if isinstance(step, str):
            continue
        is_late = at > equalize if equalize is not None and late_equalize else at > after_blur
        places[is_late and at > last_mark].append(step)
    return ToneOrder(tuple(places[0]), tuple(places[1]), None if equalize is None else late_equalize)


WHITE = 255
MIDDLE = 128
"""The level that thumbor's ``contrast()`` leaves unchanged."""

MAX_BLUR_RADIUS_PX = 150
SMALLEST_SIGMA = 0.01
"""Smaller values do not blur."""

LARGEST_RADIUS_PX = 4096
"""Half of the longest possible side."""

_IDENTITY_CURVES: tuple[Curve, ...] = ((), ((0, 0), (255, 255)))


def apply_brightness(options: ThumborOptions, arguments: list[str]) -> None:
    """Apply ``v + 255 × percent / 100``, in whole levels."""
    options.add_tone(linear(1, _levels(parse_int("brightness", arguments[0])) / WHITE))


def apply_contrast(options: ThumborOptions, arguments: list[str]) -> None:
    """Apply ``(v − 128) × (1 + percent / 100)² + 128``, the factor in whole percent."""
    slope = (parse_int("contrast", arguments[0]) + 100) ** 2 // 100 / 100
    options.add_tone(linear(slope, (1 - slope) * MIDDLE / WHITE))


def apply_rgb(options: ThumborOptions, arguments: list[str]) -> None:
    """Apply brightness per channel."""
    offsets = [_levels(percent) / WHITE for percent in parse_ints("rgb", arguments)]
    options.add_tone(scale_channels((1, 1, 1), offsets))


def apply_colorize(options: ThumborOptions, arguments: list[str]) -> None:
    """Move each channel by its percentage towards that of a colour of six hexadecimal digits."""
    digits = arguments[3]
    if not re.fullmatch("[0-9A-Fa-f]{6}", digits):
        raise bad_option("colorize", "colour must be six hexadecimal digits")
    parts = [percent / 100 for percent in parse_ints("colorize", arguments[:3])]
    fills = bytes.fromhex(digits)
    options.add_tone(
        scale_channels(
            [1 - part for part in parts], [fill * part / WHITE for fill, part in zip(fills, parts, strict=True)]
        )
    )


def apply_saturate(options: ThumborOptions, arguments: list[str]) -> None:
    """Multiply the distance from grey. thumbor's grey is a root of squares, ours a weighted sum."""
    options.add_tone(saturation(parse_decimal("saturation", arguments[0]), LUMA_601))


def apply_grayscale(options: ThumborOptions, _: list[str]) -> None:
    """Convert to Pillow's greys; ``gray`` then reduces the equal channels to one."""
    options.add_tone(lightness(LUMA_601))
    options.grey = True


def _levels(percent: int) -> int:
    """Return ``255 × percent / 100`` truncated towards zero, as in C."""
    return int(WHITE * percent / 100)


def apply_red_eye(options: ThumborOptions, _: list[str]) -> None:
    """Correct red eyes in detected faces; without inference nothing is done, as in thumbor without detectors."""
    if options.settings.detects_faces:
        options.values["reye"] = True


def apply_equalize(options: ThumborOptions, _: list[str]) -> None:
    options.steps.append(EQUALIZE)


def apply_curve(options: ThumborOptions, arguments: list[str]) -> None:
    curves = tuple(_parse_points(text) for text in arguments)
    if any(curves):
        options.set_once("curve", curve=curves)


def _parse_points(text: str) -> Curve:
    numbers = parse_ints("curve", re.findall("[0-9]+", text))
    points = tuple(batched(numbers, 2, strict=True))
    return () if points in _IDENTITY_CURVES else points


def apply_noise(options: ThumborOptions, arguments: list[str]) -> None:
    options.set_once("noise", noise=parse_int("noise", arguments[0]))


def apply_convolution(options: ThumborOptions, arguments: list[str]) -> None:
    weights = tuple(parse_decimal("convolution", text) for text in arguments[0].split(";"))
    normal = parse_bool(arguments[2]) if len(arguments) > 2 else True
    options.set_once("convolution", conv=Convolution(parse_int("convolution", arguments[1]), normal, weights))


def apply_blur(options: ThumborOptions, arguments: list[str]) -> None:
    """Blur by a Gaussian truncated at the radius. Variances of consecutive blurs add up."""
    radius = parse_int("blur", arguments[0])
    sigma = abs(parse_decimal("blur", arguments[1])) if len(arguments) > 1 else 0.0
    spread = _kernel_deviation(min(radius, MAX_BLUR_RADIUS_PX), sigma or radius)
    before = options.values.get("blur", 0.0)
    assert isinstance(before, float)
    options.values["blur"] = (before**2 + spread**2) ** 0.5
    options.steps.append(BLUR)


def _kernel_deviation(radius: int, sigma: float) -> float:
    """Return the standard deviation of thumbor's kernel in px: below sigma, because of the truncation."""
    if sigma < SMALLEST_SIGMA:
        return 0.0
    weights = [exp(-(x**2) / (2 * sigma**2)) for x in range(radius + 1)]
    total = 2 * sum(weights) - weights[0]
    return float((2 * sum(weight * x**2 for x, weight in enumerate(weights)) / total) ** 0.5)


def apply_sharpen(options: ThumborOptions, arguments: list[str]) -> None:
    """Apply unsharp masking with a sigma of ``1 + radius / 2``, as DIT converts this filter. thumbor uses wavelets."""
    if parse_decimal("sharpen", arguments[0]) > 0:
        options.set_once("sharpen", sharp=1 + parse_decimal("sharpen", arguments[1]) / 2)


def apply_round_corner(options: ThumborOptions, arguments: list[str]) -> None:
    across, _, down = arguments[0].partition("|")
    colour = parse_ints("round_corner", arguments[1:4])
    if max(colour) > WHITE:
        raise bad_option("round_corner", "colour channels must be from 0 to 255")
    radii = [min(parse_int("round_corner", text), LARGEST_RADIUS_PX) for text in (across, down or across)]
    options.set_once("round_corner", radius=radii[0], ry=radii[1])
    if len(arguments) < 5 or not parse_bool(arguments[4]):
        options.set_once("round_corner", bgm="".join(f"{level:02x}" for level in colour))


def apply_background_color(options: ThumborOptions, arguments: list[str]) -> None:
    options.set_once("background_color", bg=require_colour("background_color", arguments[0]))


def require_colour(name: str, text: str) -> str:
    """Return ``text`` as hexadecimal digits. Raises BadOption if it is not a colour."""
    digits = parse_colour(text)
    if digits is None:
        raise bad_option(name, "colour must be a CSS name, or 3, 4, 6 or 8 hexadecimal digits")
    return digits


FORMATS = frozenset({"jpg", *IMAGE_FORMATS})
UNSUPPORTED_FORMATS = frozenset({"heic", "heif"})
MAX_BYTES = 2_000_000_000


def apply_cover(options: ThumborOptions, _: list[str]) -> None:
    options.values["anim"] = False


def apply_file_format(options: ThumborOptions, arguments: list[str]) -> None:
    output = strip_quotes(arguments[0]).lower()
    if output in UNSUPPORTED_FORMATS:
        raise bad_option("format", f"{output} is not supported; use one of {', '.join(sorted(FORMATS))}")
    options.values.pop("f", None)
    if output in FORMATS:
        options.values["f"] = output.replace("jpg", "jpeg")


def apply_max_age(options: ThumborOptions, arguments: list[str]) -> None:
    options.max_age_s = parse_int("max_age", arguments[0])


def apply_max_bytes(options: ThumborOptions, arguments: list[str]) -> None:
    options.values["mb"] = min(parse_int("max_bytes", arguments[0]), MAX_BYTES)


def apply_quality(options: ThumborOptions, arguments: list[str]) -> None:
    options.values["q"] = min(100, max(1, parse_int("quality", arguments[0])))
