"""Authorise requests by the dialect's own signatures, and unsigned ones by the rules of native URLs.

The finite set of unsigned variants is therefore the same in all dialects.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from darkroom.errors import BadSignature, Expired, Unsigned
from darkroom.plan.canonical import options_text
from darkroom.plan.forced_options import ForcedOptions
from darkroom.plan.model import Plan
from darkroom.plan.presets import Presets
from darkroom.plan.variants import LADDER_PX, NEEDS_EXPIRY, AccessMode, needs_signature
from darkroom.signing import KeySource, try_keys

from ..common.parsed_url import DialectKey, ParsedUrl, SignatureClaim

type Verify = Callable[[SignatureClaim | None, Sequence[DialectKey], float, int | None], None]
"""The verification of a dialect: claim, valid keys, current time and expiry, both in Unix time."""


def authorise(
    parsed: ParsedUrl,
    plan: Plan,
    mode: AccessMode,
    presets: Callable[[], Presets],
    always: ForcedOptions,
    verify: Verify,
    keys: KeySource[Sequence[DialectKey]],
    now_s: float,
    *,
    is_private: bool,
) -> None:
    """Raise a DarkroomError of 403 unless ``plan``, the variant of ``parsed``, may be rendered. May raise Unavailable.

    A signature must be valid, except in mode ``open`` where none is needed. A private image needs one in every mode.
    """
    if is_private:
        _check_private(parsed)
        mode = AccessMode.SIGNED
    is_needed = needs_signature(plan, mode, presets, always)
    if parsed.claim is None or (mode is AccessMode.OPEN and not is_needed):
        if is_needed:
            raise Unsigned(_describe_unsigned_set(parsed.plan) if mode is not AccessMode.SIGNED else "")
        if parsed.expires_s is not None and now_s >= parsed.expires_s:
            raise Expired
        return
    try_keys(keys, lambda valid: verify(parsed.claim, valid, now_s, parsed.expires_s), BadSignature)


def _check_private(parsed: ParsedUrl) -> None:
    """Raise Unsigned unless ``parsed`` has a signature that is not accepted without a check, and an expiry."""
    if parsed.claim is None or parsed.claim.trusted:
        raise Unsigned
    if parsed.expires_s is None:
        raise Unsigned(NEEDS_EXPIRY)


def _describe_unsigned_set(plan: Plan) -> str:
    """Describe the unsigned variants independently of the dialect."""
    widths = ", ".join(map(str, LADDER_PX))
    return (
        f"Without a signature a URL may come to the image as it is served by default, to a preset, or to a width of "
        f"{widths} with nothing else but a format. This one comes to {options_text(plan)}.{plan.format}"
    )
