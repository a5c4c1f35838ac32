"""The layer as it is deployed: its size, and functions that run from their layers alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from local import tool_venvs
from tests.component.template.building import MAX_FUNCTION_BYTES, build, load_handler
from tests.component.template.stack import ROOT

from .test_template import medical

CODECS = "medical.decode, medical.pixels, pydicom.pixels, openjpeg, libjpeg, jpeg_ls"


@pytest.mark.slow
@pytest.mark.parametrize("arch", ["arm64", "x86_64"])
def test_functions_fit_and_run_from_their_layers_alone(arch: str, tmp_path: Path) -> None:
    layers = [
        build("DarkroomLayer", arch, tmp_path / "darkroom"),
        build("PipelineLayer", arch, tmp_path / "pipeline"),
        build("ImagingLayer", arch, tmp_path / "imaging"),
        build("MedicalLayer", arch, tmp_path / "medical", ROOT / "extensions" / "medical" / "src"),
    ]
    files = [path for folder in layers for path in folder.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) < MAX_FUNCTION_BYTES
    assert not list(layers[3].rglob("test_files"))
    runtime = str(tool_venvs.site_packages("runtime"))
    for function, logical_id in (("medical", "MedicalFunction"), ("medical_ingest", "RoutineFunction")):
        homes = [
            str(ROOT / "extensions" / "medical" / "functions" / function),
            *(str(layer / "python") for layer in layers),
            runtime,
        ]
        linked = str(Path(runtime).resolve().parents[3])
        imported = load_handler(homes, medical().variables(logical_id), arch, CODECS, (linked,))
        assert ("boto3" in imported) == (function == "medical_ingest"), "rendering does without boto3"
