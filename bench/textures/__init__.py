"""Textures: sizes, times and scores of encoders, decoding by three.js, and a page with a textured cube."""

from __future__ import annotations

import sys

from ..paths import ROOT

sys.path.insert(0, str(ROOT / "layers" / "darkroom"))
