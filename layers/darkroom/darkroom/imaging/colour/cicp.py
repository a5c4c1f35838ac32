"""Colour by code points (ITU-T H.273): wide gamut and HDR images without an ICC profile, as AVIF, HEIC and PNG have.

They are turned into light, moved to sRGB's primaries, and what is brighter than paper white is compressed into the top
of the range, so that an HDR image becomes a correct SDR one instead of a grey one.
"""

from __future__ import annotations

import pyvips

from ..formats.probe import Cicp
from .convert import decode_srgb, encode_srgb, ensure_rgb, get_white_level, join_alpha, split_alpha
from .icc import drop_profile

type _Matrix = tuple[tuple[float, float, float], ...]

_TO_SRGB: dict[int, _Matrix] = {
    9: ((1.6605, -0.5876, -0.0728), (-0.1246, 1.1329, -0.0083), (-0.0182, -0.1006, 1.1187)),
    12: ((1.2249, -0.2247, 0.0), (-0.0420, 1.0419, 0.0), (-0.0197, -0.0786, 1.0979)),
}
"""Linear light of BT.2020 (9, from BT.2087) and Display P3 (12, from SMPTE EG 432-1) to sRGB's primaries."""

_PQ, _HLG = 16, 18
WHITE_NITS = 203
"""Diffuse white of HDR images (ITU-R BT.2408)."""

HLG_PEAK_NITS = 1000
KNEE = 0.5
"""Light up to here stays as it is; above, it approaches white without reaching it."""


def needs_conversion(cicp: Cicp | None) -> bool:
    """Return whether the code points name something else than sRGB and what is shown like it."""
    return cicp is not None and (cicp.primaries in _TO_SRGB or is_hdr(cicp))


def is_hdr(cicp: Cicp) -> bool:
    """Return whether the code points name a transfer whose white is not the brightest."""
    return cicp.transfer in (_PQ, _HLG)


def cicp_to_srgb(image: pyvips.Image, cicp: Cicp) -> pyvips.Image:
    """``image`` of the colour space ``cicp`` in sRGB, with as many bits."""
    colour, alpha = split_alpha(image)
    rich = ensure_rgb(colour)
    light = _to_linear(rich / get_white_level(image), cicp.transfer)
    if cicp.primaries in _TO_SRGB:
        light = light.recomb([list(row) for row in _TO_SRGB[cicp.primaries]])
    if is_hdr(cicp):
        light = _compress_highlights(light)
    encoded = (encode_srgb(light.clamp(min=0, max=1)) * get_white_level(image)).rint().cast(image.format)
    return drop_profile(join_alpha(encoded, alpha).copy(interpretation=rich.interpretation))


def _to_linear(value: pyvips.Image, transfer: int) -> pyvips.Image:
    """Linear light, 1 being white, of values from 0 to 1. Camera curves (1, 6, 14, 15) are shown like sRGB's."""
    if transfer == _PQ:
        return _pq_to_linear(value)
    if transfer == _HLG:
        return _hlg_to_linear(value)
    return decode_srgb(value)


def _pq_to_linear(value: pyvips.Image) -> pyvips.Image:
    """SMPTE ST 2084."""
    root = value ** (1 / 78.84375)
    ratio = (root - 0.8359375).clamp(min=0, max=1) / (18.8515625 - 18.6875 * root)
    return (ratio ** (1 / 0.1593017578125)) * (10_000 / WHITE_NITS)


def _hlg_to_linear(value: pyvips.Image) -> pyvips.Image:
    """ITU-R BT.2100, with the system gamma of a display of 1000 nits."""
    scene = (value <= 0.5).ifthenelse(value * value / 3, (((value - 0.55991073) / 0.17883277).exp() + 0.28466892) / 12)
    luminance = scene.recomb([[0.2627, 0.6780, 0.0593]])
    return scene * (luminance**0.2) * (HLG_PEAK_NITS / WHITE_NITS)


def _compress_highlights(light: pyvips.Image) -> pyvips.Image:
    """Compress by the strongest channel, so that hues stay."""
    strongest = light[0].maxpair(light[1]).maxpair(light[2])
    span = 1 - KNEE
    rolled = (((KNEE - strongest) / span).exp() * -span) + 1
    return light * (strongest <= KNEE).ifthenelse(1, rolled / strongest)
