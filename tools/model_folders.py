"""Folders of models that a release is made of: their table, and links to the files of other models."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

TABLE = "models.toml"
SHIPPED = Path(__file__).resolve().parents[1] / "endpoint" / TABLE


def table_of(models: Path) -> Path:
    """Return the table of the models in ``models``, otherwise the one of the endpoint."""
    own = models / TABLE
    return own if own.is_file() else SHIPPED


def link_files(names: Iterable[str], models: Path, folder: Path) -> None:
    """Replace the files ``names`` of ``folder`` by links to those of ``models``; make the folder. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        link = folder / name
        link.unlink(missing_ok=True)
        link.symlink_to((models / name).resolve())
