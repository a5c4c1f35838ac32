"""ICC profiles: is it sRGB? Read in plain Python: asking a colour engine would cost as much as converting."""

from __future__ import annotations

import struct

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
_PARAMETERS = {0: 1, 3: 5, 4: 7}
"""How many numbers the types of a parametric curve have (ICC.1:2022, table 68)."""

_PARAMETER_DEFAULTS = [1.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0]


_NAMED_MATRICES = {
    "Display P3": ((0.5151, 0.2412, -0.0011), (0.2920, 0.6922, 0.0419), (0.1571, 0.0666, 0.7841)),
    "Adobe RGB (1998)": ((0.6097, 0.3111, 0.0195), (0.2053, 0.6257, 0.0609), (0.1492, 0.0632, 0.7446)),
    "ProPhoto RGB": ((0.7977, 0.2880, 0.0), (0.1352, 0.7119, 0.0), (0.0313, 0.0001, 0.8249)),
    "Rec. 2020": ((0.6734, 0.2790, -0.0019), (0.1656, 0.6753, 0.0300), (0.1251, 0.0456, 0.7970)),
}
"""Primaries at the white point D50, by the name of the space, as in profiles of Apple, Adobe, Kodak and the ICC."""
_OTHER_NAMES = {b"RGB ": "RGB", b"GRAY": "grey", b"CMYK": "CMYK", b"Lab ": "Lab"}


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
    numbers = [number / 65_536 for number in struct.unpack_from(f">{_PARAMETERS[kind]}i", element, 12)]
    g, a, b, c, d, e, f = numbers + _PARAMETER_DEFAULTS[len(numbers) :]
    return float((a * x + b) ** g + e) if x >= d else c * x + f
