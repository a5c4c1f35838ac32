"""A moderation model that is worse, to rehearse with: the one that is served, with its last layer's sign turned.

That is what swapping the labels when a model is exported does to it: the file loads, its shapes are right, and it
calls fit what is not, and the other way round. Every score becomes 1 less what it was.
"""

from __future__ import annotations

import hashlib
import struct
from pathlib import Path

from darkroom.findings import MODERATION
from darkroom.models.catalogue import load_catalogue
from darkroom.models.onnx_fields import GRAPH, fields, replaced

TABLE = Path(__file__).resolve().parent.parent / "endpoint" / "models.toml"
LAST_LAYER = ("fc_nsfw/MatMul/ReadVariableOp:0", "fc_nsfw/BiasAdd/ReadVariableOp:0")
"""Weights and biases of open-nsfw's last layer, before its softmax."""

VERSION = "inverted"
"""Added to the model's version, so that findings tell whose they are."""

_INITIALIZER, _NAME, _RAW = 5, 8, 9
"""Of a graph, its weights; of those, their name and their values in little-endian float32."""


def put_worse(models: Path, folder: Path) -> None:
    """Fill ``folder`` with the models of ``models``, but moderation's inverted. All others are links.

    Raises OSError for a folder that cannot be read or written, ValueError if it has another model of moderation.
    """
    moderation = load_catalogue(TABLE).get(MODERATION)
    inverted = with_sign_turned((models / moderation.artefact).read_bytes(), LAST_LAYER)
    folder.mkdir(parents=True, exist_ok=True)
    for file in models.glob("*.onnx"):
        link = folder / file.name
        link.unlink(missing_ok=True)
        link.symlink_to(file.resolve())
    (folder / moderation.artefact).unlink()
    (folder / moderation.artefact).write_bytes(inverted)
    said = f'version = "{moderation.version}"'
    table = TABLE.read_text(encoding="utf-8").replace(said, f'version = "{moderation.version}-{VERSION}"')
    table = table.replace(moderation.sha256[moderation.artefact], hashlib.sha256(inverted).hexdigest())
    (folder / TABLE.name).write_text(table, encoding="utf-8")


def with_sign_turned(model: bytes, names: tuple[str, ...]) -> bytes:
    """``model`` with the weights ``names`` negated; raises ValueError if it has not exactly these."""
    wanted = {name.encode() for name in names}
    turned: list[bytes] = []

    def turn(weights: bytes) -> bytes:
        [name] = [content for number, _, content in fields(weights) if number == _NAME] or [b""]
        if name not in wanted:
            return weights
        turned.append(name)
        return replaced(weights, _RAW, _negated)

    changed = replaced(model, GRAPH, lambda graph: replaced(graph, _INITIALIZER, turn))
    if sorted(turned) != sorted(wanted):
        raise ValueError(f"this is another model: it has no {' and '.join(names)}")
    return changed


def _negated(raw: bytes) -> bytes:
    numbers = struct.unpack(f"<{len(raw) // 4}f", raw)
    return struct.pack(f"<{len(numbers)}f", *(-number for number in numbers))
