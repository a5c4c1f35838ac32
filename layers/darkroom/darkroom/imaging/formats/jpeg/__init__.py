"""JPEG (ITU-T T.81), and the gain maps that may follow it."""

from ..image_format import (
    ANY_SIZE,
    DecoderMemory,
    Encoder,
    EncoderOptions,
    Loader,
    OutputFormat,
    Signature,
    SourceFormat,
    Start,
)

SOURCE = SourceFormat(
    name="jpeg",
    label="JPEG",
    package="jpeg",
    signatures=(Signature(b"\xff\xd8\xff"),),
    loader=Loader("VipsForeignLoadJpeg", "jpegload_source", "warning", whole=False, shrinks=(8, 4, 2)),
    # Progressive: all coefficients, two bytes each. 3.1 with subsampled colours; four channels have at most eight.
    memory=DecoderMemory(plain=0.5, progressive=6.5),
    strips=True,
    patched=True,
    embeddable=True,
)

_MOZJPEG: EncoderOptions = {
    "optimize_coding": True,
    "interlace": True,
    "trellis_quant": True,
    "overshoot_deringing": True,
    "optimize_scans": True,
}
"""All that mozjpeg, which the wheel of libvips is built with, has over libjpeg, but for its quantisation tables."""

_OPTIMISED: EncoderOptions = {"optimize_coding": True}

ENCODER = Encoder(
    saver="jpegsave_buffer",
    # ms per megapixel: 16 progressive, 9 optimised, 6 plain. At equal SSIMULACRA2 over 21 photographs, against a plain
    # JPEG: optimised 0.97 of the bytes for 1 ms more at 0.3 MP, progressive 0.95 for 3, with the trellis 0.93 for 10,
    # all that mozjpeg has 0.91 for 16. An optimised JPEG takes 3 bytes of memory a pixel.
    fast=((4_000_000, _OPTIMISED), (ANY_SIZE, {})),
    # 75 ms per megapixel with all that mozjpeg has.
    slow=((60_000_000, _MOZJPEG), (ANY_SIZE, _OPTIMISED)),
    # 0.05 s for 0.5 MP. At equal SSIMULACRA2 mozjpeg needs 0.96 of the bytes (22 to 103 images).
    search=((4_000_000, _MOZJPEG), (30_000_000, _OPTIMISED), (ANY_SIZE, {})),
    baseline={"interlace": False, "optimize_scans": False},
    bend=0.03,
    # N. Robidoux's quantisation table (mozjpeg's 3) instead of T.81's: over seven photographs of 800 px it needs 6 to
    # 7 % fewer bytes for the same SSIMULACRA2, and none of the time. At 92 it needs 18 % more. Beside the trellis the
    # table of Peterson, Ahumada and Watson (mozjpeg's 5) is better: over eighteen images of 400 to 800 px it needs
    # 7 % fewer bytes than the fast effort for the same score, where 3 saves 5 % and 2 saves 6 %.
    coarse_quality=88,
    coarse={"fast": {"quant_table": 3}, "balanced": {"quant_table": 3}, "slow": {"quant_table": 5}},
    full_chroma={"subsample_mode": "off"},
    starts={  # medians of the images that `bench/auto` of commit 10e7c8d8 searched
        "flat": ((300_000, Start(68, 0.65)), (ANY_SIZE, Start(73, 0.61))),
        "smooth": ((300_000, Start(72, 0.56)), (ANY_SIZE, Start(70, 0.55))),
        "busy": ((300_000, Start(78, 0.61)), (ANY_SIZE, Start(78, 0.57))),
    },
)

OUTPUT = OutputFormat(
    "jpeg",
    "image/jpeg",
    alpha=False,
    animated=False,
    lossless=False,
    max_side_px=65_500,
    encoder=ENCODER,
    # Over fifteen photographs, reduced by 5, a JPEG that was left 1.25 needs 6 % more bytes, and one of feathers 43 %,
    # but decoding is nearly all that its request takes. Of an AVIF it would save 7 of 250 ms, and cost 10 % of the
    # bytes: before any encoder, four photographs of 800 px score 86 to 96 with 1.25 left, and 96 to 97 with 2.
    fast_spare_reduction=1.25,
)
