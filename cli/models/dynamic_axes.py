"""Rewrite an ONNX model so that one input and all outputs accept any size.

``python cli/models/dynamic_axes.py MODEL INPUT OUT``. CenterFace was exported for a batch of 10 and 32 × 32 px,
though none of its layers depends on either, and onnxruntime refuses other sizes. The layer's build links to this file.
"""

from __future__ import annotations

import sys
from pathlib import Path

import onnx


def with_dynamic_axes(model: bytes, name: str) -> bytes:
    """Return ``model`` without the sizes of its input ``name`` and of its outputs; their number of axes stays.

    Older files list their weights as inputs too; those keep their shapes.
    """
    loaded = onnx.load_model_from_string(model)
    inputs = [value for value in loaded.graph.input if value.name == name]
    for value in (*inputs, *loaded.graph.output):
        for dimension in value.type.tensor_type.shape.dim:
            dimension.Clear()
    rewritten: bytes = loaded.SerializeToString(deterministic=True)
    return rewritten


if __name__ == "__main__":
    source, name, target = sys.argv[1:]
    Path(target).write_bytes(with_dynamic_axes(Path(source).read_bytes(), name))
