"""The cost guard: which variants need a signature.

Unsigned requests may name a finite set per source, so that what a stranger can make us render and store is countable.
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


def list_unsigned_requests(key: str, presets: Presets) -> frozenset[Plan]:
    """Every canonical request for ``key`` that needs no signature in guarded mode."""
    bare = build_plan(key, {})
    data = (build_plan(key, {"f": name}) for name in DATA_FORMATS)
    ladder = (build_plan(key, {"w": width, "f": name}) for width in LADDER_PX for name in ("auto", *IMAGE_FORMATS))
    return frozenset({bare, *data, *ladder, *presets.build_plans(key).values()})


def list_unsigned_variants(key: str, presets: Presets, always: AlwaysRedact = NO_FORCED_REDACTION) -> frozenset[Plan]:
    """Every derivative of ``key`` that can come into being without a signature in guarded mode.

    Those that are made with findings come into being once more with each generation that is made the active one.
    """
    requests = list_unsigned_requests(key, presets)
    return frozenset().union(*(list_variants(plan, ratios=(1.0,), always=always) for plan in requests))


@lru_cache(maxsize=16)
def _list_known_variants(presets: Presets, redact: str) -> frozenset[Plan]:
    """What needs no signature of the key ``""``, in whose pictures ``redact`` is always hidden."""
    plans = list_unsigned_requests("", presets) | list_unsigned_variants("", presets)
    return frozenset(add_redaction(plan, redact) for plan in plans)


def needs_signature(
    plan: Plan,
    mode: AccessMode,
    presets: Callable[[], Presets] = load_default_presets,
    always: AlwaysRedact = NO_FORCED_REDACTION,
) -> bool:
    """Whether ``plan``, a canonical request or a negotiated variant, may only be made for a signed request.

    With ``always`` it is a variant that has what is forced: this, like the generation of findings, no viewer chose.
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
    """Whether ``plan``, a negotiated variant, is a picture of the finite set, in whatever mode.

    Those are encoded once more, at leisure: they are what pages show, and countable, where nobody knows whether what
    somebody has signed is ever asked for again.
    """
    return plan.format not in DATA_FORMATS and not needs_signature(plan, AccessMode.GUARDED, presets, always)


@lru_cache(maxsize=16)
def _list_preset_variants(presets: Presets, redact: str) -> frozenset[Plan]:
    """What named presets come to for the key ``""``, in whose pictures ``redact`` is always hidden."""
    plans = presets.build_plans("").values()
    variants = frozenset().union(*(list_variants(plan, ratios=(1.0,)) for plan in plans))
    return frozenset(add_redaction(plan, redact) for plan in variants)


def is_preset(
    plan: Plan, presets: Callable[[], Presets] = load_default_presets, always: AlwaysRedact = NO_FORCED_REDACTION
) -> bool:
    """Whether ``plan``, a negotiated variant, is what a named preset makes: all that is rendered in hard times."""
    return replace(plan, key="", findings="") in _list_preset_variants(presets(), always.for_key(plan.key))
