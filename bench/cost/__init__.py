"""What the measurements cost: they are priced as the monitor prices what a deployment does."""

from __future__ import annotations

import sys

from ..paths import ROOT

sys.path.insert(0, str(ROOT / "layers" / "darkroom"))
