"""The layer as it is deployed: its size, and functions that run from their layers alone."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

from local import tool_venvs
from tests.component.template.building import build
from tests.component.template.stack import ROOT
from tests.component.template.test_medical import medical

MAX_BYTES = 262_144_000
"""Lambda's limit for a function with its layers, unzipped."""

CODE = """
import json, sys
import app
import medical.decode, medical.pixels, pydicom.pixels, openjpeg, libjpeg, jpeg_ls
files = {name: module.__file__ for name, module in sys.modules.items() if getattr(module, "__file__", None)}
print(json.dumps([app.handler.__name__, files]))
"""
CREDENTIALS = {"AWS_REGION": "eu-central-1", "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}


@pytest.mark.slow
@pytest.mark.parametrize("arch", ["arm64", "x86_64"])
def test_functions_fit_and_run_from_their_layers_alone(arch: str, tmp_path: Path) -> None:
    layers = [
        build("DarkroomLayer", arch, tmp_path / "darkroom"),
        build("ImagingLayer", arch, tmp_path / "imaging"),
        build("MedicalLayer", arch, tmp_path / "medical", ROOT / "layers" / "medical"),
    ]
    files = [path for folder in layers for path in folder.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) < MAX_BYTES
    assert not list(layers[2].rglob("test_files"))
    if arch != {"aarch64": "arm64"}.get(platform.machine(), platform.machine()):
        return
    runtime = str(tool_venvs.site_packages("runtime"))
    for function, logical_id in (("medical", "MedicalFunction"), ("medical_ingest", "RoutineFunction")):
        homes = [str(ROOT / "functions" / function), *(str(layer / "python") for layer in layers)]
        done = subprocess.run(
            [sys.executable, "-S", "-c", CODE],
            env=medical().variables(logical_id) | CREDENTIALS | {"PYTHONPATH": os.pathsep.join([*homes, runtime])},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        name, imported = json.loads(done.stdout)
        assert name == "handler"
        known = (*homes, runtime, str(Path(json.__file__).parents[1]), str(Path(runtime).resolve().parents[3]))
        assert {one: file for one, file in imported.items() if not file.startswith(known)} == {}
        assert ("boto3" in imported) == (function == "medical_ingest"), "rendering does without boto3"
