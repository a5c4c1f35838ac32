"""Encode decoded pixels as the upload that ingest continues with."""

from __future__ import annotations

from io import BytesIO

from PIL import Image

JPEG_QUALITY = 92
"""As for masters of HEIC (:mod:`darkroom_pipeline.imaging.transcode`)."""


def load_encoders() -> None:
    """Load the modules that :func:`encode` needs, which a confined process cannot."""
    image = Image.new("RGB", (8, 8))
    encode(image, lossless=True, profile=b"profile")
    encode(image, lossless=False, profile=b"profile")


def encode(image: Image.Image, *, lossless: bool, profile: bytes = b"") -> bytes:
    """Return a PNG if the image is ``lossless`` or has alpha or 16 bits, else a JPEG with full colour.

    PNG has no CMYK: such an image must not be ``lossless``.
    """
    buffer = BytesIO()
    icc = profile or None
    if not lossless and image.mode in ("L", "RGB", "CMYK") and max(image.size) <= 65_500:
        # Without optimized tables, for which Pillow's buffer has one byte a pixel: noise needs more.
        image.save(buffer, "JPEG", quality=JPEG_QUALITY, subsampling=0, icc_profile=icc)
    else:
        image.save(buffer, "PNG", icc_profile=icc)
    return buffer.getvalue()
