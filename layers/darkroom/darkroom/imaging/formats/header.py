"""The header of an image."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple


class Cicp(NamedTuple):
    """Colour by code points of ITU-T H.273: 1 or 2 for sRGB-like primaries, 12 Display P3, 9 BT.2020."""

    primaries: int
    transfer: int


@dataclass(frozen=True, slots=True)
class Header:
    """An image before it is decoded.

    ``width`` and ``height`` are those of one frame in px, as stored; ``orientation`` (EXIF, 1–8) turns that upright.
    AVIF and HEIC decoders apply it. ``frames`` counts an animation's frames or a TIFF's pages. ``colour`` is
    ``gray``, ``rgb``, ``cmyk`` or ``lab``, ``bits`` those of one channel. ``progressive`` covers interlaced PNG and GIF
    too. ``cicp`` is the colour space by code points; an ICC profile (``has_profile``) takes precedence. ``gamma`` is
    the exponent that a PNG's samples were encoded with, where nothing else declares their colours and it is not near
    sRGB's; else 0.
    """

    format: str
    width: int
    height: int
    frames: int = 1
    orientation: int = 1
    has_alpha: bool = False
    has_profile: bool = False
    bits: int = 8
    progressive: bool = False
    colour: str = "rgb"
    gain_map: bool = False
    cicp: Cicp | None = None
    gamma: float = 0.0

    @property
    def upright_width(self) -> int:
        """Width in px of the upright image."""
        return self.height if self.orientation >= 5 else self.width

    @property
    def upright_height(self) -> int:
        """Height in px of the upright image."""
        return self.width if self.orientation >= 5 else self.height

    @property
    def animated(self) -> bool:
        """Return whether the frames play. Those of a TIFF are pages, and no other format has both."""
        return self.frames > 1 and self.format != "tiff"
