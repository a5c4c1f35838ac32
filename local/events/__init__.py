"""Sample events of every function for `sam local invoke`, written into ``events/`` by ``make events``.

Each module is for one function: its ``events()`` are by file name.
"""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
sys.path.insert(0, str(ROOT / "layers" / "darkroom"))

FOLDER = ROOT / "events"

LOCAL_KEY = "darkroom-local-development-key"
"""Signing key of every local stack, which allows signed events in files."""

type Event = dict[str, object]
