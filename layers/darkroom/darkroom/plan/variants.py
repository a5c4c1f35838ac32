"""Variants of an image by format class, pixel ratio and ``Save-Data``, and the cost guard.

The cost guard decides which variants need a signature: unsigned requests may name a finite set per source.

Mezzanines are smaller renditions of a master, from which some variants are rendered (decision 59). Their sizes are in
:mod:`.geometry.mezzanines`.

The edge function negotiates. This module has the same rules for verifying signatures and counting unsigned variants.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from enum import Enum
from functools import lru_cache

from .canonical import add_rights, build_plan, scale_length
from .forced_options import NOTHING_FORCED, Forced, ForcedOptions, is_unmarked
from .model import (
    AUTO_CLASSES,
    AUTO_QUALITY,
    DATA_FORMATS,
    IMAGE_FORMATS,
    LOSSLESS_FORMATS,
    MAIN_FORMATS,
    MODEL_UPSCALE,
    RIGHTS,
    SEARCHED,
    Plan,
)
from .presets import Presets, load_default_presets

LADDER_PX = (320, 480, 640, 800, 960, 1280, 1536, 1920, 2560, 3840)
"""Widths that need no signature."""

LADDER_FORMATS = frozenset({"auto", *AUTO_CLASSES, *IMAGE_FORMATS})
"""Formats of these widths that need no signature: those of native URLs, not those that only dialects can request."""

RATIOS = (1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0)
SAVE_DATA_QUALITY = 50

CLASS_TYPES = (
    *((name, (f"image/{MAIN_FORMATS[name]}",)) for name in AUTO_CLASSES[:-1]),
    (AUTO_CLASSES[-1], ("image/jpeg", "image/png", "image/*", "*/*")),
)
"""Media types of ``Accept`` that each format class stands for."""


def is_ladder_request(plan: Plan) -> bool:
    """Return whether ``plan`` has a ladder width, no other option, and a format of :data:`LADDER_FORMATS`."""
    only_width = plan.width in LADDER_PX and plan == Plan(plan.key, width=plan.width, format=plan.format)
    return only_width and plan.format in LADDER_FORMATS


def apply_pixel_ratio(plan: Plan, ratio: float) -> Plan:
    """Return ``plan`` for a screen of ``ratio``.

    A ladder width is rounded up to a ladder width, other sizes are multiplied, and a request without options stays.
    """
    if replace(plan, format="auto") == build_plan(plan.key, {}):
        return plan
    if is_ladder_request(plan):
        assert plan.width is not None
        wanted = scale_length(plan.width, ratio)
        return replace(plan, width=next((width for width in LADDER_PX if width >= wanted), LADDER_PX[-1]))
    return replace(
        plan,
        width=plan.width and scale_length(plan.width, ratio),
        height=plan.height and scale_length(plan.height, ratio),
    )


def apply_save_data(plan: Plan) -> Plan:
    """Return ``plan`` for ``Save-Data: on``: with a lower quality, unless the request has a number."""
    if plan.quality in (None, AUTO_QUALITY) and plan.format == "auto":
        return replace(plan, quality=SAVE_DATA_QUALITY)
    return plan


def list_variants(
    plan: Plan, ratios: Iterable[float] = RATIOS, *, always: ForcedOptions = NOTHING_FORCED
) -> frozenset[Plan]:
    """Return every variant that negotiation can choose for the canonical request ``plan`` on screens of ``ratios``.

    They include what ``always`` forces, but not the generation of findings, which the deployment chooses,
    nor rights, which any of them may have.
    """
    if plan.format in DATA_FORMATS:
        return frozenset({plan})
    sized = {
        always.apply(variant)
        for variant in (*(apply_pixel_ratio(plan, ratio) for ratio in ratios), apply_save_data(plan))
    }
    if plan.format != "auto":
        return frozenset(sized)
    return frozenset(replace(variant, format=name) for variant in sized for name in AUTO_CLASSES)


UNSIGNED_SET = (
    "Allowed without a signature: no options, f=json, f=thumbhash, a preset, or w of "
    + ", ".join(map(str, LADDER_PX))
    + " with f and dpr"
)
"""The detail of the error for other unsigned requests in guarded mode."""


NEEDS_EXPIRY = "A link to a private image needs an expiry (exp)"
"""The detail of the error for a private image that is requested without one."""


class AccessMode(str, Enum):
    """Which requests need a signature: those outside the unsigned set (``guarded``, the default), none or all."""

    GUARDED = "guarded"
    OPEN = "open"
    SIGNED = "signed"

    __str__ = str.__str__


def choose_access_mode(key: str, mode: AccessMode, private_prefixes: tuple[str, ...]) -> AccessMode:
    """Return the access mode of ``key`` in a deployment of ``mode``: all requests for private images are signed."""
    return AccessMode.SIGNED if key.startswith(private_prefixes) else mode


def list_unsigned_requests(key: str, presets: Presets) -> frozenset[Plan]:
    """Return every canonical request for ``key`` that needs no signature in guarded mode."""
    bare = build_plan(key, {})
    data = (build_plan(key, {"f": name}) for name in DATA_FORMATS)
    ladder = (build_plan(key, {"w": width, "f": name}) for width in LADDER_PX for name in ("auto", *IMAGE_FORMATS))
    return frozenset({bare, *data, *ladder, *presets.build_plans(key).values()})


def list_unsigned_variants(key: str, presets: Presets, always: ForcedOptions = NOTHING_FORCED) -> frozenset[Plan]:
    """Return every derivative of ``key`` that can be rendered without a signature in guarded mode.

    Those that use findings are rendered again for each generation of findings that becomes active.
    """
    requests = list_unsigned_requests(key, presets)
    plain = frozenset().union(*(list_variants(plan, ratios=(1.0,), always=always) for plan in requests))
    return plain | {add_rights(plan, RIGHTS) for plan in plain}


@lru_cache(maxsize=16)
def _list_known_variants(presets: Presets, forced: Forced) -> frozenset[Plan]:
    """Return the unsigned set of the key ``""`` with what is ``forced``."""
    plans = list_unsigned_requests("", presets) | list_unsigned_variants("", presets)
    return frozenset(map(forced.apply, plans))


def needs_signature(
    plan: Plan,
    mode: AccessMode,
    presets: Callable[[], Presets] = load_default_presets,
    always: ForcedOptions = NOTHING_FORCED,
) -> bool:
    """Return whether ``plan``, a canonical request or a negotiated variant, requires a signed request.

    With ``always``, what is forced does not count as an option of the request, nor does the generation of findings.
    Rights never do: an image has at most two files of one variant. Overlays are as in ``guarded`` where all else is
    open: they could put any text on an image. So is upscaling by a model, as each variant costs a run of it. An image
    without its forced watermark always requires one.
    """
    if is_unmarked(plan):
        return True
    if mode is AccessMode.OPEN and not plan.overlays and plan.upscale != MODEL_UPSCALE:
        return False
    if mode is AccessMode.SIGNED:
        return True
    chosen = replace(plan, findings="", rights=False)
    forced = always.find(plan.key)
    if forced.apply(bare := replace(chosen, redact="", watermark=None)) == chosen and is_ladder_request(bare):
        return False
    return replace(chosen, key="") not in _list_known_variants(presets(), forced)


def is_refined(
    plan: Plan, presets: Callable[[], Presets] = load_default_presets, always: ForcedOptions = NOTHING_FORCED
) -> bool:
    """Return whether ``plan``, a negotiated variant, is an image of the unsigned set, in any access mode.

    These are re-encoded in the background: pages show them and their number is limited. A signed variant may never be
    requested again.
    """
    return plan.format not in DATA_FORMATS and not needs_signature(plan, AccessMode.GUARDED, presets, always)


PRESETS = "presets"
"""The setting ``store_derivatives`` with which only variants of named presets are stored."""

AUTO = "auto"
"""The setting ``store_derivatives`` with which other variants are stored by chance, if storing them is likely to pay
(:mod:`darkroom.services.serve.store_policy`)."""


@lru_cache(maxsize=16)
def _list_preset_variants(presets: Presets, forced: Forced) -> frozenset[Plan]:
    """Return the variants of named presets for the key ``""`` with what is ``forced``."""
    plans = presets.build_plans("").values()
    variants = frozenset().union(*(list_variants(plan, ratios=(1.0,)) for plan in plans))
    return frozenset(map(forced.apply, variants))


def is_preset(
    plan: Plan, presets: Callable[[], Presets] = load_default_presets, always: ForcedOptions = NOTHING_FORCED
) -> bool:
    """Return whether ``plan`` is a variant of a named preset. Load shedding renders no other variants."""
    return replace(plan, key="", findings="", rights=False) in _list_preset_variants(presets(), always.find(plan.key))


MEZZANINE_SIDES_PX = (1280, 1920)
"""Longer sides of mezzanines. At 12 MP a render reads 1,280 px in a third of the master's time."""

