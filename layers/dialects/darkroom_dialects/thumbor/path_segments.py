"""Split a thumbor path into segments, and parse those before the filters."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Literal

from darkroom.plan.model import TrimOptions

from ..common.mapping import list_options
from .model import Side, ThumborOptions, parse_int, parse_ints, switch_on

_SHAPE = re.compile(
    r"/?(?:(?P<debug>debug)/)?"
    r"(?:(?P<meta>meta)/)?"
    r"(?:(?P<trim>trim(?::(?:top-left|bottom-right))?(?::[0-9]+)?)/)?"
    r"(?:(?P<crop>[0-9]+x[0-9]+:[0-9]+x[0-9]+)/)?"
    r"(?:(?P<fit>(?:adaptive-)?(?:full-)?fit-in)/)?"
    r"(?:(?P<size>-?(?:[0-9]+|orig)?x-?(?:[0-9]+|orig)?)/)?"
    r"(?:(?P<halign>left|right|center)/)?"
    r"(?:(?P<valign>top|bottom|middle)/)?"
    r"(?:(?P<smart>smart)/)?"
    r"(?:filters:(?P<filters>.+?\))/)?"
    r"(?P<image>.+)",
    re.DOTALL,
)
"""The pattern of ``libthumbor.url.Url`` 2.0.2, after the signature. Every segment but the image is optional."""

_SIGNED = re.compile(r"/?(?P<signature>[^/]+)/(?P<rest>.+)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class PathSegments:
    """The segments as spelled, "" if missing; ``filters`` without its name."""

    debug: str
    meta: str
    trim: str
    crop: str
    fit: str
    size: str
    halign: str
    valign: str
    smart: str
    filters: str
    image: str

    def named(self) -> Iterator[tuple[str, str]]:
        """Return the existing segments before the filters, by name."""
        for name in ("debug", "meta", "trim", "crop", "fit", "size", "halign", "valign", "smart"):
            if text := getattr(self, name):
                yield name, text


def split_signature(path: str) -> tuple[str, str] | None:
    """Return the first segment of ``path`` and the rest, not decoded; None without a rest."""
    match = _SIGNED.fullmatch(path)
    return (match["signature"], match["rest"]) if match else None


def split_path(path: str) -> PathSegments:
    """Split ``path``, which is not empty and has no signature, without decoding."""
    match = _SHAPE.fullmatch(path)
    assert match is not None  # the image takes whatever else there is
    return PathSegments(**{name: text or "" for name, text in match.groupdict().items()})


def split_filters(text: str) -> list[tuple[str, str]]:
    """Return name and call of each filter, in order. Arguments can contain anything but ``):``."""
    calls = text.split("):")
    calls[:-1] = [f"{call})" for call in calls[:-1]]
    return [(call.partition("(")[0], call) for call in calls]


type SegmentParser = Callable[[ThumborOptions, str], None]

MIN_TRIM = 1
"""Our minimum; 0 switches trim off."""

MAX_TRIM = 100
MAX_DISTANCE = 441
"""Levels from black to white: thumbor's tolerance is such a distance, ours a difference of one channel."""

_SIZE = re.compile(r"(-?)([0-9]+|orig)?x(-?)([0-9]+|orig)?")


def _parse_trim(options: ThumborOptions, text: str) -> None:
    corner, tolerance = "top-left", 0
    for word in text.split(":")[1:]:
        if word.isdigit():
            tolerance = parse_int("trim", word)
        else:
            corner = word
    by_channel = round(min(tolerance, MAX_DISTANCE) / 3**0.5)
    options.values["trim"] = min(MAX_TRIM, max(MIN_TRIM, by_channel))
    level = float(by_channel) if by_channel > MAX_TRIM else 0.0
    if corner == "bottom-right" or level:
        options.values["trimx"] = TrimOptions(
            corner="southeast" if corner == "bottom-right" else "northwest", level=level
        )


def _parse_crop(options: ThumborOptions, text: str) -> None:
    left, top, right, bottom = parse_ints("crop", re.split("[x:]", text))
    if left < right and top < bottom:  # thumbor does not crop either where nothing would be left
        options.crop = (left, top, right, bottom)


def _parse_fit(options: ThumborOptions, text: str) -> None:
    options.fit_in = True
    options.adaptive = text.startswith("adaptive-")
    options.full = "full-" in text


def _parse_size(options: ThumborOptions, text: str) -> None:
    match = _SIZE.fullmatch(text)
    assert match is not None  # the path's own pattern has seen to it
    options.width, options.height = _parse_side(match[2]), _parse_side(match[4])
    options.flip = ("h" if match[1] else "") + ("v" if match[3] else "")


def _parse_side(text: str | None) -> Side:
    if text == "orig":
        return "orig"
    return parse_int("size", text) if text else 0


def _parse_alignment(into: Literal["halign", "valign"], options: ThumborOptions, text: str) -> None:
    setattr(options, into, text)


_PARSERS: Mapping[str, SegmentParser] = {
    "meta": partial(switch_on, "meta"),
    "trim": _parse_trim,
    "crop": _parse_crop,
    "fit": _parse_fit,
    "size": _parse_size,
    "halign": partial(_parse_alignment, "halign"),
    "valign": partial(_parse_alignment, "valign"),
    "smart": partial(switch_on, "smart"),
}

SEGMENT_MAPPINGS = list_options(_PARSERS, {"debug": "it draws focal points for debugging"}, "path")
