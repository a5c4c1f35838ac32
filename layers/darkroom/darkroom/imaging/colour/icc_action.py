"""Choose what to do with an image's ICC profile in its master."""

from __future__ import annotations

import io
import struct
from enum import Enum

from .icc import parse_tags

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
