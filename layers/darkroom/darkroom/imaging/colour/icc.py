"""ICC profiles: is one sRGB, what to do with that of a master, and rewriting one that is kept (ICC.1:2022).

They are read in plain Python: asking a colour engine would cost as much as converting. A profile can carry
descriptions, copyright notices, device serial numbers, dates and private tags of any content: of one that is kept, only
the numbers that define colours stay.
"""

from __future__ import annotations

import io
import struct
from enum import Enum

import pyvips

PROFILE_FIELD = "icc-profile-data"
"""libvips' field with the ICC profile of an image."""

_SRGB_MATRIX = {
    b"rXYZ": (0.4360, 0.2225, 0.0139),
    b"gXYZ": (0.3851, 0.7169, 0.0971),
    b"bXYZ": (0.1431, 0.0606, 0.7139),
}
"""sRGB's primaries at the white point D50 (IEC 61966-2-1 annex, as every sRGB profile has them)."""

_MATRIX_TOLERANCE = 0.003
_CURVE_TOLERANCE = 0.002
_CURVE_SAMPLES = (0.05, 0.1, 0.3, 0.5, 0.7, 0.9)
_SRGB_PARAMETERS = {0: 1, 3: 5, 4: 7}
"""How many numbers the types of a parametric curve have that describe sRGB (ICC.1:2022, table 68)."""

_PARAMETER_DEFAULTS = [1.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0]


_NAMED_MATRICES = {
    "Display P3": ((0.5151, 0.2412, -0.0011), (0.2920, 0.6922, 0.0419), (0.1571, 0.0666, 0.7841)),
    "Adobe RGB (1998)": ((0.6097, 0.3111, 0.0195), (0.2053, 0.6257, 0.0609), (0.1492, 0.0632, 0.7446)),
    "ProPhoto RGB": ((0.7977, 0.2880, 0.0), (0.1352, 0.7119, 0.0), (0.0313, 0.0001, 0.8249)),
    "Rec. 2020": ((0.6734, 0.2790, -0.0019), (0.1656, 0.6753, 0.0300), (0.1251, 0.0456, 0.7970)),
}
"""Primaries at the white point D50, by the name of the space, as in profiles of Apple, Adobe, Kodak and the ICC."""
_OTHER_NAMES = {b"RGB ": "RGB", b"GRAY": "grey", b"CMYK": "CMYK", b"Lab ": "Lab"}

_SPACES = {"gray": b"GRAY", "rgb": b"RGB "}
"""A profile's signature by a header's colour."""
_CURVES = {"gray": (b"kTRC",), "rgb": (b"rTRC", b"gTRC", b"bTRC")}
_PRIMARIES: dict[str, tuple[bytes, ...]] = {"gray": (), "rgb": (b"rXYZ", b"gXYZ", b"bXYZ")}
_TABLES = frozenset((b"A2B0", b"A2B1", b"A2B2"))
_CURVE_PARAMETERS = (1, 3, 4, 5, 7)
"""How many numbers each type of parametric curve has (ICC.1:2022, table 68)."""


def identify_profile(profile: bytes) -> str:
    """The name of the colour space that ``profile`` describes, by its primaries.

    Not by the description in it, which is text of any content. sRGB is one by its curves too.
    """
    if is_srgb(profile):
        return "sRGB" if profile[16:20] == b"RGB " else "grey with the curve of sRGB"
    space = _OTHER_NAMES.get(profile[16:20], "another space")
    try:
        tags = parse_tags(profile)
        primaries = [tags[name] for name in _SRGB_MATRIX]
        for name, wanted in _NAMED_MATRICES.items():
            if all(_matches_primary(element, one) for element, one in zip(primaries, wanted, strict=True)):
                return name
    except (KeyError, IndexError, struct.error):
        pass
    return space


