"""Reading a thumbor URL."""

from __future__ import annotations

import re
from functools import partial

from ...errors import BadKey
from ...plan.keys import unquote
from ...plan.model import IDENTITY
from ...plan.option_types import Value
from ..common.mapping import by_name, reader_of
from ..common.matrices import chained
from ..common.parsed_url import Asked, Claim
from ..common.settings import LanguageSettings
from ..common.validate import held_plan
from .filters import apply
from .geometry import geometry
from .meta import describe
from .model import Wanted
from .path import Parts, split, split_filters, split_signature
from .path_segments import PARTS
from .tone_order import order

UNSAFE = "unsafe"
"""What stands where a signature would."""

_PARTS = by_name(PARTS)
_ESCAPED_SCHEME = re.compile(r"https?%3a", re.IGNORECASE)


def read(target: str, settings: LanguageSettings) -> Asked:
    """Read ``target``, the raw path after the language's prefix, perhaps with a query, which says nothing.

    Raises BadKey, or BadOption where something is asked for that there is not here.
    """
    signed = split_signature(target.partition("?")[0])
    if signed is None:
        raise BadKey("The path must have a signature or 'unsafe', and an image")
    signature, rest = signed
    claim = None if signature == UNSAFE else Claim(rest.encode(), decoded(signature))
    wanted = gathered(split(rest), settings)
    key = settings.sources.key(wanted.image, bare_hosts=True)
    document = partial(describe, wanted) if wanted.meta else None
    return Asked(held_plan(key, options(wanted)), claim, max_age_s=wanted.max_age_s, document=document)


def gathered(parts: Parts, settings: LanguageSettings) -> Wanted:
    """What ``parts`` say, each read by its row of the table."""
    wanted = Wanted(settings, address(parts.image))
    for name, text in parts.named():
        reader_of(_PARTS, name)(wanted, text)
    for name, call in split_filters(decoded(parts.filters)):
        apply(wanted, name, call)
    return wanted


def options(wanted: Wanted) -> dict[str, Value]:
    """Our options, by short name; raises BadOption."""
    values = {**wanted.values, **geometry(wanted)}
    if values.get("fit") == "letterbox" or "ext" in values or wanted.fills_transparency:
        wanted.once("fill", **wanted.backdrop)
        values |= wanted.backdrop
    placed = order(wanted.steps)
    matrices = (("mat", chained(placed.early)), ("late", chained(placed.late)))
    values |= {short: matrix for short, matrix in matrices if matrix != IDENTITY}
    if placed.equalizes_late is not None:
        values["lev"] = "after" if placed.equalizes_late else "equal"
    if wanted.grey and not placed.late:
        values["gray"] = True
    if wanted.meta:
        values["f"] = "json"
    if not wanted.settings.thumbor.respect_orientation:
        values["orient"] = False
    return values


def address(image: str) -> str:
    """The source's address in ``image``, a raw part of the path. A URL that was escaped as a whole is decoded once."""
    return decoded(image) if _ESCAPED_SCHEME.match(image) else image


def decoded(text: str) -> str:
    """``text`` without its percent-escapes; raises BadKey if they are not UTF-8."""
    try:
        return unquote(text)
    except (UnicodeError, ValueError) as error:
        raise BadKey("The path is not percent-encoded UTF-8", detail=str(error)) from error
