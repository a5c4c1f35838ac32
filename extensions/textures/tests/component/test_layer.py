"""The layer as it is deployed: a program for each processor, and the function's code beside it."""

from __future__ import annotations

import os
import re
import shutil

import pytest

from tests.component.template.binaries import find_faults
from tests.component.template.building import build_layer
from tests.component.template.foreign_python import run_python

from .test_template import textures

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("npm") is None, reason="npm is not installed"),
]


@pytest.mark.parametrize("arch", ["arm64", "x86_64"])
def test_the_layer_has_a_program_that_lambda_can_run(arch: str) -> None:
    layer = build_layer("TexturesLayer", arch)
    folder = layer / "textures"
    assert sorted(path.name for path in folder.iterdir()) == ["LICENSE", "basisu"]
    assert "Apache License" in (folder / "LICENSE").read_text()
    program = folder / "basisu"
    assert program.stat().st_mode & 0o111
    assert program.stat().st_size < 3_000_000
    layers = textures().properties("TexturesFunction")["Layers"]
    names = [re.sub("[0-9a-f]{10}>$", "", name.removeprefix("<")) for name in layers]
    assert names == ["DarkroomLayer", "ImagingLayer", "FontsLayer", "TexturesLayer"]


@pytest.mark.parametrize("arch", ["arm64", "x86_64"])
def test_the_package_is_imported_from_the_layers(arch: str) -> None:
    layers = [build_layer(name, arch) for name in ("DarkroomLayer", "ImagingLayer", "TexturesLayer")]
    code = "import textures.service, textures.converter; print(textures.__file__.endswith('.py'))"
    path = os.pathsep.join(str(layer / "python") for layer in layers)
    done = run_python(arch, code, variables={"PYTHONPATH": path})
    assert (done.stdout, done.stderr) == ("True\n", "")


def test_a_binary_of_the_other_processor_is_named() -> None:
    [fault] = find_faults([build_layer("TexturesLayer", "arm64")], "x86_64")
    assert fault == "/opt/textures/basisu is for EM_AARCH64"
