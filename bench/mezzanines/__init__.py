"""Compare renders from mezzanines with renders from masters, over many photographs."""

from __future__ import annotations

import sys

from ..paths import ROOT

sys.path.insert(0, str(ROOT / "layers" / "darkroom"))
