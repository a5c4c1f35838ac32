"""Folders to which a model is added."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from cli.models.cutout_model import CUTOUT_TABLE
from cli.models.model_folders import SHIPPED, add_model, table_of
from darkroom_analysis.models.catalogue import load_catalogue

WEIGHTS = b"weights"


@pytest.fixture
def addition(tmp_path: Path) -> Path:
    """The table of the cut-out model, with the digest of other weights."""
    text = CUTOUT_TABLE.read_text(encoding="utf-8")
    [own] = {word for word in text.replace('"', " ").split() if len(word) == 64}
    table = tmp_path / "addition.toml"
    table.write_text(text.replace(own, hashlib.sha256(WEIGHTS).hexdigest()), encoding="utf-8")
    return table


def make_models(folder: Path) -> dict[str, bytes]:
    """Write files with the names of the shipped models into ``folder``."""
    folder.mkdir()
    files = {name: name.encode() for model in load_catalogue(SHIPPED).models.values() for name in model.files}
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return files


def read_others(folder: Path, files: dict[str, bytes]) -> dict[str, bytes]:
    return {name: (folder / name).read_bytes() for name in files}


def test_a_model_is_added_to_the_folder_of_the_others(tmp_path: Path, addition: Path) -> None:
    folder = tmp_path / "models"
    files = make_models(folder)
    for _ in range(2):
        add_model(addition, lambda _: WEIGHTS, folder, folder)
        assert read_others(folder, files) == files
        assert not any((folder / name).is_symlink() for name in files)
    assert table_of(folder) == folder / "models.toml"


def test_another_folder_has_links(tmp_path: Path, addition: Path) -> None:
    models, folder = tmp_path / "models", tmp_path / "release"
    files = make_models(models)
    for _ in range(2):
        add_model(addition, lambda _: WEIGHTS, models, folder)
        assert read_others(folder, files) == files
        assert all((folder / name).is_symlink() for name in files)
    add_model(addition, lambda _: WEIGHTS, folder, models)
    assert read_others(models, files) == files, "links back to the models replace no model"
