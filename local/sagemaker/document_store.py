"""JSON documents in a folder, a file each: what SageMaker would remember of models and endpoints."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


class DocumentStore:
    """Documents by name. A name has slashes where folders are to be; no reader sees half of a document."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def read(self, name: str) -> dict[str, Any] | None:
        """The document ``name``; None if there is none."""
        path = self._path(name)
        return dict(json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else None

    def write(self, name: str, document: dict[str, Any]) -> None:
        """Put ``document`` in the place of the one before."""
        path = self._path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_suffix(".new")
        draft.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
        draft.replace(path)

    def below(self, name: str) -> list[dict[str, Any]]:
        """Every document of the folder ``name``, in the order of their names."""
        paths = sorted((self._folder / name).glob("*.json"))
        return [json.loads(path.read_text(encoding="utf-8")) for path in paths]

    def _path(self, name: str) -> Path:
        return self._folder / f"{name}.json"
