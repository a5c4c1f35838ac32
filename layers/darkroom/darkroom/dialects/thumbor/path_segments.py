"""The parts of a thumbor path before its filters: what each means, and the table of all that thumbor knows."""

from __future__ import annotations

import re
from collections.abc import Callable

from ...plan.model import TrimOptions
from ..common.mapping import Covered
from .filters import FILTERS
from .model import Side, Wanted, whole, wholes

type PartReader = Callable[[Wanted, str], None]

MIN_TRIM = 1
"""Our smallest tolerance; 0 is off."""

MAX_TRIM = 100
MAX_DISTANCE = 441
"""From black to white, in levels: thumbor's tolerance is a distance of colours, of which ours is one channel's part."""

_SIZE = re.compile(r"(-?)([0-9]+|orig)?x(-?)([0-9]+|orig)?")


def _meta(wanted: Wanted, _: str) -> None:
    wanted.meta = True


def _trim(wanted: Wanted, text: str) -> None:
    corner, tolerance = "top-left", 0
    for word in text.split(":")[1:]:
        if word.isdigit():
            tolerance = whole("trim", word)
        else:
            corner = word
    by_channel = round(min(tolerance, MAX_DISTANCE) / 3**0.5)
    wanted.values["trim"] = min(MAX_TRIM, max(MIN_TRIM, by_channel))
    level = float(by_channel) if by_channel > MAX_TRIM else 0.0
    if corner == "bottom-right" or level:
        wanted.values["trimx"] = TrimOptions(
            corner="southeast" if corner == "bottom-right" else "northwest", level=level
        )


def _crop(wanted: Wanted, text: str) -> None:
    left, top, right, bottom = wholes("crop", re.split("[x:]", text))
    if left < right and top < bottom:  # thumbor does not crop either where nothing would be left
        wanted.crop = (left, top, right, bottom)


def _fit(wanted: Wanted, text: str) -> None:
    wanted.fit_in = True
    wanted.adaptive = text.startswith("adaptive-")
    wanted.full = "full-" in text


def _size(wanted: Wanted, text: str) -> None:
    match = _SIZE.fullmatch(text)
    assert match is not None  # the path's own pattern has seen to it
    wanted.width, wanted.height = _side(match[2]), _side(match[4])
    wanted.flip = ("h" if match[1] else "") + ("v" if match[3] else "")


def _side(text: str | None) -> Side:
    if text == "orig":
        return "orig"
    return whole("size", text) if text else 0


def _halign(wanted: Wanted, text: str) -> None:
    wanted.halign = text


def _valign(wanted: Wanted, text: str) -> None:
    wanted.valign = text


def _smart(wanted: Wanted, _: str) -> None:
    wanted.smart = True


PARTS: tuple[Covered[PartReader], ...] = (
    Covered("debug", refused="it draws focal points for developers", group="path"),
    Covered(
        "meta",
        to="f=json",
        note="thumbor's document, without what needs pixels: trim, and the focal points of smart. No callback.",
        read=_meta,
        group="path",
    ),
    Covered(
        "trim",
        arguments="trim[:top-left|bottom-right][:tolerance]",
        to="trim, trimx",
        note="As a difference of each channel: exact between greys, roughly between colours. With a crop, the "
        "cropped picture is what is trimmed.",
        read=_trim,
        group="path",
    ),
    Covered(
        "crop",
        arguments="LEFTxTOP:RIGHTxBOTTOM",
        to="crop",
        note="A crop that lies outside of the picture is refused; thumbor leaves it out.",
        read=_crop,
        group="path",
    ),
    Covered(
        "fit",
        arguments="[adaptive-][full-]fit-in",
        to="fit, adapt, cov",
        read=_fit,
        group="path",
    ),
    Covered(
        "size",
        arguments="[-](WIDTH|orig)x[-](HEIGHT|orig)",
        to="w, h, up, flip, own",
        note="Up to 8192 px. Without a size, and without anything else, the longest side is at most 2560 px, as in our "
        "own URLs.",
        read=_size,
        group="path",
    ),
    Covered("halign", arguments="left, center, right", to="g", read=_halign, group="path"),
    Covered("valign", arguments="top, middle, bottom", to="g", read=_valign, group="path"),
    Covered(
        "smart",
        to="g=attention",
        note="Or g=face where dialects.toml says so. It goes before halign and valign, and focal() before it.",
        read=_smart,
        group="path",
    ),
)

COVERAGE = (*PARTS, *FILTERS)
"""All of thumbor 7.8: the parts of a path, in group ``path``, and its filters."""
