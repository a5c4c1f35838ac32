"""How well copies are found among real photographs, and what a search of the table takes.

``python -m bench.similarity`` writes it into docs/guides/similarity.md.
"""

from __future__ import annotations

import sys

from ..paths import ROOT

sys.path.insert(0, str(ROOT / "layers" / "darkroom"))
