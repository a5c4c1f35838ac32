"""The layer as it is deployed: its size, and functions that run from their layers alone."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from extensions import find_extension
from tests.component.template.building import MAX_FUNCTION_BYTES, build_layer, load_handler
from tests.component.template.foreign_python import run_python

from .test_template import evidence

MAX_LAYER_BYTES = 70 * 1024 * 1024

CODE = """
import io
from PIL import Image
from evidence.process import AnalysisProcess
target = io.BytesIO()
Image.effect_noise((320, 320), 40).convert("RGB").save(target, "JPEG", quality=80)
found = AnalysisProcess(600).analyse(target.getvalue(), {})
print(found["quantisation_tables"]["value"]["libjpeg_quality"], found["double_compression"]["state"])
"""


def size_of(*layers: Path) -> int:
    return sum(path.stat().st_size for layer in layers for path in layer.rglob("*") if path.is_file())


@pytest.mark.slow
@pytest.mark.parametrize("arch", ["arm64", "x86_64"])
def test_the_layer_analyses_an_image_in_a_process_of_its_own(arch: str) -> None:
    layers = {}
    for function, logical_id in (("custody", "CustodyFunction"), ("evidence", "EvidenceFunction")):
        references = evidence().properties(logical_id)["Layers"]
        names = [re.sub("[0-9a-f]{10}>$", "", name.removeprefix("<")) for name in references]
        layers = {name: build_layer(name, arch) for name in names}
        code = find_extension("evidence").folder / "functions" / function
        homes = [str(code), *(str(layer / "python") for layer in layers.values())]
        load_handler(homes, evidence().variables(logical_id), arch)
    assert list(layers) == ["DarkroomLayer", "ImagingLayer", "PipelineLayer", "EvidenceLayer"]
    assert size_of(layers["EvidenceLayer"]) < MAX_LAYER_BYTES
    assert size_of(*layers.values()) < MAX_FUNCTION_BYTES
    path = os.pathsep.join(str(layer / "python") for layer in layers.values())
    done = run_python(arch, CODE, variables={"PYTHONPATH": path})
    assert (done.stdout, done.stderr) == ("[80, 80] measured\n", "")
