"""Choose what to do with the ICC profile of a master, and rewrite one that is kept: only the numbers that define
colours stay, every text is dropped (ICC.1:2022).

A profile can carry descriptions, copyright notices, device serial numbers, dates and private tags of any content.
"""

from __future__ import annotations

import io
import struct
from enum import Enum

from .icc import identify_profile, parse_tags

_SPACES = {"gray": b"GRAY", "rgb": b"RGB "}
"""A profile's signature by a header's colour."""
_CURVES = {"gray": (b"kTRC",), "rgb": (b"rTRC", b"gTRC", b"bTRC")}
_PRIMARIES: dict[str, tuple[bytes, ...]] = {"gray": (), "rgb": (b"rXYZ", b"gXYZ", b"bXYZ")}
_TABLES = frozenset((b"A2B0", b"A2B1", b"A2B2"))
_PARAMETERS = (1, 3, 4, 5, 7)
"""How many numbers each type of parametric curve has (ICC.1:2022, table 68)."""


class IccAction(Enum):
    """``KEEP``: every viewer understands it. ``DROP``: none does. ``APPLY``: some do, so the pixels become sRGB."""

    KEEP = "keep"
    DROP = "drop"
    APPLY = "apply"


def choose_icc_action(profile: bytes, colour: str) -> IccAction:
    """Choose what to do with ``profile`` in an image of ``colour``, a header's ``gray`` or ``rgb``.

    Kept are matrices and curves, as Display P3, Adobe RGB and ProPhoto have them. Tables differ between viewers: some
    read them, some read the curves beside them, some neither. No viewer applies a profile for other channels, or one
    that cannot be read: without it, the image looks the same.
    """
    if profile[16:20] != _SPACES[colour]:
        return IccAction.DROP
    if _is_simple(profile, colour):
        return IccAction.KEEP
    return IccAction.APPLY if _is_readable(profile, colour) else IccAction.DROP


def _is_simple(profile: bytes, colour: str) -> bool:
    """Return whether it is a matrix and curves that are all there, and no table."""
    try:
        tags = parse_tags(profile)
        curves = all(_is_curve(tags[name]) for name in _CURVES[colour])
        primaries = all(tags[name][:4] == b"XYZ " and len(tags[name]) >= 20 for name in _PRIMARIES[colour])
    except (LookupError, struct.error):
        return False
    return profile[36:40] == b"acsp" and curves and primaries and not _TABLES & tags.keys()


def _is_curve(element: bytes) -> bool:
    """Return whether a ``curv`` or ``para`` element has all its numbers (ICC.1:2022, 10.6 and 10.18)."""
    (count,) = struct.unpack_from(">I", element, 8)
    if element[:4] == b"para":
        return count >> 16 < len(_PARAMETERS) and len(element) >= 12 + 4 * _PARAMETERS[count >> 16]
    return element[:4] == b"curv" and len(element) >= 12 + 2 * count


def _is_readable(profile: bytes, colour: str) -> bool:
    """Return whether LittleCMS, which libvips uses, can convert by it: libvips would ignore it without an error."""
    from PIL import ImageCms  # 30 ms, for odd profiles only

    mode = "L" if colour == "gray" else "RGB"
    try:
        opened = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        ImageCms.buildTransform(opened, ImageCms.createProfile("sRGB"), mode, "RGB")
    except (OSError, ValueError, ImageCms.PyCMSError):
        return False
    return True


MAX_PROFILE_BYTES = 4 * 1024 * 1024
"""Three curves of 65,535 numbers each are 400 KB."""

_HEADER_BYTES = 128
_NUMBERS = ((0, 4), (8, 24), (36, 40), (44, 48), (64, 80))
"""Header fields that stay, as ranges of bytes: size, version, class and colour spaces, signature, flags, rendering
intent and illuminant (7.2). Module, date, platform, manufacturer, model, attributes, creator and profile ID go."""
_COORDINATES = dict.fromkeys((b"wtpt", b"bkpt", b"rXYZ", b"gXYZ", b"bXYZ"), (b"XYZ ", 20))
_NUMBER_TAGS = {**_COORDINATES, b"chad": (b"sf32", 44), b"cicp": (b"cicp", 12)}
"""Type and length in bytes of the elements that stay besides the curves."""
_CURVE_TAGS = (b"rTRC", b"gTRC", b"bTRC", b"kTRC")


def rewrite_profile(profile: bytes) -> bytes:
    """Return ``profile`` with the same matrix and curves, and nothing else that was in it.

    Raises ValueError where it is more than that, or cannot be read: colours would change, or text would stay.
    """
    colour = "gray" if profile[16:20] == b"GRAY" else "rgb"
    if len(profile) > MAX_PROFILE_BYTES or choose_icc_action(profile, colour) is not IccAction.KEEP:
        raise ValueError("not a profile of a matrix and curves")
    tags = parse_tags(profile)
    kept = {name: _keep_numbers(name, tags[name]) for name in tags if name in _NUMBER_TAGS or name in _CURVE_TAGS}
    version = profile[8]
    rights = _localised("") if version >= 4 else b"text" + bytes(4) + b"\0"
    texts = {b"desc": _description(identify_profile(profile), version), b"cprt": rights}
    return _build_profile(profile, texts | {name: element for name, element in kept.items() if element})


def _keep_numbers(name: bytes, element: bytes) -> bytes:
    """The part of an element that defines colours, without what lies behind it; empty if it is of another type."""
    if name in _CURVE_TAGS:
        return element[:4] + bytes(4) + element[8 : _curve_bytes(element)]
    kind, length = _NUMBER_TAGS[name]
    if element[:4] != kind or len(element) < length:
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
