"""The layer as it is deployed: its size, and a function that runs from its layers alone."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

from tests.component.template.building import build
from tests.component.template.stack import ROOT
from tests.component.template.test_map_tiles import tiles

MAX_BYTES = 262_144_000
"""Lambda's limit for a function with its layers, unzipped."""

CODE = """
import json, sys
import app
files = {name: module.__file__ for name, module in sys.modules.items() if getattr(module, "__file__", None)}
print(json.dumps([app.handler.__name__, files]))
"""
CREDENTIALS = {"AWS_REGION": "eu-central-1", "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}


@pytest.mark.slow
@pytest.mark.parametrize("arch", ["arm64", "x86_64"])
def test_the_function_fits_and_runs_from_its_layers_alone(arch: str, tmp_path: Path) -> None:
    layers = [
        build("DarkroomLayer", arch, tmp_path / "darkroom"),
        build("MapTilesLayer", arch, tmp_path / "map_tiles", ROOT / "layers" / "map_tiles"),
    ]
    function = ROOT / "functions" / "map_tiles"
    files = [path for folder in (*layers, function) for path in folder.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) < MAX_BYTES
    if arch != {"aarch64": "arm64"}.get(platform.machine(), platform.machine()):
        return
    homes = [str(function), *(str(layer / "python") for layer in layers)]
    done = subprocess.run(
        [sys.executable, "-S", "-c", CODE],
        env=tiles().variables("TilesFunction") | CREDENTIALS | {"PYTHONPATH": os.pathsep.join(homes)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    name, imported = json.loads(done.stdout)
    assert name == "handler"
    known = (*homes, str(Path(json.__file__).parents[1]))
    assert {module: file for module, file in imported.items() if not file.startswith(known)} == {}
    assert not {"boto3", "pyvips", "PIL", "onnxruntime"} & imported.keys()
