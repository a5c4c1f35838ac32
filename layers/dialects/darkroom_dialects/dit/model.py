"""The request and the options of a DIT URL, and checks of JSON values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import isfinite

from darkroom.errors import BadKey
from darkroom.image_keys import quote_key
from darkroom.plan.model import Crop, Lch, Matrix
from darkroom.plan.option_types import Value

from ..common.colours import format_colour, parse_colour
from ..common.settings import DialectSettings
from ..common.validate import PlanValues, bad_option

type Json = Mapping[str, object]

MAX_NUMBER = 1e9
"""Larger than any option here allows."""


@dataclass(slots=True)
class DitOptions(PlanValues):
    """The options of a DIT URL. ``values`` has those that map one to one, by our short name.

    ``resize`` is sharp's argument. ``turn_first``: the rotation precedes the resize. ``tones`` has matrices by edit.
    ``alpha`` is the change of the alpha channel, unless it is dropped. ``written`` is the format of the last edit that
    names one, ``output`` the one that overrides it, ``qualities`` those by format. ``metadata`` is what the file keeps,
    empty where the deployment decides.
    """

    settings: DialectSettings
    values: dict[str, Value] = field(default_factory=dict)
    resize: Json = field(default_factory=dict)
    resized: bool = False
    crop: Crop | None = None
    turn: float = 0.0
    turn_first: bool = False
    flip: bool = False
    flop: bool = False
    grey: bool = False
    tones: dict[str, Matrix] = field(default_factory=dict)
    lch: Lch | None = None
    alpha: str = ""
    drops_alpha: bool = False
    written: str = ""
    output: str = ""
    qualities: dict[str, int] = field(default_factory=dict)
    metadata: str = ""


def is_enabled(value: object) -> bool:
    """Return whether a switch is on: sharp accepts everything but ``false``."""
    return value is not False


def require_number(name: str, value: object) -> float:
    """Return ``value`` if it is a number. Raises BadOption."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not _is_small(value):
        raise bad_option(name, f"it must be a number up to {MAX_NUMBER:.0e}")
    return value


def require_int(name: str, value: object) -> int:
    """Return ``value`` if it is a whole number. Raises BadOption."""
    if (found := require_number(name, value)) != int(found):
        raise bad_option(name, "it must be a whole number")
    return int(found)


def require_object(name: str, value: object) -> Json:
    """Return ``value`` if it is a JSON object. Raises BadOption."""
    if not isinstance(value, dict):
        raise bad_option(name, "it must be an object")
    return value


def object_or_empty(value: object) -> Json:
    """Return ``value`` if it is an object, else an empty one, like sharp."""
    return value if isinstance(value, dict) else {}


def require_colour(name: str, value: object) -> str:
    """Parse a colour: CSS text, or an object of ``r``, ``g``, ``b`` and optionally ``alpha``. Raises BadOption."""
    if isinstance(value, dict):
        channels = [require_number(name, value.get(channel)) for channel in "rgb"]
        return format_colour(channels, require_number(name, value.get("alpha", 1)))
    digits = parse_colour(value) if isinstance(value, str) else None
    if digits is None:
        raise bad_option(
            name, "it must be a CSS colour name, # and hexadecimal digits, or an object of r, g, b and alpha"
        )
    return digits


def _is_small(value: float) -> bool:
    return abs(value) <= MAX_NUMBER and isfinite(value)


@dataclass(frozen=True, slots=True)
class DitRequest:
    """A request in any form. ``address`` is percent-encoded; ``edits`` are calls of sharp by name, in order.

    ``output`` is the format that the request names beside its edits, ``quality`` that of all formats.
    """

    address: str
    edits: Json = field(default_factory=dict)
    output: str = ""
    quality: int | None = None
    max_age_s: int | None = None


def format_address(bucket: str, key: str) -> str:
    """Return the address of ``key`` in ``bucket``, which can be empty. Raises BadKey if the key is not text."""
    try:
        quoted = quote_key(key)
    except UnicodeError as error:
        raise BadKey("The key is not text", detail=str(error)) from error
    return f"s3://{bucket}/{quoted}" if bucket else quoted
