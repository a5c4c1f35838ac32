"""Convert images to sRGB, combine their bands, resize and orient them.

Everything after the resize works on sRGB or grey, with 8 or 16 bits a band, alpha last. An image is converted only
where it declares another space: converting what is sRGB already triples the time of a decode for nothing.

Wide gamut and HDR images without an ICC profile, as AVIF, HEIC and PNG have, name their colours by code points (ITU-T
H.273). They are turned into light, moved to sRGB's primaries, and what is brighter than paper white is compressed into
the top of the range, so that an HDR image becomes a correct SDR one instead of a grey one.
"""

from __future__ import annotations

import pyvips

from ...errors import DamagedSource
from ...plan.geometry.layout import Size
from ..formats.probe import Cicp
from .icc import PROFILE_FIELD, drop_profile, is_srgb

PEAK_8_BIT = 255
PEAK_16_BIT = 65_535

BOX_GAP = 2.0
"""libvips' default of ``gap``."""

MIN_VISIBLE_ALPHA = 1 / 32
"""Alpha, as a part of opaque, below which a colour with 8 bits is no more than rounding."""

SRGB_LINEAR_BELOW = 0.0031308
"""The linear light up to which sRGB's curve is a line (IEC 61966-2-1)."""

_READY = ("srgb", "b-w", "rgb16", "grey16")
_BANDS_OF_SPACE = {b"GRAY": 1, b"RGB ": 3, b"Lab ": 3, b"CMYK": 4}

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


def is_cmyk(image: pyvips.Image) -> bool:
    """Return whether an image is CMYK, which is converted before the resize."""
    return str(image.interpretation) == "cmyk"


def get_white_level(image: pyvips.Image) -> int:
    """The value of white: 255, or 65535 with 16 bits a band."""
    return PEAK_16_BIT if image.format == "ushort" else PEAK_8_BIT


def split_alpha(image: pyvips.Image) -> tuple[pyvips.Image, pyvips.Image | None]:
    """The colour bands and the alpha band, None where there is none."""
    if not image.hasalpha():
        return image, None
    return image.extract_band(0, n=image.bands - 1), image.extract_band(image.bands - 1)


def join_alpha(colour: pyvips.Image, alpha: pyvips.Image | None) -> pyvips.Image:
    """The opposite of :func:`apart`."""
    return colour if alpha is None else colour.bandjoin(alpha)


def normalise_bands(image: pyvips.Image) -> pyvips.Image:
    """``image`` with a meaning that libvips' operations agree on: bands beyond alpha and odd number formats removed."""
    if image.format in ("uint", "int"):
        wide = (image >> 16).cast("ushort")
        image = wide.copy(interpretation="grey16" if image.bands < 3 else "rgb16")
    if str(image.interpretation) in ("multiband", "matrix", "histogram", "rgb"):
        sixteen = image.format == "ushort"
        meaning = ("grey16" if sixteen else "b-w") if image.bands < 3 else ("rgb16" if sixteen else "srgb")
        image = image.copy(interpretation=meaning)
    most = 2 if str(image.interpretation) in ("b-w", "grey16") else 5 if is_cmyk(image) else 4
    return image.extract_band(0, n=most) if image.bands > most else image


def to_srgb(image: pyvips.Image) -> pyvips.Image:
    """``image`` in sRGB or grey, 16-bit where it was, by its own profile where it has one that is not sRGB.

    CMYK without a profile is converted by libvips' own CMYK profile.
    """
    if _has_foreign_profile(image):
        return _icc_transform(image, embedded=True)
    if is_cmyk(image):
        # Not `colourspace`: from CMYK it leaves a profile in the image's metadata that points to freed memory.
        return _icc_transform(image, input_profile="cmyk")
    if str(image.interpretation) in _READY:
        return image
    return image.colourspace("rgb16" if str(image.interpretation) == "labs" else "srgb")


def _icc_transform(image: pyvips.Image, **profile: bool | str) -> pyvips.Image:
    depth = 16 if image.format == "ushort" else 8
    result = image.icc_transform("srgb", intent="relative", black_point_compensation=True, depth=depth, **profile)
    return drop_profile(result)


def decode_srgb(value: pyvips.Image) -> pyvips.Image:
    """The linear light of sRGB's ``value``, both from 0 to 1 (IEC 61966-2-1)."""
    return (value <= 0.04045).ifthenelse(value / 12.92, ((value + 0.055) / 1.055) ** 2.4)


def encode_srgb(light: pyvips.Image) -> pyvips.Image:
    """sRGB's encoding of linear ``light``."""
    return (light <= SRGB_LINEAR_BELOW).ifthenelse(light * 12.92, light ** (1 / 2.4) * 1.055 - 0.055)


def gamma_to_srgb(image: pyvips.Image, gamma: float) -> pyvips.Image:
    """``image``, whose samples are linear light to the power ``gamma``, encoded as sRGB."""
    colour, alpha = split_alpha(image)
    white = get_white_level(image)
    curve = encode_srgb((pyvips.Image.identity(ushort=image.format == "ushort") / white) ** (1 / gamma))
    encoded = colour.maplut((curve * white).rint().cast(image.format)).copy(interpretation=image.interpretation)
    return join_alpha(encoded, alpha)


