"""An ONNX model whose input and outputs have fixed sizes, made to take any.

CenterFace was exported for a batch of 10 and 32 × 32 px, though none of its layers depends on either. onnxruntime
refuses what differs, and the ``onnx`` package, which could rewrite the model, is too large for a Lambda layer. So the
numbers are left out here, in the file's own encoding.
"""

from __future__ import annotations

from collections.abc import Sequence

from .onnx_fields import GRAPH, field, fields, replaced

_INPUT, _OUTPUT = 11, 12
_NAME = 1
_DIMENSIONS = (2, 1, 2)
"""From a value's description to its list of dimensions: type, tensor_type, shape."""

_DIMENSION = 1


def with_free_axes(model: bytes, name: str) -> bytes:
    """``model`` without the sizes of its input ``name`` and of all its outputs; raises ValueError if it is no model.

    Older files list their weights as inputs too; those keep their shapes.
    """
    return replaced(model, GRAPH, lambda graph: _freed(graph, name.encode()))


def _freed(graph: bytes, name: bytes) -> bytes:
    written = bytearray()
    for number, whole, content in fields(graph):
        if number == _OUTPUT or (number == _INPUT and _named(content, name)):
            written += field(number, _without_sizes(content, _DIMENSIONS))
        else:
            written += whole
    return bytes(written)


def _named(value: bytes, name: bytes) -> bool:
    return any(number == _NAME and content == name for number, _, content in fields(value))


def _without_sizes(message: bytes, path: Sequence[int]) -> bytes:
    if not path:
        return replaced(message, _DIMENSION, lambda _: b"")
    return replaced(message, path[0], lambda inner: _without_sizes(inner, path[1:]))
