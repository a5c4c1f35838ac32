"""Build layers as `sam build` does, by its makefile method alone."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.build_cache import build_once
from tools.release import layers

from .foreign_python import STANDARD_LIBRARY, run_python
from .stack import ROOT, TEMPLATES, name_template, template

LAYERS = {
    "DarkroomLayer": "darkroom",
    "DialectsLayer": "dialects",
    "AnalysisLayer": "analysis",
    "ImagingLayer": "imaging",
    "PipelineLayer": "pipeline",
    "IngestLayer": "ingest",
    "FontsLayer": "fonts",
    "CredentialsLayer": "credentials",
    "InferenceLayer": "inference",
}

MAX_FUNCTION_BYTES = 262_144_000
"""Lambda's limit for a function with its layers, unzipped."""

CREDENTIALS = {"AWS_REGION": "eu-central-1", "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}


def build(logical_id: str, arch: str, artifacts: Path, source: Path | None = None) -> Path:
    """Build a layer for ``arch`` from ``source``; raises BuildError."""
    folder = source or ROOT / "layers" / LAYERS[logical_id]
    layers.build_layer(logical_id, arch, folder, artifacts)
    return artifacts


@dataclass(frozen=True, slots=True)
class Declared:
    """A function as a template declares it: its folder, and the logical ids of its layers in their order."""

    template: str
    logical_id: str
    code: Path
    layers: Sequence[str]

    def __str__(self) -> str:
        return f"{self.template}:{self.logical_id}"


def list_functions() -> list[Declared]:
    """Every function of every template."""
    return [
        Declared(
            name_template(path),
            logical_id,
            (path.parent / resource["Properties"]["CodeUri"]).resolve(),
            [_name_layer(layer) for layer in resource["Properties"].get("Layers", [])],
        )
        for path in TEMPLATES
        for logical_id, resource in template(path)["Resources"].items()
        if resource["Type"] == "AWS::Serverless::Function"
    ]


def _name_layer(layer: Mapping[str, Any]) -> str:
    """Return the logical id of a layer, also of one with a condition."""
    return str(layer["Ref"] if "Ref" in layer else layer["Fn::If"][1]["Ref"])


def find_layers() -> dict[str, Path]:
    """The folder of every layer of every template, by its logical id."""
    return {
        logical_id: (path.parent / resource["Properties"]["ContentUri"]).resolve()
        for path in TEMPLATES
        for logical_id, resource in template(path)["Resources"].items()
        if resource["Type"] == "AWS::Serverless::LayerVersion"
    }


def build_layer(logical_id: str, arch: str) -> Path:
    """A layer of any template, built once for ``arch``, and again when a file of it changes."""
    source = find_layers()[logical_id]
    parts = [part.resolve() for part in source.iterdir() if part.is_symlink() and part.is_dir()]

    def make(folder: Path) -> None:
        build(logical_id, arch, folder / "layer", source)

    return build_once(ROOT / ".local" / "layers" / f"{logical_id}-{arch}", [source, *parts], make) / "layer"


def content_hash(folder: Path) -> str:
    """A hash of names and contents, as `sam package` names an upload by."""
    digest = hashlib.sha256()
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        digest.update(f"{path.relative_to(folder)}\0{path.stat().st_size}\0".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


def run_alone(code: str, homes: Sequence[str], variables: Mapping[str, str], arch: str, *folders: Path) -> Any:
    """Return the JSON document that ``code`` prints in a process that imports from ``homes`` alone.

    Under emulation it sees ``folders`` outside of this checkout too.
    """
    given = {**variables, **CREDENTIALS, "PYTHONPATH": os.pathsep.join(homes)}
    done = run_python(arch, code, variables=given, folders=folders)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def load_handler(
    homes: Sequence[str], variables: Mapping[str, str], arch: str, further: str = "sys", linked: Sequence[str] = ()
) -> set[str]:
    """Import ``app`` and ``further`` modules from ``homes`` alone, on ``arch``; return the names of all loaded modules.

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
    name, imported = run_alone(code, homes, variables, arch, *map(Path, linked))
    assert name == "handler"
    known = (*homes, *linked, str(Path(json.__file__).parents[1]), STANDARD_LIBRARY)
    assert {module: file for module, file in imported.items() if not file.startswith(known)} == {}
    return set(imported)
