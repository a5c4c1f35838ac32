"""Masters encoded again, where the upload itself cannot be stored.

HEIC becomes JPEG rather than AVIF, since every derivative decodes its master: 36 ms for 12 MP of JPEG, 438 for AVIF.
Transparent or lossless images become PNG, which loses nothing and is fast both ways: a cut-out from a phone is mostly
empty. Animations become :data:`.registry.ANIMATION`, without loss.
"""

from __future__ import annotations

from typing import Any

import pyvips

from darkroom.imaging.colour.convert import (
    apply_orientation,
    cicp_to_srgb,
    get_white_level,
    is_cmyk,
    is_hdr,
    needs_conversion,
    split_alpha,
    to_eight_bits,
    to_srgb,
)
from darkroom.imaging.colour.icc import (
    PROFILE_FIELD,
    IccAction,
    attach_profile,
    choose_icc_action,
    drop_profile,
    is_srgb,
    rewrite_profile,
)
from darkroom.imaging.formats.encode import EncodableImage, choose_encoder_options, encode_lossless
from darkroom.imaging.formats.load import DecodedImage, get_loaded_size, load_whole
from darkroom.imaging.formats.probe import Header, is_lossless
from darkroom.imaging.formats.registry import ANIMATION, OUTPUT_FORMATS, OutputFormat
from darkroom.imaging.source import Source
from darkroom.plan.limits import Limits

JPEG_QUALITY = 92
_JPEG_OPTIONS: dict[str, Any] = {"Q": JPEG_QUALITY, "subsample_mode": "off", "optimize_coding": True}
"""Chroma at full size. Not progressive: a progressive JPEG of 12 MP takes 129 ms to decode instead of 36."""

_DISPLAY_P3 = 12


def transcode(source: Source, header: Header, *, limits: Limits) -> tuple[OutputFormat, bytes]:
    """Return the format and the bytes of a master made from the pixels of ``source``: upright, without metadata.

    8 bits a channel, but 16 from a PNG that has them. A matrix-and-curves profile is kept, and Display P3 by code
    points gets one; all other colours are converted to sRGB. Raises DamagedSource, or what the source's stream raised.
    """
    orientation = get_loaded_size(header)[1]
    decoded = load_whole(source, header, limits, animated=header.animated)
    with source.decoding():
        if header.animated:
            return ANIMATION, _encode_animation(decoded)
        image = _convert_colour(decoded.frames[0], header)
        if header.format != "png":
            image = to_eight_bits(image)
        if orientation != 1:
            image = apply_orientation(image.copy_memory(), orientation)
        return _encode_still(_drop_opaque_alpha(image), lossless=is_lossless(source, header))


def _encode_animation(decoded: DecodedImage) -> bytes:
    frames = [to_eight_bits(to_srgb(frame)).copy_memory() for frame in decoded.frames]
    return encode_lossless(EncodableImage.from_frames(frames, decoded.delays_ms, decoded.loop), ANIMATION)


def _convert_colour(image: pyvips.Image, header: Header) -> pyvips.Image:
    """Convert ``image`` to sRGB, or keep its colours with the profile attached."""
    cicp = None if header.has_profile else header.cicp
    if cicp is not None and needs_conversion(cicp):
        if cicp.primaries != _DISPLAY_P3 or is_hdr(cicp):
            return cicp_to_srgb(image, cicp)
        return attach_profile(image, rewrite_profile(bytes(pyvips.Image.profile_load("p3"))))
    if not is_cmyk(image) and image.get_typeof(PROFILE_FIELD):
        profile = image.get(PROFILE_FIELD)
        if choose_icc_action(profile, "gray" if image.bands < 3 else "rgb") is IccAction.KEEP and not is_srgb(profile):
            return attach_profile(image, rewrite_profile(profile))
    return drop_profile(to_srgb(image))


def _drop_opaque_alpha(image: pyvips.Image) -> pyvips.Image:
    """Drop an alpha band that is opaque everywhere."""
    if not image.hasalpha():
        return image
    held = image.copy_memory()
    colour, alpha = split_alpha(held)
    assert alpha is not None
    return colour if alpha.min() == get_white_level(held) else held


def _encode_still(image: pyvips.Image, *, lossless: bool) -> tuple[OutputFormat, bytes]:
    keep = "icc" if image.get_typeof(PROFILE_FIELD) else "none"
    fits = max(image.width, image.height) <= OUTPUT_FORMATS["jpeg"].max_side_px
    if fits and not lossless and not image.hasalpha():
        return OUTPUT_FORMATS["jpeg"], image.jpegsave_buffer(keep=keep, **_JPEG_OPTIONS)
    return OUTPUT_FORMATS["png"], image.pngsave_buffer(
        keep=keep, **choose_encoder_options("png", image.width * image.height)
    )
