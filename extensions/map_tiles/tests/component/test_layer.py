"""The layer as it is deployed: its size, and a function that runs from its layers alone."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.component.template.binaries import MACHINES, find_faults
from tests.component.template.building import MAX_FUNCTION_BYTES, build, build_layer, load_handler

from .test_template import tiles

FOLDER = Path(__file__).parents[2]


@pytest.mark.slow
@pytest.mark.parametrize("arch", MACHINES)
def test_the_function_fits_and_runs_from_its_layers_alone(arch: str, tmp_path: Path) -> None:
    layers = [
        build("DarkroomLayer", arch, tmp_path / "darkroom"),
        build("MapTilesLayer", arch, tmp_path / "map_tiles", FOLDER / "src"),
    ]
    function = FOLDER / "functions" / "map_tiles"
    files = [path for folder in (*layers, function) for path in folder.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) < MAX_FUNCTION_BYTES
    homes = [str(function), *(str(layer / "python") for layer in layers)]
    imported = load_handler(homes, tiles().variables("TilesFunction"), arch)
    assert not {"boto3", "pyvips", "PIL", "onnxruntime"} & imported


@pytest.mark.slow
@pytest.mark.parametrize("arch", MACHINES)
def test_a_library_that_lambda_lacks_is_named(arch: str, tmp_path: Path) -> None:
    """GDAL's Expat is in images for manylinux and on every desktop, and not in Lambda."""
    layer = shutil.copytree(build_layer("MapTilesLayer", arch), tmp_path / "layer")
    [library] = layer.rglob("libexpat.so.1")
    library.unlink()
    [fault] = find_faults([layer], arch)
    assert "libgdal" in fault
    assert fault.endswith("needs libexpat.so.1, which neither the layers nor AWS's base image have")
