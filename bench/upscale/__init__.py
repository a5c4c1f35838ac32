"""Measure how well a model and resampling restore photographs that were reduced to a quarter of their sides."""

from __future__ import annotations

import sys

from ..paths import ROOT

sys.path.insert(0, str(ROOT / "layers" / "darkroom"))
