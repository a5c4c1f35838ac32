"""Values of interest: how modality values become grey levels (PS3.3, C.11.2).

Each transformation maps an array of modality values to fractions, 0 is black and 1 is white.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from .window import LINEAR_EXACT, Window

type Values = NDArray[np.float64]


class Voi(Hashable, Protocol):
    """A transformation of values of interest."""

    def apply(self, values: Values) -> Values:
        """Return fractions from 0 to 1 for modality ``values``."""

    def to_document(self) -> dict[str, object]:
        """Return the transformation as JSON."""


@dataclass(frozen=True, slots=True)
class LookupTable:
    """A VOI LUT (C.11.2.1.1): ``entries`` of ``bits`` bits for values from ``first`` on."""

    first: int
    bits: int
    entries: tuple[int, ...]

    MAX_ENTRIES: ClassVar[int] = 65_536

    def apply(self, values: Values) -> Values:
        """Return fractions from 0 to 1; values outside of the table have its first or last entry."""
        places = np.clip(np.rint(values) - self.first, 0, len(self.entries) - 1).astype(np.intp)
        found: Values = np.asarray(self.entries, np.float64)[places] / ((1 << self.bits) - 1)
        return np.minimum(found, 1)

    def to_document(self) -> dict[str, object]:
        """Return the table as JSON, its entries as base64 of 16-bit little-endian numbers."""
        packed = np.asarray(self.entries, "<u2").tobytes()
        return {"first": self.first, "bits": self.bits, "entries": b64encode(packed).decode()}


def parse_voi(document: Mapping[str, Any]) -> Voi:
    """Return the transformation that :meth:`Voi.to_document` described."""
    if "entries" in document:
        entries = np.frombuffer(b64decode(document["entries"]), "<u2")
        return LookupTable(int(document["first"]), int(document["bits"]), tuple(map(int, entries)))
    return Window(float(document["center"]), float(document["width"]), str(document["function"]))


def list_values(slope: float, intercept: float) -> Values:
    """Return the modality value of each 16-bit number."""
    return np.arange(65_536, dtype=np.float64) * slope + intercept


def full_range(low: float, high: float) -> Window:
    """Return the window that shows values from ``low`` as black to ``high`` as white."""
    return Window((low + high) / 2, max(high - low, 1e-9), LINEAR_EXACT)
