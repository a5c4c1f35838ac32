"""Learn where the search of ``q=auto`` starts from some images, and measure its results with others."""

from __future__ import annotations

import sys

from ..paths import ROOT

sys.path.insert(0, str(ROOT / "layers" / "darkroom"))