def is_srgb(profile: bytes) -> bool:
    """True where an ICC profile describes sRGB: matrix and curves are compared, as the name in it proves nothing."""
    try:
        tags = parse_tags(profile)
        if b"A2B0" in tags or profile[16:20] not in (b"RGB ", b"GRAY"):
            return False
        curves = (b"kTRC",) if profile[16:20] == b"GRAY" else (b"rTRC", b"gTRC", b"bTRC")
        primaries = {} if profile[16:20] == b"GRAY" else _SRGB_MATRIX
        return all(_matches_primary(tags[name], wanted) for name, wanted in primaries.items()) and all(
            _matches_srgb_curve(tags[name]) for name in curves
        )
    except (KeyError, IndexError, struct.error):
        return False


def attach_profile(image: pyvips.Image, profile: bytes) -> pyvips.Image:
    """Return ``image`` with the ICC ``profile``, its pixels unchanged."""
    tagged = image.copy()
    tagged.set_type(pyvips.GValue.blob_type, PROFILE_FIELD, profile)
    return tagged


def drop_profile(image: pyvips.Image) -> pyvips.Image:
    """Return ``image`` without its ICC profile, its pixels unchanged."""
    plain = image.copy()
    plain.remove(PROFILE_FIELD)
    return plain


def parse_tags(profile: bytes) -> dict[bytes, bytes]:
    """The tagged elements of a profile (ICC.1:2022, 7.3)."""
    (count,) = struct.unpack_from(">I", profile, 128)
    entries = (struct.unpack_from(">4sII", profile, 132 + 12 * index) for index in range(min(count, 100)))
    return {name: profile[offset : offset + length] for name, offset, length in entries}


def _matches_primary(element: bytes, wanted: tuple[float, float, float]) -> bool:
    found = (number / 65_536 for number in struct.unpack_from(">3i", element, 8))
    return all(abs(a - b) < _MATRIX_TOLERANCE for a, b in zip(found, wanted, strict=True))


def _matches_srgb_curve(element: bytes) -> bool:
    return all(abs(_curve_at(element, x) - decode_srgb_value(x)) < _CURVE_TOLERANCE for x in _CURVE_SAMPLES)


def decode_srgb_value(x: float) -> float:
    """sRGB's transfer curve (IEC 61966-2-1): linear light of the encoded value ``x``, both from 0 to 1."""
    return x / 12.92 if x <= 0.04045 else float(((x + 0.055) / 1.055) ** 2.4)


def _curve_at(element: bytes, x: float) -> float:
    """The value at ``x`` of a ``curv`` or ``para`` element (ICC.1:2022, 10.6 and 10.18)."""
    kind, (count,) = element[:4], struct.unpack_from(">I", element, 8)
    if kind == b"para":
        return _parametric(element, x)
    if kind == b"curv" and count == 0:
        return x
    if kind == b"curv" and count == 1:
        return float(x ** (struct.unpack_from(">H", element, 12)[0] / 256))
    if kind == b"curv":
        position = x * (count - 1)
        low, high = struct.unpack_from(">2H", element, 12 + 2 * int(position))
        return float(low + (high - low) * (position - int(position))) / 65_535
    raise KeyError(kind)


def _parametric(element: bytes, x: float) -> float:
    """The value at ``x`` of a ``para`` element; its types 1 and 2 are of no use to sRGB."""
    (kind,) = struct.unpack_from(">H", element, 8)
    numbers = [number / 65_536 for number in struct.unpack_from(f">{_SRGB_PARAMETERS[kind]}i", element, 12)]
    g, a, b, c, d, e, f = numbers + _PARAMETER_DEFAULTS[len(numbers) :]
    return float((a * x + b) ** g + e) if x >= d else c * x + f


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
        return count >> 16 < len(_CURVE_PARAMETERS) and len(element) >= 12 + 4 * _CURVE_PARAMETERS[count >> 16]
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
    return 12 + (4 * _CURVE_PARAMETERS[count >> 16] if element[:4] == b"para" else 2 * count)


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
