"""Time of decoding and reducing a mezzanine, against that of its master, in turns."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from darkroom.imaging.formats.image_format import Header
from darkroom.imaging.render.pipeline import render
from darkroom.imaging.source import Source
from darkroom.plan.limits import Limits
from darkroom.plan.model import Plan

from ..images import make_images
from ..statistics import Spread
from .files import make_mezzanines

WIDTHS_PX = ((800, 1280), (400, 1280), (200, 1280), (1200, 1920))
"""Widths, and the mezzanine that each is rendered from."""

LIMITS = Limits()


@dataclass(frozen=True, slots=True)
class Decoded:
    """Milliseconds from the master and from the mezzanine."""

    what: str
    width_px: int
    master: Spread
    mezzanine: Spread

    @property
    def ratio(self) -> float:
        """Ratio of the times."""
        return self.mezzanine.ratio_to(self.master)


def measure_decoding(rounds: int, progress: Callable[[str], None]) -> list[Decoded]:
    """Measure the image of 12 MP."""
    file = make_images()[0]
    master = file.read_bytes()
    made = {of.side_px: (of, body) for of, body in make_mezzanines(master)}
    found: dict[int, tuple[list[float], list[float]]] = {width: ([], []) for width, _ in WIDTHS_PX}
    for turn in range(rounds):
        progress(f"mezzanines: decoding {turn + 1}/{rounds}")
        for width, side_px in WIDTHS_PX:
            of, body = made[side_px]
            plan, from_master, from_mezzanine = Plan("", width=width, format="jpeg"), *found[width]
            from_master.append(_decode(plan, master))
            from_mezzanine.append(_decode(plan, body, Header.parse(of.master_header)))
    return [
        Decoded(f"12 MP, from {side_px:,} px", width, *(Spread.of(one) for one in found[width]))
        for width, side_px in WIDTHS_PX
    ]


def _decode(plan: Plan, data: bytes, master: Header | None = None) -> float:
    return render(plan, Source.from_bytes(data), limits=LIMITS, master=master).timings_ms["decode"]