def expand_range(image: pyvips.Image, grey: bool, alpha: bool) -> pyvips.Image:
    """``image`` in full range, where its ``grey`` colours or its ``alpha`` are from 16 to 235 of 255 (H.273, 8.3)."""
    if not grey and not alpha:
        return image
    colour, shown = split_alpha(image)
    white = get_white_level(image)
    low, high = ((white + 1) * level / 256 for level in (16, 235))
    factor = white / (high - low)

    def expand(part: pyvips.Image) -> pyvips.Image:
        return part.linear(factor, -low * factor).rint().cast(image.format).copy(interpretation=image.interpretation)

    return join_alpha(expand(colour) if grey else colour, expand(shown) if alpha and shown is not None else shown)


def lab_bytes_to_srgb(image: pyvips.Image) -> pyvips.Image:
    """``image``, whose bytes are CIE L*a*b*, in sRGB: L* from 0 to 255, a* and b* signed (TIFF 6.0, section 23)."""
    colour, alpha = image.extract_band(0, n=3), image.extract_band(3) if image.bands > 3 else None
    light, chroma = colour.extract_band(0) * (100 / PEAK_8_BIT), colour.extract_band(1, n=2).copy(format="char")
    srgb = light.bandjoin(chroma.cast("float")).copy(interpretation="lab").colourspace("srgb")
    return drop_profile(join_alpha(srgb, alpha))


def to_eight_bits(image: pyvips.Image) -> pyvips.Image:
    """``image`` with 8 bits a band, rounded: dropping the lower byte would darken by half a step."""
    if image.format == "uchar":
        return image
    factor = PEAK_8_BIT / get_white_level(image)
    grey = image.bands < 3
    return (image * factor).rint().cast("uchar").copy(interpretation="b-w" if grey else "srgb")


def _has_foreign_profile(image: pyvips.Image) -> bool:
    if image.get_typeof(PROFILE_FIELD) == 0:
        return False
    profile = image.get(PROFILE_FIELD)
    bands = split_alpha(image)[0].bands
    return _BANDS_OF_SPACE.get(profile[16:20]) == bands and not is_srgb(profile)


def parse_hex_colour(colour: str) -> list[int]:
    """The numbers of a colour of 6 or 8 hex digits."""
    return [int(colour[at : at + 2], 16) for at in range(0, len(colour), 2)]


def scale_hex_colour(colour: str, white: int, bands: int) -> list[float]:
    """A colour of 6 or 8 hex digits as the values of 3 or 4 ``bands``, of which ``white`` is the largest."""
    numbers = [*parse_hex_colour(colour), PEAK_8_BIT][:4]
    return [number * white / PEAK_8_BIT for number in numbers[:bands]]


def fill_invisible(frame: pyvips.Image, sigma_px: float) -> pyvips.Image:
    """The colour bands of ``frame``, where what cannot be seen has the colours of what can, from around it.

    For filters that read neighbours: else arbitrary colours below transparency show at edges.
    """
    colour, alpha = split_alpha(frame)
    if alpha is None:
        return colour
    spread = split_alpha(frame.premultiply().gaussblur(sigma_px, min_ampl=0.02).unpremultiply())[0]
    filled = (alpha < get_white_level(frame) * MIN_VISIBLE_ALPHA).ifthenelse(spread.rint().cast(frame.format), colour)
    return filled.copy(interpretation=frame.interpretation)


def ensure_rgb(image: pyvips.Image) -> pyvips.Image:
    """``image`` with three colour bands; raises DamagedSource for images without any band."""
    if image.bands == 0:
        raise DamagedSource(detail="no bands")
    return image if image.bands >= 3 else image.colourspace("rgb16" if image.format == "ushort" else "srgb")


def resize_to(image: pyvips.Image, size: Size, *, gap: float = BOX_GAP) -> pyvips.Image:
    """Resize ``image`` to exactly ``size`` px: a box filter leaves a reduction by ``gap`` to Lanczos 3, 0 all of it."""
    if (image.width, image.height) == size:
        return image
    across, down = size.width / image.width, size.height / image.height
    if not image.hasalpha():
        return image.resize(across, vscale=down, gap=gap)
    weighted = image.premultiply()
    if image.format == "uchar":
        # Integer resizing is twice as fast; what rounding loses is less than half a step once composited.
        weighted = (weighted + 0.5).cast("uchar")
    return weighted.resize(across, vscale=down).unpremultiply().rint().cast(image.format)


def apply_orientation(image: pyvips.Image, orientation: int) -> pyvips.Image:
    """Return ``image`` upright (EXIF 2.32, tag 0x0112)."""
    angle = {3: "d180", 4: "d180", 5: "d90", 6: "d90", 7: "d270", 8: "d270"}.get(orientation, "d0")
    turned = image.rot(angle)
    return turned.fliphor() if orientation in (2, 4, 5, 7) else turned


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
