"""A custom classifier: an ONNX file that returns an image's main colour.

It is written without the onnx package. Field numbers are those of onnx.proto.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence

FLOAT = 1
COLOURS = ("red", "green", "blue")

SHARPNESS = 8.0
"""Of the answer: with channels of 0–1, a pure colour has a probability near 1 after softmax."""


def colour_classifier(side_px: int) -> bytes:
    """Input ``image`` (n, 3, side_px, side_px) float32, output ``scores`` (n, 3): the mean of each channel."""
    weights = [SHARPNESS if row == column else 0.0 for row in range(3) for column in range(3)]
    nodes = [
        _node("GlobalAveragePool", ["picture"], "pooled"),
        _node("Flatten", ["pooled"], "means"),
        _node("MatMul", ["means", "weights"], "scores"),
    ]
    initializer = b"".join(_number(1, 3) for _ in range(2)) + _number(2, FLOAT) + _text(8, "weights")
    initializer += _field(9, struct.pack("<9f", *weights))
    graph = b"".join(_field(1, node) for node in nodes) + _text(2, "colours") + _field(5, initializer)
    graph += _field(11, _value("picture", ["n", 3, side_px, side_px])) + _field(12, _value("scores", ["n", 3]))
    return _number(1, 8) + _field(7, graph) + _field(8, _text(1, "") + _number(2, 13))


def _node(operator: str, inputs: Sequence[str], output: str) -> bytes:
    return b"".join(_text(1, name) for name in inputs) + _text(2, output) + _text(4, operator)


def _value(name: str, shape: Sequence[int | str]) -> bytes:
    sizes = (_text(2, side) if isinstance(side, str) else _number(1, side) for side in shape)
    dimensions = b"".join(_field(1, size) for size in sizes)
    return _text(1, name) + _field(2, _field(1, _number(1, FLOAT) + _field(2, dimensions)))


def _text(number: int, text: str) -> bytes:
    return _field(number, text.encode())


def _field(number: int, content: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(content)) + content


def _number(number: int, value: int) -> bytes:
    return _varint(number << 3) + _varint(value)


def _varint(value: int) -> bytes:
    head = bytearray()
    while value > 0x7F:
        head.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*head, value])
