"""Rewrite an ONNX model so that one input and all outputs accept any size, and its weights are constants.

``python cli/models/dynamic_axes.py MODEL INPUT OUT``. CenterFace was exported for a batch of 10 and 32 × 32 px,
though none of its layers depends on either, and onnxruntime refuses other sizes. Its file lists the weights among the
inputs, as files of IR version 3 had to: a caller could replace them, so onnxruntime does not prepare them at load, and
a run takes twice the CPU time. The layer's build links to this file.
"""

from __future__ import annotations

import sys
from pathlib import Path

import onnx


def with_dynamic_axes(model: bytes, name: str) -> bytes:
    """Return ``model`` without the sizes of its input ``name`` and of its outputs; their number of axes stays.

    No weight is an input afterwards.
    """
    loaded = onnx.load_model_from_string(model)
    weights = {one.name for one in loaded.graph.initializer}
    remaining = [value for value in loaded.graph.input if value.name not in weights]
    del loaded.graph.input[:]
    loaded.graph.input.extend(remaining)
    inputs = [value for value in loaded.graph.input if value.name == name]
    for value in (*inputs, *loaded.graph.output):
        for dimension in value.type.tensor_type.shape.dim:
            dimension.Clear()
    rewritten: bytes = loaded.SerializeToString(deterministic=True)
    return rewritten


if __name__ == "__main__":
    source, name, target = sys.argv[1:]
    Path(target).write_bytes(with_dynamic_axes(Path(source).read_bytes(), name))
