"""The files in ``events/``: a real event for each thing that may happen to a function, for `sam local invoke`.

``make events`` writes them. Each module here is a function's: its ``events()`` are by file name.
"""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
sys.path.insert(0, str(ROOT / "layers" / "darkroom"))

FOLDER = ROOT / "events"

LOCAL_KEY = "darkroom-local-development-key"
"""The signing key of every local stack, so that a signed event can be a file."""

type Event = dict[str, object]
