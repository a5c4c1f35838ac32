"""Write every event."""

from __future__ import annotations

import json

from .all import EVENTS

if __name__ == "__main__":
    for folder, events in EVENTS.items():
        folder.mkdir(parents=True, exist_ok=True)
        for name, document in events().items():
            (folder / name).write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
