"""TIFF (TIFF 6.0 and BigTIFF)."""

from ..image_format import (
    ANY_SIZE,
    DecoderMemory,
    Encoder,
    EncoderOptions,
    Loader,
    OutputFormat,
    Signature,
    SourceFormat,
)

SOURCE = SourceFormat(
    name="tiff",
    label="TIFF",
    package="tiff",
    signatures=tuple(Signature(start) for start in (b"II\x2a\0", b"MM\0\x2a", b"II\x2b\0", b"MM\0\x2b")),
    loader=Loader("VipsForeignLoadTiff", "tiffload_source", "warning", whole=False),
    # A strip may be the whole image. Pyramids are read by tiles.
    memory=DecoderMemory(plain=4, alpha=1, by_depth=True, by_rows=True),
    patched=True,
    may_be_drawing=True,
)

_DEFLATED: EncoderOptions = {"compression": "deflate", "predictor": "horizontal"}
"""What every reader of TIFF takes, and loses nothing."""

ENCODER = Encoder(saver="tiffsave_buffer", fast=((ANY_SIZE, _DEFLATED),), slow=((ANY_SIZE, _DEFLATED | {"level": 9}),))

OUTPUT = OutputFormat(
    "tiff", "image/tiff", alpha=True, animated=False, lossless=True, max_side_px=65_535, encoder=ENCODER
)
