"""Measure how often the measures of the evidence report are right."""

from __future__ import annotations

import sys

from ..paths import ROOT

sys.path[:0] = [str(ROOT / "layers" / name) for name in ("darkroom", "evidence")]
