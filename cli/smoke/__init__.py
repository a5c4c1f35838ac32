"""Checks of a deployed stack, for properties that no local test proves: see docs/getting-started/deploy.md, "Unverified
on AWS".
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "layers" / "darkroom"))
