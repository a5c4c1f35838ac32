"""Build layers as `sam build` does, by its makefile method alone."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from pathlib import Path

from .stack import ROOT

LAYERS = {
    "DarkroomLayer": "darkroom",
    "ImagingLayer": "imaging",
    "AwsLayer": "aws",
    "CredentialsLayer": "credentials",
    "FontsLayer": "fonts",
    "InferenceLayer": "inference",
}


def build(logical_id: str, arch: str, artifacts: Path, source: Path | None = None) -> Path:
    """Build a layer for ``arch`` from a copy of ``source``, while the machine around it has bytecode switched off."""
    folder = source or ROOT / "layers" / LAYERS[logical_id]
    scratch = artifacts.with_suffix(".source")
    shutil.copytree(folder, scratch, symlinks=True)
    artifacts.mkdir(parents=True)
    subprocess.run(
        ["make", "--makefile", str(folder / "Makefile"), f"build-{logical_id}"],
        cwd=scratch,
        env=os.environ | {"ARCH": arch, "ARTIFACTS_DIR": str(artifacts), "PYTHONDONTWRITEBYTECODE": "1"},
        check=True,
    )
    return artifacts


def content_hash(folder: Path) -> str:
    """A hash of names and contents, as `sam package` names an upload by."""
    digest = hashlib.sha256()
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        digest.update(f"{path.relative_to(folder)}\0{path.stat().st_size}\0".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()
