"""Sample events of every function, for ``./darkroom invoke`` and ``sam local invoke``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent.parent / "events"
"""Of those in ``functions/``; each extension has such a folder too."""

LOCAL_KEY = "darkroom-local-development-key"
"""Signing key of every local stack, which allows signed events in files."""

type Event = dict[str, Any]


def read_events(function: str, folder: Path = FOLDER) -> dict[str, Event]:
    """Return the events of ``function`` by file name."""
    paths = sorted((folder / function).glob("*.json"))
    return {path.name: json.loads(path.read_text(encoding="utf-8")) for path in paths}
