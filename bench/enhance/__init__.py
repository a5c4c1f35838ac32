"""Measure what ``enh=auto`` and ``wb=1`` do to good photographs and to degraded copies of them."""

from __future__ import annotations

import sys

from ..paths import ROOT

sys.path.insert(0, str(ROOT / "layers" / "darkroom"))
