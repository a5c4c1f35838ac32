"""What becomes of a folder of files as uploads of the running stack, file by file.

``python -m tools.ingest_report FOLDER`` uploads all of it, waits, looks into the index and the buckets, and prints a
table. Its exit status is 1 if anything is not accounted for, or is not what ``--expect FILE`` says.
"""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
sys.path.insert(0, str(ROOT / "layers" / "darkroom"))
