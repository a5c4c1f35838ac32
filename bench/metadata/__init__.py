"""Costs of metadata in files."""

from __future__ import annotations

import sys

from ..paths import ROOT

sys.path.insert(0, str(ROOT / "layers" / "darkroom"))
