"""Rewrite ICC profiles: keep the numbers that define colours, and drop every text (ICC.1:2022).

A profile can carry descriptions, copyright notices, device serial numbers, dates and private tags of any content.
"""

from __future__ import annotations

import struct

from .icc import identify_profile, parse_tags
from .icc_action import IccAction, choose_icc_action

MAX_PROFILE_BYTES = 4 * 1024 * 1024
"""Three curves of 65,535 numbers each are 400 KB."""

_HEADER_BYTES = 128
_NUMBERS = ((0, 4), (8, 24), (36, 40), (44, 48), (64, 80))
"""Header fields that stay, as ranges of bytes: size, version, class and colour spaces, signature, flags, rendering
intent and illuminant (7.2). Module, date, platform, manufacturer, model, attributes, creator and profile ID go."""
_XYZ_BYTES, _CHAD_BYTES, _CICP_BYTES = 20, 44, 12
_LENGTHS = {
    b"wtpt": _XYZ_BYTES,
    b"bkpt": _XYZ_BYTES,
    b"rXYZ": _XYZ_BYTES,
    b"gXYZ": _XYZ_BYTES,
    b"bXYZ": _XYZ_BYTES,
    b"chad": _CHAD_BYTES,
    b"cicp": _CICP_BYTES,
}
_TYPES = {b"wtpt": b"XYZ ", b"bkpt": b"XYZ ", b"chad": b"sf32", b"cicp": b"cicp"}
_CURVES = (b"rTRC", b"gTRC", b"bTRC", b"kTRC")
_PARAMETERS = (1, 3, 4, 5, 7)
"""How many numbers each type of parametric curve has (table 68)."""


def rewrite_profile(profile: bytes) -> bytes:
    """Return ``profile`` with the same matrix and curves, and nothing else that was in it.

    Raises ValueError where it is more than that, or cannot be read: colours would change, or text would stay.
    """
    colour = "gray" if profile[16:20] == b"GRAY" else "rgb"
    if len(profile) > MAX_PROFILE_BYTES or choose_icc_action(profile, colour) is not IccAction.KEEP:
        raise ValueError("not a profile of a matrix and curves")
    tags = parse_tags(profile)
    kept = {name: _keep_numbers(name, element) for name, element in tags.items() if name in _LENGTHS or name in _CURVES}
    version = profile[8]
    texts = {b"desc": _description(identify_profile(profile), version), b"cprt": _copyright(version)}
    return _build_profile(profile, texts | {name: element for name, element in kept.items() if element})


def _keep_numbers(name: bytes, element: bytes) -> bytes:
    """The part of an element that defines colours, without what lies behind it; empty if it is of another type."""
    if name in _CURVES:
        return element[:4] + bytes(4) + element[8 : _curve_bytes(element)]
    length = _LENGTHS[name]
    if element[:4] != _TYPES.get(name, b"XYZ ") or len(element) < length:
        return b""
    return element[:4] + bytes(4) + element[8:length]


def _curve_bytes(element: bytes) -> int:
    (count,) = struct.unpack_from(">I", element, 8)
    return 12 + (4 * _PARAMETERS[count >> 16] if element[:4] == b"para" else 2 * count)


def _description(name: str, version: int) -> bytes:
    """A profile description, which every profile must have: ``desc`` before version 4 (ICC.1:2001), then ``mluc``."""
    if version >= 4:
        return _localised(name)
    text = name.encode("ascii") + b"\0"
    return b"desc" + bytes(4) + len(text).to_bytes(4) + text + bytes(4 + 4 + 2 + 1 + 67)


def _copyright(version: int) -> bytes:
    return _localised("") if version >= 4 else b"text" + bytes(4) + b"\0"


def _localised(text: str) -> bytes:
    body = text.encode("utf-16-be")
    return b"mluc" + bytes(4) + (1).to_bytes(4) + (12).to_bytes(4) + b"enUS" + struct.pack(">II", len(body), 28) + body


def _build_profile(profile: bytes, elements: dict[bytes, bytes]) -> bytes:
    """A profile of ``elements``; equal ones, as the three curves often are, are stored once."""
    at = _HEADER_BYTES + 4 + 12 * len(elements)
    places: dict[bytes, int] = {}
    body = b""
    for element in elements.values():
        if element not in places:
            places[element] = at + len(body)
            body += element + bytes(-len(element) % 4)
    table = b"".join(struct.pack(">4sII", name, places[element], len(element)) for name, element in elements.items())
    header = bytearray(_HEADER_BYTES)
    for start, end in _NUMBERS:
        header[start:end] = profile[start:end]
    header[:4] = (at + len(body)).to_bytes(4)
    return bytes(header) + len(elements).to_bytes(4) + table + body
