"""Compare AV1 encoders for AVIF: libaom, which libvips has, and SVT-AV1."""

from __future__ import annotations

import sys

from ..paths import ROOT

sys.path.insert(0, str(ROOT / "layers" / "darkroom"))
