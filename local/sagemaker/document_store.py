"""JSON documents in a folder, one file each: SageMaker's state of models and endpoints."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


class DocumentStore:
    """Documents by name. Slashes in a name are folders; writes are atomic."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def read(self, name: str) -> dict[str, Any] | None:
        """Return the document ``name``, None if it does not exist."""
        path = self._path(name)
        return dict(json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else None

    def write(self, name: str, document: dict[str, Any]) -> None:
        """Replace the document ``name``."""
        path = self._path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_suffix(".new")
        draft.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
        draft.replace(path)

    def list_folder(self, name: str) -> list[dict[str, Any]]:
        """Return every document of the folder ``name``, sorted by name."""
        paths = sorted((self._folder / name).glob("*.json"))
        return [json.loads(path.read_text(encoding="utf-8")) for path in paths]

    def _path(self, name: str) -> Path:
        return self._folder / f"{name}.json"
