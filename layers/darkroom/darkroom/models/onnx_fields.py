"""The encoding of an ONNX file: fields of protocol buffers, read and written without the ``onnx`` package.

Field numbers are those of onnx.proto.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

GRAPH = 7
"""Of a model: the one field that has the layers and the weights."""

_VARINT, _FIXED_64, _BYTES, _FIXED_32 = 0, 1, 2, 5
_FIXED_SIZES = {_FIXED_64: 8, _FIXED_32: 4}


def replaced(message: bytes, number: int, change: Callable[[bytes], bytes]) -> bytes:
    """``message`` with every field ``number`` changed, all of which have a length."""
    return b"".join(
        field(number, change(content)) if found == number else whole for found, whole, content in fields(message)
    )


def fields(message: bytes) -> Iterator[tuple[int, bytes, bytes]]:
    """Each field: its number, all of its bytes, and its content if it has a length; raises ValueError."""
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


def field(number: int, content: bytes) -> bytes:
    """A field whose content has a length, as it is written."""
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
