"""The request and the options of a DIT URL, and checks of JSON values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import isfinite

from ...errors import BadKey
from ...plan.keys import quote_key
from ...plan.model import Crop, Lch, Matrix
from ...plan.option_types import Value
from ..common.colours import format_colour, parse_colour
from ..common.settings import DialectSettings
from ..common.validate import bad_option

type Json = Mapping[str, object]

MAX_NUMBER = 1e9
"""Above what any option here takes."""


@dataclass(slots=True)
class DitOptions:
    """``values`` has what needs nothing else: our options by short name. The rest is put together in :mod:`.sizing`.

    ``resize`` is sharp's argument of that name. ``turn_first`` says that a turn stands before the resize. ``tones`` has
    a matrix by the name of each edit that comes to one. ``alpha`` is what is done to alpha, unless it is dropped.
    ``written`` is the format that the last edit of one names, ``output`` the one that goes before it, and ``qualities``
    has those of all.
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

    def set_once(self, name: str, **values: Value) -> None:
        """Take ``values`` of edit ``name``; raises BadOption where another value of the same option was there."""
        for short, value in values.items():
            if self.values.setdefault(short, value) != value:
                raise bad_option(name, f"there can be only one {short} in a picture here")


def is_enabled(value: object) -> bool:
    """Whether an edit that is a switch is on: sharp takes all but ``false`` for that."""
    return value is not False


def require_number(name: str, value: object) -> float:
    """``value`` as a number; raises BadOption if it is none."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not _is_small(value):
        raise bad_option(name, f"it must be a number up to {MAX_NUMBER:.0e} here")
    return value


def require_int(name: str, value: object) -> int:
    """``value`` as a whole number; raises BadOption if it is none."""
    if (found := require_number(name, value)) != int(found):
        raise bad_option(name, "it must be a whole number")
    return int(found)


def require_object(name: str, value: object) -> Json:
    """``value`` as an object of JSON; raises BadOption if it is none."""
    if not isinstance(value, dict):
        raise bad_option(name, "it must be an object")
    return value


def object_or_empty(value: object) -> Json:
    """``value`` if it is an object, else none: what sharp makes of an argument that may be one."""
    return value if isinstance(value, dict) else {}


def require_colour(name: str, value: object) -> str:
    """A colour as our hex digits: CSS text, or an object of ``r``, ``g``, ``b`` and perhaps ``alpha``."""
    if isinstance(value, dict):
        channels = [require_number(name, value.get(channel)) for channel in "rgb"]
        return format_colour(channels, require_number(name, value.get("alpha", 1)))
    digits = parse_colour(value) if isinstance(value, str) else None
    if digits is None:
        raise bad_option(name, "it must be a name of CSS, hex digits after #, or an object of r, g, b and alpha")
    return digits


def _is_small(value: float) -> bool:
    return abs(value) <= MAX_NUMBER and isfinite(value)


@dataclass(frozen=True, slots=True)
class DitRequest:
    """``address`` is the source's, percent-encoded; ``edits`` are sharp's calls by name, in order.

    ``output`` is the format that the request names beside its edits, ``quality`` the one that it names for whatever
    format comes out.
    """

    address: str
    edits: Json = field(default_factory=dict)
    output: str = ""
    quality: int | None = None
    max_age_s: int | None = None


def format_address(bucket: str, key: str) -> str:
    """The address of ``key`` in ``bucket``, which may be none; raises BadKey where the key is no text."""
    try:
        quoted = quote_key(key)
    except UnicodeError as error:
        raise BadKey("The key is not text", detail=str(error)) from error
    return f"s3://{bucket}/{quoted}" if bucket else quoted
