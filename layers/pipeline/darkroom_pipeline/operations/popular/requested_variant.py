"""From a log line's path to the derivatives that it may be about."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial

from darkroom.errors import DarkroomError
from darkroom.image_keys import unquote
from darkroom.plan.canonical import SEPARATOR, parse_path
from darkroom.plan.experiments import NAME
from darkroom.plan.forced_options import NOTHING_FORCED, ForcedOptions
from darkroom.plan.model import DATA_FORMATS, Plan
from darkroom.plan.native_url import parse_url
from darkroom.plan.presets import Presets
from darkroom.plan.variants import list_variants

_MARKS = re.compile(rf"(exp={NAME.pattern})?&?(w=auto)?")
"""What the edge function leaves of a query, sorted: the experiment (decision 77), and ``w=auto`` if it has chosen the
width (decision 81)."""


@dataclass(frozen=True, slots=True)
class RequestedVariant:
    """A requested variant: the canonical one if ``negotiated``, else that of a viewer's URL."""

    plan: Plan
    negotiated: bool


def parse_target(target: str, presets: Presets | None = None) -> tuple[RequestedVariant, ...]:
    """Parse ``target``, a path with a query: return up to two variants, none if it is not an image's.

    The edge function rewrites paths, and CloudFront's documentation does not specify which of the two is logged, nor
    whether a percent sign is encoded. All readings are returned: no viewer's path is a canonical one, and the caller
    looks up which variants are stored.
    """
    found = []
    for text in dict.fromkeys((target, _decode(target))):
        with suppress(DarkroomError):
            found.append(_read(text, presets))
    return tuple(one for one in dict.fromkeys(found) if one.plan.format not in DATA_FORMATS)


def _decode(target: str) -> str:
    try:
        return unquote(target)
    except ValueError:  # and UnicodeError, which is one
        return target


def _read(text: str, presets: Presets | None) -> RequestedVariant:
    path, _, query = text.partition("?")
    if SEPARATOR in path:
        return RequestedVariant(parse_path(path if _MARKS.fullmatch(query) else text), negotiated=True)
    return RequestedVariant(parse_url(text, presets).plan, negotiated=False)


def filter_variants(
    names: Iterator[str], requested: RequestedVariant, always: ForcedOptions = NOTHING_FORCED
) -> Iterator[str]:
    """Filter ``names``, derivatives of one key without their prefix, to those that ``requested`` can negotiate."""
    wanted = list_variants(requested.plan, always=always)
    return filter(partial(_is_one_of, wanted), names)


def _is_one_of(wanted: frozenset[Plan], name: str) -> bool:
    try:
        plan = parse_path("/" + name)
    except DarkroomError:  # a marker of a refusal
        return False
    return replace(plan, findings="", rights=False) in wanted
