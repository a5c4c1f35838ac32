"""Build layers as `sam build` does, by its makefile method alone."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from .stack import ROOT

LAYERS = {
    "DarkroomLayer": "darkroom",
    "ImagingLayer": "imaging",
    "AwsLayer": "aws",
    "CredentialsLayer": "credentials",
    "FontsLayer": "fonts",
    "InferenceLayer": "inference",
}

MAX_FUNCTION_BYTES = 262_144_000
"""Lambda's limit for a function with its layers, unzipped."""

CREDENTIALS = {"AWS_REGION": "eu-central-1", "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}


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


def runs_here(arch: str) -> bool:
    """Whether this machine runs code for ``arch``."""
    return arch == {"aarch64": "arm64"}.get(platform.machine(), platform.machine())


def run_alone(code: str, homes: Sequence[str], variables: Mapping[str, str]) -> Any:
    """Return the JSON document that ``code`` prints in a process that imports from ``homes`` alone."""
    paths = {"PYTHONPATH": os.pathsep.join(homes), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [sys.executable, "-S", "-c", code],
        env={**variables, **CREDENTIALS, **paths},
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def load_handler(
    homes: Sequence[str], variables: Mapping[str, str], further: str = "sys", linked: Sequence[str] = ()
) -> set[str]:
    """Import ``app`` and ``further`` modules from ``homes`` alone; return the names of all loaded modules.

    Fails if there is no handler, or if a module is from elsewhere than ``homes``, the folders that these have links to,
    ``linked``, and Python itself.
    """
    code = f"""
import json, sys
import app
import {further}
files = {{name: module.__file__ for name, module in sys.modules.items() if getattr(module, "__file__", None)}}
print(json.dumps([app.handler.__name__, files]))
"""
    name, imported = run_alone(code, homes, variables)
    assert name == "handler"
    known = (*homes, *linked, str(Path(json.__file__).parents[1]))
    assert {module: file for module, file in imported.items() if not file.startswith(known)} == {}
    return set(imported)
