"""How Darkroom grows: misses by pixels, the drain of a queue, a simulated year of a shop, and limits of AWS."""

from __future__ import annotations

import sys

from ..paths import ROOT

sys.path.insert(0, str(ROOT / "layers" / "darkroom"))
