"""The layer as it is deployed: its size, and the function that runs from its layers alone."""

from __future__ import annotations

import re

import pytest

from extensions import find_extension
from tests.component.template.building import build_layer, load_handler, run_alone

from .test_template import review

MAX_BYTES = 162 * 1024 * 1024
"""Of all layers of the function."""

CODE = """
import json
import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
print(json.dumps(jwt.decode(jwt.encode({"sub": "ada"}, key, "RS256"), key.public_key(), ["RS256"])))
"""


@pytest.mark.slow
@pytest.mark.parametrize("arch", ["arm64", "x86_64"])
def test_the_function_runs_from_its_layers_alone(arch: str) -> None:
    """The token is signed and verified by the packages of the layer."""
    stack = review()
    references = stack.properties("ReviewFunction")["Layers"]
    names = [re.sub("[0-9a-f]{10}>$", "", name.removeprefix("<")) for name in references]
    assert names == ["DarkroomLayer", "PipelineLayer", "ImagingLayer", "ReviewLayer"]
    layers = [build_layer(name, arch) for name in names]
    code = find_extension("review_app").folder / "functions" / "review"
    homes = [str(code), *(str(layer / "python") for layer in layers)]
    assert run_alone(CODE, homes, stack.variables("ReviewFunction"), arch) == {"sub": "ada"}
    further = "jwt, cryptography.hazmat.primitives.asymmetric.rsa"
    load_handler(homes, stack.variables("ReviewFunction"), arch, further)
    files = [path for layer in layers for path in layer.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) < MAX_BYTES
