"""Windows: center and width of the modality values that are shown (PS3.3, C.11.2.1).

Requests are parsed without NumPy, which only the values of pages need.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from darkroom.errors import BadOption

if TYPE_CHECKING:
    from .voi import Values

LINEAR, LINEAR_EXACT, SIGMOID = "LINEAR", "LINEAR_EXACT", "SIGMOID"
FUNCTIONS = (LINEAR, LINEAR_EXACT, SIGMOID)


@dataclass(frozen=True, slots=True)
class Window:
    """Window center and width in modality units, and the VOI LUT function."""

    center: float
    width: float
    function: str = LINEAR

    def __post_init__(self) -> None:
        """Raise BadOption for what PS3.3, C.11.2.1 excludes."""
        if self.function not in FUNCTIONS:
            raise BadOption(f"The function of a window is one of {', '.join(FUNCTIONS)}", option="window")
        least = 1.0 if self.function == LINEAR else 0.0
        if not (math.isfinite(self.center) and math.isfinite(self.width)):
            raise BadOption("A window has finite numbers", option="window")
        if self.width < least or self.width == 0:
            raise BadOption("A window has a width of at least 1, or above 0 if it is not LINEAR", option="window")

    def apply(self, values: Values) -> Values:
        """Return fractions from 0 to 1: C.11.2.1.2.1, C.11.2.1.3.1 and C.11.2.1.3.2."""
        if self.function == SIGMOID:
            import numpy as np

            exponents = np.clip(-4 * (values - self.center) / self.width, -700, 700)
            return np.asarray(1 / (1 + np.exp(exponents)))
        if self.function == LINEAR_EXACT:
            return ((values - self.center) / self.width + 0.5).clip(0, 1)
        if self.width == 1:
            return (values > self.center - 0.5).astype(float)
        return ((values - (self.center - 0.5)) / (self.width - 1) + 0.5).clip(0, 1)

    def to_document(self) -> dict[str, object]:
        """Return the window as JSON."""
        return {"center": self.center, "width": self.width, "function": self.function}
