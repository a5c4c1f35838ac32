"""The cost guard: which variants need a signature.

Unsigned requests are limited to a finite set of variants per source. This limits what they can cost.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from enum import StrEnum
from functools import lru_cache

from .model import DATA_FORMATS, IMAGE_FORMATS, Plan
from .negotiation import LADDER_PX, is_ladder_request, list_variants
from .normalize import build_plan
from .presets import Presets, load_default_presets
from .redaction import NO_FORCED_REDACTION, AlwaysRedact, add_redaction

UNSIGNED_SET = (
    "Allowed without a signature: no options, f=json, f=thumbhash, a preset, or w of "
    + ", ".join(map(str, LADDER_PX))
    + " with f and dpr"
)
"""The detail of the error for other unsigned requests in guarded mode."""


class AccessMode(StrEnum):
    """Which requests need a signature: those outside the unsigned set (``guarded``, the default), none or all."""

    GUARDED = "guarded"
    OPEN = "open"
    SIGNED = "signed"


def list_unsigned_requests(key: str, presets: Presets) -> frozenset[Plan]:
    """Return every canonical request for ``key`` that needs no signature in guarded mode."""
    bare = build_plan(key, {})
    data = (build_plan(key, {"f": name}) for name in DATA_FORMATS)
    ladder = (build_plan(key, {"w": width, "f": name}) for width in LADDER_PX for name in ("auto", *IMAGE_FORMATS))
    return frozenset({bare, *data, *ladder, *presets.build_plans(key).values()})


def list_unsigned_variants(key: str, presets: Presets, always: AlwaysRedact = NO_FORCED_REDACTION) -> frozenset[Plan]:
    """Return every derivative of ``key`` that can be rendered without a signature in guarded mode.

    Those that use findings are rendered again for each generation of findings that becomes active.
    """
    requests = list_unsigned_requests(key, presets)
    return frozenset().union(*(list_variants(plan, ratios=(1.0,), always=always) for plan in requests))


@lru_cache(maxsize=16)
def _list_known_variants(presets: Presets, redact: str) -> frozenset[Plan]:
    """Return the unsigned set of the key ``""`` with forced redaction of ``redact``."""
    plans = list_unsigned_requests("", presets) | list_unsigned_variants("", presets)
    return frozenset(add_redaction(plan, redact) for plan in plans)


def needs_signature(
    plan: Plan,
    mode: AccessMode,
    presets: Callable[[], Presets] = load_default_presets,
    always: AlwaysRedact = NO_FORCED_REDACTION,
) -> bool:
    """Return whether ``plan``, a canonical request or a negotiated variant, requires a signed request.

    With ``always``, forced redaction does not count as an option of the request, nor does the generation of findings.
    """
    if mode is AccessMode.OPEN:
        return False
    if mode is AccessMode.SIGNED:
        return True
    chosen = replace(plan, findings="")
    redact = always.for_key(plan.key)
    if chosen.redact == redact and is_ladder_request(replace(chosen, redact="")):
        return False
    return replace(chosen, key="") not in _list_known_variants(presets(), redact)


def is_refined(
    plan: Plan, presets: Callable[[], Presets] = load_default_presets, always: AlwaysRedact = NO_FORCED_REDACTION
) -> bool:
    """Return whether ``plan``, a negotiated variant, is a picture of the unsigned set, in any access mode.

    These are re-encoded in the background: pages show them and their number is limited. A signed variant may never be
    requested again.
    """
    return plan.format not in DATA_FORMATS and not needs_signature(plan, AccessMode.GUARDED, presets, always)


@lru_cache(maxsize=16)
def _list_preset_variants(presets: Presets, redact: str) -> frozenset[Plan]:
    """Return the variants of named presets for the key ``""`` with forced redaction of ``redact``."""
    plans = presets.build_plans("").values()
    variants = frozenset().union(*(list_variants(plan, ratios=(1.0,)) for plan in plans))
    return frozenset(add_redaction(plan, redact) for plan in variants)


def is_preset(
    plan: Plan, presets: Callable[[], Presets] = load_default_presets, always: AlwaysRedact = NO_FORCED_REDACTION
) -> bool:
    """Return whether ``plan`` is a variant of a named preset. Load shedding renders no other variants."""
    return replace(plan, key="", findings="") in _list_preset_variants(presets(), always.for_key(plan.key))
