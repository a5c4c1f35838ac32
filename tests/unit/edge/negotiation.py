"""How the edge function reads ``Accept`` and pixel-ratio hints, in Python: what its code is compared with."""

from __future__ import annotations

import re
from collections.abc import Iterable

from darkroom.plan.variants import CLASS_TYPES

_QUALITY = re.compile(r"(?:0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?)")
_RATIO = re.compile(r"[0-9]{1,3}(?:\.[0-9]{1,16})?")


def choose_format_class(accept: str) -> str:
    """Return the format class that an ``Accept`` header prefers.

    The highest q-value wins. Of equal ones, the format with smaller files wins, in any order. Wildcards do not count
    for newer formats: browsers send them with all kinds of requests.
    """
    weights = dict(_parse_weights(accept))
    best, best_weight = "auto-legacy", 0.0
    for name, types in reversed(CLASS_TYPES):
        weight = max(weights.get(kind, 0.0) for kind in types)
        if weight > 0 and weight >= best_weight:
            best, best_weight = name, weight
    return best


def _parse_weights(accept: str) -> Iterable[tuple[str, float]]:
    for entry in accept.lower().split(","):
        kind, *parameters = (part.strip(" \t") for part in entry.split(";"))
        weight = 1.0
        for parameter in parameters:
            if parameter.startswith("q="):
                weight = float(parameter[2:]) if _QUALITY.fullmatch(parameter[2:]) else 0.0
        yield kind, weight


def parse_ratio_hint(hint: str) -> float:
    """Parse a ``Sec-CH-DPR`` or ``DPR`` header: rounded up to a step of 0.5 within 1–4; 1 if malformed."""
    if not _RATIO.fullmatch(hint):
        return 1.0
    steps = -int(-float(hint) * 2 // 1)
    return min(4.0, max(1.0, steps / 2))
