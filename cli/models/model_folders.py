"""Folders of models that a release is made of: their table, and links to the files of other models."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from pathlib import Path

from darkroom_analysis.models.catalogue import load_catalogue

TABLE = "models.toml"
SHIPPED = Path(__file__).resolve().parents[2] / "endpoint" / TABLE


def table_of(models: Path) -> Path:
    """Return the table of the models in ``models``, otherwise the one of the endpoint."""
    own = models / TABLE
    return own if own.is_file() else SHIPPED


def link_files(names: Iterable[str], models: Path, folder: Path) -> None:
    """Replace the files ``names`` of ``folder`` by links to those of ``models``; make the folder. Raises OSError.

    Where both are one folder, or a file is linked already, it is kept.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        link, target = folder / name, (models / name).resolve()
        if link.exists() and link.resolve() == target:
            continue
        link.unlink(missing_ok=True)
        link.symlink_to(target)


def add_model(addition: Path, fetch: Callable[[str], bytes], models: Path, folder: Path) -> str:
    """Write links to the files of ``models`` and the model of the table ``addition`` into ``folder``.

    ``fetch`` returns the model's file with a SHA-256; a file that ``folder`` has is kept. Returns the version of the
    model. Raises what ``fetch`` raises, and OSError.
    """
    [model] = load_catalogue(addition).models.values()
    folder.mkdir(parents=True, exist_ok=True)
    file, sha256 = folder / model.artefact, model.sha256[model.artefact]
    if not file.is_file() or hashlib.sha256(file.read_bytes()).hexdigest() != sha256:
        file.unlink(missing_ok=True)
        file.write_bytes(fetch(sha256))
    others = load_catalogue(table_of(models)).models
    link_files({name for one in others.values() for name in one.files} - {model.artefact}, models, folder)
    text = table_of(models).read_text(encoding="utf-8")
    if model.task not in others:
        text += "\n" + addition.read_text(encoding="utf-8")
    (folder / TABLE).write_text(text, encoding="utf-8")
    return model.version
