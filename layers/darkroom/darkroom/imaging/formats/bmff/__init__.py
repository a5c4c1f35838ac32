"""AVIF and HEIC: formats in the boxes of ISO/IEC 14496-12."""

from ..image_format import (
    ANY_SIZE,
    DecoderMemory,
    Encoder,
    EncoderOptions,
    Loader,
    OutputFormat,
    SmoothOptions,
    SourceFormat,
    Start,
)

AVIF = SourceFormat(
    name="avif",
    label="AVIF",
    package="bmff",
    loader=Loader("VipsForeignLoadHeif", "heifload_source", "error"),
    # libheif's planes, the image of them and libvips' copy: 15.8, 17.2 with alpha, 19.1 with 12 bits, 22.1 with both;
    # 18.9 with full chroma, which the header does not say.
    memory=DecoderMemory(plain=19, alpha=2, deep=5),
    strips=True,
    patched=True,
    decodes_upright=True,
)

HEIC = SourceFormat(
    name="heic",
    label="HEIC",
    package="bmff",
    # pi-heif's image and a copy: 6.8 for a grid of 12 megapixels.
    memory=DecoderMemory(plain=10, alpha=2, by_depth=True),
    decodes_upright=True,
)

_FULL_CHROMA: EncoderOptions = {"subsample_mode": "off"}
"""Larger images have a quarter of the colour, as libvips' own default below a quality of 90: the encoder has no memory
for more."""

ENCODER = Encoder(
    saver="heifsave_buffer",
    # libaom's tuning for still images. Over fourteen photographs of 480 px it needs 11 to 12 % fewer bytes than `ssim`
    # for the same SSIMULACRA2 at effort 3, and takes a quarter more time; `psnr` needs 4 % more. 10 bits a band instead
    # of 8 save 1 % for 45 % more time.
    always={"compression": "av1", "bitdepth": 8, "tune": "iq"},
    # ms per megapixel with full colour: 600 to 700 at effort 3, 330 to 400 at 2, 200 to 240 at 1, 65 to 80 at 0. At
    # equal SSIMULACRA2, over fourteen photographs of 480 px, efforts 3, 2, 1 and 0 with full colour need 1.06, 1.15,
    # 1.19 and 1.36 times the bytes of effort 4, and take 0.18, 0.10, 0.06 and 0.02 of its time. Effort 2 is the fastest
    # that comes near sharp's default (1.06; effort 1: 1.11). With a quarter of the colour they need 3 to 4 % more,
    # graphics 17 %.
    fast=(
        (2_000_000, {"effort": 2} | _FULL_CHROMA),
        (4_000_000, {"effort": 1} | _FULL_CHROMA),
        (ANY_SIZE, {"effort": 0}),
    ),
    # They take half of the time of other images, and lose most by a low effort: of thirteen photographs of 800 px the
    # eight smoothest need 1.13 times the bytes of sharp's default at effort 2 and 1.03 at 3, in 85 to 370 ms; the
    # others need 1.03 at 2, in 120 to 180 ms.
    smooth=SmoothOptions(2_000_000, 5.5, {"effort": 3} | _FULL_CHROMA),
    # ms per megapixel: 3600 at effort 4, 640 at 3. Effort 5 saves 0.05 % of the bytes for 1.2 of the time.
    slow=(
        (2_000_000, {"effort": 4} | _FULL_CHROMA),
        (4_000_000, {"effort": 3} | _FULL_CHROMA),
        (10_000_000, {"effort": 3}),
        (20_000_000, {"effort": 2}),
        (ANY_SIZE, {"effort": 1}),
    ),
    # AVIF at 57 looks like JPEG at 80.
    quality_scale=((0, 0), (40, 33), (80, 57), (90, 73), (100, 100)),
    full_chroma=_FULL_CHROMA,
    starts={  # medians of the images that `bench/auto` of commit 10e7c8d8 searched
        "flat": ((300_000, Start(40, 0.63)), (ANY_SIZE, Start(44, 0.75))),
        "smooth": ((300_000, Start(49, 0.66)), (ANY_SIZE, Start(52, 0.67))),
        "busy": ((300_000, Start(60, 0.84)), (ANY_SIZE, Start(60, 0.84))),
    },
    sample_pixels=300_000,
    bend=0.03,
)

OUTPUT = OutputFormat(
    "avif",
    "image/avif",
    alpha=True,
    animated=False,
    lossless=False,
    max_side_px=16_384,
    encoder=ENCODER,
    max_pixels=40_000_000,
)
