"""The layer as it is deployed: its size, and a function that runs from its layers alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.component.template.building import MAX_FUNCTION_BYTES, build, load_handler
from tests.component.template.stack import ROOT
from tests.component.template.test_map_tiles import tiles


@pytest.mark.slow
@pytest.mark.parametrize("arch", ["arm64", "x86_64"])
def test_the_function_fits_and_runs_from_its_layers_alone(arch: str, tmp_path: Path) -> None:
    layers = [
        build("DarkroomLayer", arch, tmp_path / "darkroom"),
        build("MapTilesLayer", arch, tmp_path / "map_tiles", ROOT / "layers" / "map_tiles"),
    ]
    function = ROOT / "functions" / "map_tiles"
    files = [path for folder in (*layers, function) for path in folder.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) < MAX_FUNCTION_BYTES
    homes = [str(function), *(str(layer / "python") for layer in layers)]
    imported = load_handler(homes, tiles().variables("TilesFunction"), arch)
    assert not {"boto3", "pyvips", "PIL", "onnxruntime"} & imported
