"""The order of tones beside ``equalize()``, ``blur()`` and ``watermark()``, as far as a Plan can have it.

A Plan has an early place for tones and one after watermarks, each behind a place for ``equalize()``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from ...plan.model import Matrix

EQUALIZE, BLUR, WATERMARK = "equalize", "blur", "watermark"


class ToneOrder(NamedTuple):
    """The tones of both places, and whether ``equalize()`` is at the later one (None: there is none)."""

    early: tuple[Matrix, ...]
    late: tuple[Matrix, ...]
    equalizes_late: bool | None


def order_tones(steps: Sequence[Matrix | str]) -> ToneOrder:
    """The places of ``steps``. What stands before a watermark is early, so that the watermark is left alone."""
    last_mark = max((at for at, step in enumerate(steps) if step == WATERMARK), default=-1)
    equalize = next((at for at, step in enumerate(steps) if step == EQUALIZE), None)
    late_equalize = equalize is not None and equalize > 0 and equalize > last_mark
    after_blur = next((at for at, step in enumerate(steps) if step in (BLUR, WATERMARK)), len(steps))
    places: tuple[list[Matrix], list[Matrix]] = ([], [])
    for at, step in enumerate(steps):
        if isinstance(step, str):
            continue
        is_late = at > equalize if equalize is not None and late_equalize else at > after_blur
        places[is_late and at > last_mark].append(step)
    return ToneOrder(tuple(places[0]), tuple(places[1]), None if equalize is None else late_equalize)
