"""How often each measure was right on images of known origin, as ``python -m extensions.evidence.bench`` counted it."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from functools import cache
from pathlib import Path

RATES = Path(__file__).with_name("rates.json")
"""Written by ``python -m extensions.evidence.bench``."""

_Z = 1.959964
"""Of a 95 % interval."""


@dataclass(frozen=True, slots=True)
class Rate:
    """How many of a group of images a measure flagged. ``is_honest``: flags of the group are false ones."""

    measure: str
    group: str
    is_honest: bool
    images: int
    flagged: int

    @property
    def share(self) -> float:
        """Share of flagged images, 0 to 1."""
        return self.flagged / self.images

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % interval of the share (E. B. Wilson, "Probable inference", 1927)."""
        n, p = self.images, self.share
        centre = (p + _Z**2 / (2 * n)) / (1 + _Z**2 / n)
        reach = _Z / (1 + _Z**2 / n) * math.sqrt(p * (1 - p) / n + _Z**2 / (4 * n * n))
        return max(0.0, centre - reach), min(1.0, centre + reach)

    def to_json(self) -> dict[str, object]:
        """Return the rate as JSON values, shares rounded to 0.001."""
        return {
            "group": self.group,
            "kind": "honest" if self.is_honest else "altered",
            "images": self.images,
            "flagged": self.flagged,
            "share": round(self.share, 3),
            "interval_95": [round(end, 3) for end in self.interval],
        }


@cache
def load_rates() -> tuple[Rate, ...]:
    """Load all rates."""
    entries = json.loads(RATES.read_text(encoding="utf-8"))
    return tuple(Rate(**one) for one in entries)


def rates_of(measure: str) -> list[dict[str, object]]:
    """Return the rates of a measure as JSON values."""
    return [one.to_json() for one in load_rates() if one.measure == measure]
