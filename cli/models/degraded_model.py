"""Make a degraded moderation model for game days: the one in use with the sign of its last layer inverted.

Swapping the labels during an export has the same effect: the file loads, its shapes are right, and every score becomes
1 minus its value.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import onnx

from cli.models.model_folders import SHIPPED, TABLE, link_files
from darkroom.findings import MODERATION
from darkroom_analysis.models.catalogue import load_catalogue

LAST_LAYER = ("fc_nsfw/MatMul/ReadVariableOp:0", "fc_nsfw/BiasAdd/ReadVariableOp:0")
"""Weights and biases of open-nsfw's last layer, before its softmax."""

VERSION = "inverted"
"""Suffix of the model's version in findings."""


def write_degraded_models(models: Path, folder: Path) -> None:
    """Write the models of ``models`` into ``folder``, with moderation inverted; the others are links.

    Raises OSError for a folder that cannot be read or written, ValueError for an unknown moderation model.
    """
    moderation = load_catalogue(SHIPPED).get(MODERATION)
    inverted = negate_weights((models / moderation.artefact).read_bytes(), LAST_LAYER)
    link_files((file.name for file in models.glob("*.onnx")), models, folder)
    (folder / moderation.artefact).unlink()
    (folder / moderation.artefact).write_bytes(inverted)
    said = f'version = "{moderation.version}"'
    table = SHIPPED.read_text(encoding="utf-8").replace(said, f'version = "{moderation.version}-{VERSION}"')
    table = table.replace(moderation.sha256[moderation.artefact], hashlib.sha256(inverted).hexdigest())
    (folder / TABLE).write_text(table, encoding="utf-8")


def negate_weights(model: bytes, names: tuple[str, ...]) -> bytes:
    """Return ``model`` with the weights ``names`` negated. Raises ValueError if one of them is missing."""
    loaded = onnx.load_model_from_string(model)
    weights = {one.name: one for one in loaded.graph.initializer if one.name in names}
    if weights.keys() != set(names):
        raise ValueError(f"unknown model: it has no {' and '.join(names)}")
    for one in weights.values():
        one.raw_data = (-np.frombuffer(one.raw_data, "<f4")).tobytes()
    rewritten: bytes = loaded.SerializeToString(deterministic=True)
    return rewritten
