"""Measure medical images: grey levels beside those of pydicom and DCMTK, starts of the functions, and a viewer."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "layers" / "medical"))
