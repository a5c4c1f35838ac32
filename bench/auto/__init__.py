"""``q=auto``: where its search begins, learned from some pictures, and what it comes to, measured on others."""

from __future__ import annotations

import sys

from ..paths import ROOT

sys.path.insert(0, str(ROOT / "layers" / "darkroom"))