MEZZANINE_QUALITY = 88
"""JPEG quality of mezzanines, with chroma at full size."""

MEZZANINE_REDUCTION = 1.5
"""Least factor by which a render reduces a mezzanine. Over sixteen photographs and 240 images SSIMULACRA2 is then 0.2
higher in the mean than from the master, and 1.1 lower at worst (``bench/mezzanines`` of commit 10e7c8d8)."""

MEZZANINE_FROM_PIXELS = 3_000_000
"""Pixels of the smallest master with mezzanines: less is decoded in 10 ms."""

_USUAL_ASPECT = 1.5
"""Ratio of the sides of a photograph. Where a longer one needs a mezzanine that was not read, the master is used."""


def list_mezzanines(plan: Plan) -> tuple[int, ...]:
    """Return the longer sides of the mezzanines to read for ``plan``, the smaller one first; none if it needs the
    master.

    The plan alone decides, so that they are read beside the master. Two are read where the aspect ratio of the image
    decides which one has enough pixels.
    """
    if _needs_master(plan):
        return ()
    least, most = _expect_longer_side(plan)
    sides_px = [side for side in MEZZANINE_SIDES_PX if least and side >= least * MEZZANINE_REDUCTION]
    return tuple(sides_px[: 1 if sides_px and sides_px[0] >= most * MEZZANINE_REDUCTION else 2])


