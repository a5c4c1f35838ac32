"""The layer as it is deployed: its size, and the function that runs from its layers alone."""

from __future__ import annotations

import re

import pytest

from extensions import find_extension
from tests.component.template.building import build_layer, load_handler

from .test_template import documents

MAX_BYTES = 9_000_000


@pytest.mark.slow
@pytest.mark.parametrize("arch", ["arm64", "x86_64"])
def test_the_layer_has_the_library_and_the_package_alone(arch: str) -> None:
    folder = build_layer("DocumentsLayer", arch) / "python"
    assert (folder / "pypdfium2_raw" / "libpdfium.so").exists()
    assert (folder / "document_pages" / "pdf_worker.py").exists()
    assert not (folder / "pypdfium2_cli").exists()
    assert sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) < MAX_BYTES


@pytest.mark.slow
@pytest.mark.parametrize("arch", ["arm64", "x86_64"])
def test_the_function_runs_from_its_layers_alone(arch: str) -> None:
    stack = documents()
    references = stack.properties("DocumentsFunction")["Layers"]
    names = [re.sub("[0-9a-f]{10}>$", "", name.removeprefix("<")) for name in references]
    assert names == ["DarkroomLayer", "ImagingLayer", "PipelineLayer", "DocumentsLayer"]
    code = find_extension("document_pages").folder / "functions" / "documents"
    homes = [str(code), *(str(build_layer(name, arch) / "python") for name in names)]
    load_handler(homes, stack.variables("DocumentsFunction"), arch, "document_pages.pdf_worker")
