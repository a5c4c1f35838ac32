"""Measure the recall of copies among photographs, and the cost of a search of the table.

``python -m bench.similarity`` writes the results into docs/guides/similarity.md.
"""

from __future__ import annotations

import sys

from ..paths import ROOT

sys.path.insert(0, str(ROOT / "layers" / "darkroom"))