def _needs_master(plan: Plan) -> bool:
    """Return whether ``plan`` is not rendered from a reduced, lossy copy.

    A redaction is not: the copy has traces of what is hidden in the pixels around it. Nor is a trim, or a crop whose
    place is searched in the pixels: small differences decide. An enhancement is measured in the master.
    """
    data = plan.format in DATA_FORMATS or bool(plan.passthrough_formats) or plan.page > 0 or not plan.orient
    exact = plan.format in LOSSLESS_FORMATS or (isinstance(plan.quality, int) and plan.quality > MEZZANINE_QUALITY)
    place = plan.crop_to.gravity if plan.crop_to else plan.gravity.name
    compares = bool(plan.trim) or place in SEARCHED
    enhanced = plan.white_balance or plan.enhance != "none"
    return data or exact or compares or bool(plan.redact) or plan.red_eye or enhanced


def _expect_longer_side(plan: Plan) -> tuple[float, float]:
    """Return the least and the usual largest length of the scaled image's longer side in px; 0 if it is the source's.

    It may be shorter if the source has fewer pixels, and is then rendered from the master.
    """
    factor = plan.pixel_ratio * min(plan.scale)
    sides = [side * factor for side in (plan.width, plan.height, plan.min_width, plan.min_height) if side]
    if not sides:
        return 0.0, 0.0
    within = plan.width and plan.height and plan.fit in ("contain", "letterbox")
    return (min(sides), max(sides)) if within else (max(sides), max(sides) * _USUAL_ASPECT)
