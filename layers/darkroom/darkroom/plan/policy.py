"""The cost guard: which variants need a signature.

Unsigned requests may name a finite set per source, so that what a stranger can make us render and store is countable.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from enum import StrEnum
from functools import cache

from .model import DATA_FORMATS, PICTURE_FORMATS, Plan
from .negotiation import LADDER_PX, is_ladder, negotiations
from .normal import plan_of
from .presets import Presets, configured

UNSIGNED_SET = (
    "Without a signature one can have no option at all, f=json, f=thumbhash, a preset, or w of "
    + ", ".join(map(str, LADDER_PX))
    + " with f and dpr"
)
"""What a viewer is told in guarded mode who asked for something else."""


class AccessMode(StrEnum):
    """Who may ask for what: ``guarded`` is the default, ``open`` asks for no signature, ``signed`` always does."""

    GUARDED = "guarded"
    OPEN = "open"
    SIGNED = "signed"


def unsigned_requests(key: str, presets: Presets) -> frozenset[Plan]:
    """Every canonical request for ``key`` that needs no signature in guarded mode."""
    bare = plan_of(key, {})
    data = (plan_of(key, {"f": name}) for name in DATA_FORMATS)
    ladder = (plan_of(key, {"w": width, "f": name}) for width in LADDER_PX for name in ("auto", *PICTURE_FORMATS))
    return frozenset({bare, *data, *ladder, *presets.plans(key).values()})


def unsigned_variants(key: str, presets: Presets) -> frozenset[Plan]:
    """Every derivative of ``key`` that can come into being without a signature in guarded mode."""
    return frozenset().union(*(negotiations(plan, ratios=(1.0,)) for plan in unsigned_requests(key, presets)))


@cache
def _known(presets: Callable[[], Presets]) -> frozenset[Plan]:
    return unsigned_requests("", presets()) | unsigned_variants("", presets())


def needs_signature(plan: Plan, mode: AccessMode, presets: Callable[[], Presets] = configured) -> bool:
    """Whether ``plan``, a canonical request or a negotiated variant, may only be made for a signed request."""
    if mode is AccessMode.OPEN:
        return False
    if mode is AccessMode.SIGNED:
        return True
    return not is_ladder(plan) and replace(plan, key="") not in _known(presets)
