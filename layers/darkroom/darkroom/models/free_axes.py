"""An ONNX model whose input and outputs have fixed sizes, made to take any.

CenterFace was exported for a batch of 10 and 32 × 32 px, though none of its layers depends on either. onnxruntime
refuses what differs, and the ``onnx`` package, which could rewrite the model, is too large for a Lambda layer. So the
numbers are left out here, in the file's own encoding (protocol buffers; field numbers are those of onnx.proto).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

_GRAPH, _INPUT, _OUTPUT = 7, 11, 12
_NAME = 1
_DIMENSIONS = (2, 1, 2)
"""From a value's description to its list of dimensions: type, tensor_type, shape."""

_DIMENSION = 1
_VARINT, _FIXED_64, _BYTES, _FIXED_32 = 0, 1, 2, 5
_FIXED_SIZES = {_FIXED_64: 8, _FIXED_32: 4}


def with_free_axes(model: bytes, name: str) -> bytes:
    """``model`` without the sizes of its input ``name`` and of all its outputs; raises ValueError if it is no model.

    Older files list their weights as inputs too; those keep their shapes.
    """
    return _replaced(model, _GRAPH, lambda graph: _freed(graph, name.encode()))


def _freed(graph: bytes, name: bytes) -> bytes:
    written = bytearray()
    for number, whole, content in _fields(graph):
        if number == _OUTPUT or (number == _INPUT and _named(content, name)):
            written += _field(number, _without_sizes(content, _DIMENSIONS))
        else:
            written += whole
    return bytes(written)


def _named(value: bytes, name: bytes) -> bool:
    return any(number == _NAME and content == name for number, _, content in _fields(value))


def _without_sizes(message: bytes, path: Sequence[int]) -> bytes:
    if not path:
        return _replaced(message, _DIMENSION, lambda _: b"")
    return _replaced(message, path[0], lambda inner: _without_sizes(inner, path[1:]))


def _replaced(message: bytes, number: int, change: Callable[[bytes], bytes]) -> bytes:
    """``message`` with every field ``number`` changed."""
    return b"".join(
        _field(number, change(content)) if found == number else whole for found, whole, content in _fields(message)
    )


def _fields(message: bytes) -> Iterator[tuple[int, bytes, bytes]]:
    """Each field: its number, all of its bytes, and its content if it has a length."""
    at = 0
    while at < len(message):
        tag, start = _read_varint(message, at)
        number, wire = tag >> 3, tag & 7
        if wire == _VARINT:
            _, end = _read_varint(message, start)
        elif wire == _BYTES:
            length, start = _read_varint(message, start)
            end = start + length
        elif wire in _FIXED_SIZES:
            end = start + _FIXED_SIZES[wire]
        else:
            raise ValueError(f"this is no ONNX model: wire type {wire} at byte {at}")
        if end > len(message):
            raise ValueError("this is no ONNX model: it ends within a field")
        yield number, message[at:end], message[start:end]
        at = end


def _field(number: int, content: bytes) -> bytes:
    return _varint(number << 3 | _BYTES) + _varint(len(content)) + content


def _read_varint(message: bytes, at: int) -> tuple[int, int]:
    """A number, 7 bits a byte and the lowest first, and where it ends."""
    value = shift = 0
    while at < len(message):
        byte = message[at]
        value |= (byte & 0x7F) << shift
        at += 1
        if byte < 0x80:
            return value, at
        shift += 7
    raise ValueError("this is no ONNX model: it ends within a number")


def _varint(value: int) -> bytes:
    written = bytearray()
    while value > 0x7F:
        written.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*written, value])
