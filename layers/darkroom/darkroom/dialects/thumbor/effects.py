"""thumbor's filters that change colours, edges and corners; its arithmetic is in ``thumbor/ext/filters``."""

from __future__ import annotations

import re
from itertools import batched
from math import exp

from ...plan.model import Convolution, Curve
from ..common.colours import hex_of
from ..common.matrices import LUMA_601, channelwise, lightness, linear, saturation
from ..common.validate import refused
from .filter_calls import is_true
from .model import Wanted, decimal, whole, wholes
from .tone_order import BLUR, EQUALIZE

WHITE = 255
MIDDLE = 128
"""What a contrast of thumbor's turns around."""

MAX_BLUR_RADIUS_PX = 150
SMALLEST_SIGMA = 0.01
"""Below it, a blur is none."""

LARGEST_RADIUS_PX = 4096
"""Half of the longest side there is: no corner can be rounder."""

_IDENTITY_CURVES: tuple[Curve, ...] = ((), ((0, 0), (255, 255)))


def brightness(wanted: Wanted, arguments: list[str]) -> None:
    """``v + 255 × percent / 100``, in whole levels."""
    wanted.tone(linear(1, _levels(whole("brightness", arguments[0])) / WHITE))


def contrast(wanted: Wanted, arguments: list[str]) -> None:
    """``(v − 128) × (1 + percent / 100)² + 128``, the factor in whole percent."""
    slope = (whole("contrast", arguments[0]) + 100) ** 2 // 100 / 100
    wanted.tone(linear(slope, (1 - slope) * MIDDLE / WHITE))


def rgb(wanted: Wanted, arguments: list[str]) -> None:
    """As brightness, channel by channel."""
    offsets = [_levels(percent) / WHITE for percent in wholes("rgb", arguments)]
    wanted.tone(channelwise((1, 1, 1), offsets))


def colorize(wanted: Wanted, arguments: list[str]) -> None:
    """Each channel moved by its percentage towards that of a colour of six hex digits."""
    digits = arguments[3]
    if not re.fullmatch("[0-9A-Fa-f]{6}", digits):
        raise refused("colorize", "its colour must be six hex digits")
    parts = [percent / 100 for percent in wholes("colorize", arguments[:3])]
    fills = bytes.fromhex(digits)
    wanted.tone(
        channelwise(
            [1 - part for part in parts], [fill * part / WHITE for fill, part in zip(fills, parts, strict=True)]
        )
    )


def saturate(wanted: Wanted, arguments: list[str]) -> None:
    """The distance from grey times a factor. thumbor's grey is a root of squares, ours a sum: equal for greys."""
    wanted.tone(saturation(decimal("saturation", arguments[0]), LUMA_601))


def grayscale(wanted: Wanted, _: list[str]) -> None:
    """Pillow's greys, which our own ``gray`` then keeps: of equal channels it makes one."""
    wanted.tone(lightness(LUMA_601))
    wanted.grey = True


def _levels(percent: int) -> int:
    """``255 × percent / 100`` cut towards zero, as C divides."""
    return int(WHITE * percent / 100)


def red_eye(wanted: Wanted, _: list[str]) -> None:
    """By the faces that were found, as in thumbor: where nobody looks for any, there is nothing to do."""
    if wanted.settings.finds_faces:
        wanted.values["reye"] = True


def equalize(wanted: Wanted, _: list[str]) -> None:
    wanted.steps.append(EQUALIZE)


def curve(wanted: Wanted, arguments: list[str]) -> None:
    curves = tuple(_points(text) for text in arguments)
    if any(curves):
        wanted.once("curve", curve=curves)


def _points(text: str) -> Curve:
    numbers = wholes("curve", re.findall("[0-9]+", text))
    points = tuple(batched(numbers, 2, strict=True))
    return () if points in _IDENTITY_CURVES else points


def noise(wanted: Wanted, arguments: list[str]) -> None:
    wanted.once("noise", noise=whole("noise", arguments[0]))


def convolution(wanted: Wanted, arguments: list[str]) -> None:
    weights = tuple(decimal("convolution", text) for text in arguments[0].split(";"))
    normal = is_true(arguments[2]) if len(arguments) > 2 else True
    wanted.once("convolution", conv=Convolution(whole("convolution", arguments[1]), normal, weights))


def blur(wanted: Wanted, arguments: list[str]) -> None:
    """A Gaussian that is cut off at the radius; one after the other they add up in their squares."""
    radius = whole("blur", arguments[0])
    sigma = abs(decimal("blur", arguments[1])) if len(arguments) > 1 else 0.0
    spread = _spread(min(radius, MAX_BLUR_RADIUS_PX), sigma or radius)
    before = wanted.values.get("blur", 0.0)
    assert isinstance(before, float)
    wanted.values["blur"] = (before**2 + spread**2) ** 0.5
    wanted.steps.append(BLUR)


def _spread(radius: int, sigma: float) -> float:
    """The standard deviation of thumbor's kernel in px: less than its sigma, because the kernel ends at the radius."""
    if sigma < SMALLEST_SIGMA:
        return 0.0
    weights = [exp(-(x**2) / (2 * sigma**2)) for x in range(radius + 1)]
    total = 2 * sum(weights) - weights[0]
    return float((2 * sum(weight * x**2 for x, weight in enumerate(weights)) / total) ** 0.5)


def sharpen(wanted: Wanted, arguments: list[str]) -> None:
    """Unsharp masking where thumbor has wavelets: a sigma of ``1 + radius / 2``, as AWS translates this filter."""
    if decimal("sharpen", arguments[0]) > 0:
        wanted.once("sharpen", sharp=1 + decimal("sharpen", arguments[1]) / 2)


def round_corner(wanted: Wanted, arguments: list[str]) -> None:
    across, _, down = arguments[0].partition("|")
    colour = wholes("round_corner", arguments[1:4])
    if max(colour) > WHITE:
        raise refused("round_corner", "a channel of its colour must be from 0 to 255")
    radii = [min(whole("round_corner", text), LARGEST_RADIUS_PX) for text in (across, down or across)]
    wanted.once("round_corner", radius=radii[0], ry=radii[1])
    if len(arguments) < 5 or not is_true(arguments[4]):
        wanted.once("round_corner", bgm="".join(f"{level:02x}" for level in colour))


def background_color(wanted: Wanted, arguments: list[str]) -> None:
    wanted.once("background_color", bg=colour_of("background_color", arguments[0]))


def colour_of(name: str, text: str) -> str:
    """``text`` as our hex digits; raises BadOption where it is no colour."""
    digits = hex_of(text)
    if digits is None:
        raise refused(name, "its colour must be a name of CSS, or 3, 4, 6 or 8 hex digits")
    return digits
