"""The image formats: what is accepted, what is served, and which one a class of ``f=auto`` becomes.

To add a codec, state its facts here, write a package of its probe and metadata (see :mod:`.image_format`), and name it
in :mod:`darkroom.plan.model`. Steps: docs/howto/codec.md.
"""

from __future__ import annotations

from dataclasses import dataclass

from ...plan.model import Plan
from .image_format import (
    ANY_SIZE,
    DecoderMemory,
    Encoder,
    EncoderOptions,
    Loader,
    OutputFormat,
    Signature,
    SmoothOptions,
    SourceFormat,
    Start,
)

__all__ = [
    "OUTPUT_FORMATS",
    "SOURCE_FORMATS",
    "SUPPORTED",
    "TARGET_FORMATS",
    "OutputFormat",
    "TargetFormat",
    "is_animated",
]

_JPEG_SOURCE = SourceFormat(
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

_JPEG_ENCODER = Encoder(
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
    # The quantisation table of Klein, Silverstein and Carney (1992; mozjpeg's 5) instead of T.81's, at no cost of time:
    # over 28 photographs of 800 px that nothing was tuned on, a first response of q=80 needs 0.91 of the bytes for the
    # same SSIMULACRA2, and 0.97 of those with N. Robidoux's (mozjpeg's 3); at 70 0.90, at 88 0.98. Beside the trellis
    # it is the best of all nine: `q=auto` needs 0.91 of the bytes that it has with T.81's, over these and 18 graphics.
    # With colour at full resolution, as from 90 on, a photograph needs 1.11 times as many, and images of `q=auto` need
    # 1.02 to 1.05 times as many: they keep T.81's.
    coarse_quality=88,
    coarse={"quant_table": 5},
    # With it a JPEG of 78 looks like libjpeg's of 80 (means of ten other photographs).
    quality_scale=((0, 0), (60, 53), (80, 78), (88, 87), (89, 89), (100, 100)),
    full_chroma={"subsample_mode": "off", "quant_table": 0},
    starts={  # as the other formats', changed by what the table changes in 72 further images
        "flat": ((300_000, Start(56, 0.47)), (ANY_SIZE, Start(56, 0.44))),
        "smooth": ((300_000, Start(69, 0.45)), (ANY_SIZE, Start(66, 0.41))),
        "busy": ((300_000, Start(77, 0.55)), (ANY_SIZE, Start(76, 0.57))),
    },
)

_JPEG_OUTPUT = OutputFormat(
    "jpeg",
    "image/jpeg",
    alpha=False,
    animated=False,
    lossless=False,
    max_side_px=65_500,
    encoder=_JPEG_ENCODER,
    # Over fifteen photographs, reduced by 5, a JPEG that was left 1.25 needs 6 % more bytes, and one of feathers 43 %,
    # but decoding is nearly all that its request takes. Of an AVIF it would save 7 of 250 ms, and cost 10 % of the
    # bytes: before any encoder, four photographs of 800 px score 86 to 96 with 1.25 left, and 96 to 97 with 2.
    fast_spare_reduction=1.25,
)

_PNG_SOURCE = SourceFormat(
    name="png",
    label="PNG",
    package="png",
    signatures=(Signature(b"\x89PNG\r\n\x1a\n"),),
    loader=Loader("VipsForeignLoadPng", "pngload_source", "error", whole=False),
    # Interlaced: the whole image and its rows. 4.0 with three channels, 6.0 with four, 13.3 with four of 16 bits.
    memory=DecoderMemory(plain=2.5, progressive=5, alpha=2, by_depth=True),
    strips=True,
    patched=True,
    may_be_drawing=True,
    embeddable=True,
    lossless=True,
)

_PNG_ENCODER = Encoder(
    saver="pngsave_buffer",
    # ms per megapixel: 90 at level 6 with all filters, 46 at level 3 with Paeth, 17 at level 1.
    fast=(
        (2_000_000, {"compression": 6, "filter": "all"}),
        (16_000_000, {"compression": 3, "filter": "paeth"}),
        (ANY_SIZE, {"compression": 1, "filter": "sub"}),
    ),
    # 240 to 410 ms per megapixel at level 9 for each filter.
    slow=((8_000_000, {"compression": 9}), (ANY_SIZE, {"compression": 6})),
    # "all" is best for one photograph, "avg" by 0.5 % for another, "sub" by 6 % for a cut-out.
    alternatives={"slow": tuple({"filter": name} for name in ("all", "avg", "sub"))},
    # Drawings repeat whole rows: filters hide that from deflate, and it ends early whatever its level.
    lossless={"compression": 9, "filter": "none"},
)

_PNG_OUTPUT = OutputFormat(
    "png", "image/png", alpha=True, animated=False, lossless=True, max_side_px=65_535, encoder=_PNG_ENCODER
)

_WEBP_SOURCE = SourceFormat(
    name="webp",
    label="WebP",
    package="webp",
    signatures=(Signature(b"RIFF", b"WEBP", 8),),
    loader=Loader("VipsForeignLoadWebp", "webpload_source", "error", pages=True, scales=True),
    # The whole image: 4.3 with alpha without loss.
    memory=DecoderMemory(plain=4, alpha=2),
    strips=True,
    patched=True,
    may_be_drawing=True,
    embeddable=True,
    lossless=None,
)

_WEBP_FLAGS_AT, _WEBP_ALPHA_FLAG = 20, 0x10


def _set_alpha_flag(body: bytes) -> bytes:
    """Mark an animation as transparent.

    libwebp looks for transparency within the rectangles that it stores. Where only their surroundings are transparent,
    it reports none, and viewers paint them black.
    """
    if body[12:16] != b"VP8X":
        return body
    return body[:_WEBP_FLAGS_AT] + bytes([body[_WEBP_FLAGS_AT] | _WEBP_ALPHA_FLAG]) + body[_WEBP_FLAGS_AT + 1 :]


_WEBP_ENCODER = Encoder(
    saver="webpsave_buffer",
    # ms per megapixel: 50 at effort 2, 29 at 0. Effort 2 takes 0.46 of the time of effort 4 for 2 to 18 % more bytes,
    # 7 % over fourteen photographs: worth the wait up to 0.2 MP, where it is 6 ms.
    fast=((200_000, {"effort": 4}), (16_000_000, {"effort": 2}), (ANY_SIZE, {"effort": 0})),
    # Of thirteen photographs of 800 px the four smoothest need 1.09 times the bytes of sharp's default at effort 2, in
    # 8 to 12 ms, and 1.01 at 4, in 21 to 29 ms. The others take 16 ms and more at 2.
    smooth=SmoothOptions(600_000, 3.0, {"effort": 4}),
    # At ingest no client waits: six presets take 1.35 times as long, for 4 % fewer bytes at an equal score.
    balanced=((1_500_000, {"effort": 4}), (16_000_000, {"effort": 2}), (ANY_SIZE, {"effort": 0})),
    # 220 to 260 ms per megapixel at effort 6.
    slow=((30_000_000, {"effort": 6}), (90_000_000, {"effort": 4}), (ANY_SIZE, {"effort": 2})),
    # 40 ms for 0.5 MP, effort 6 takes 66. At equal SSIMULACRA2 efforts 6, 5, 4 and 2 need 0.90, 0.92, 0.94 and 1 of the
    # bytes (21 photographs).
    search=(
        (600_000, {"effort": 5}),
        (3_000_000, {"effort": 4}),
        (16_000_000, {"effort": 2}),
        (ANY_SIZE, {"effort": 0}),
    ),
    bend=0.06,
    # Edges of drawings keep their colour by it; photographs are indifferent.
    drawing={"smart_subsample": True},
    full_chroma={"smart_subsample": True},
    # Over 132 images what is found by trying them needs 2.7 % fewer bytes for the same score than none; each for all
    # images saves 1 % at most.
    trials=({"preset": "drawing"}, {"smart_deblock": True}, {"smart_subsample": True}),
    lossless={"lossless": True},
    finish_alpha=_set_alpha_flag,
    starts={  # medians of the images that `bench/auto` of commit 10e7c8d8 searched
        "flat": ((300_000, Start(75, 0.44)), (ANY_SIZE, Start(76, 0.58))),
        "smooth": ((300_000, Start(79, 0.71)), (ANY_SIZE, Start(82, 0.87))),
        "busy": ((300_000, Start(78, 0.86)), (ANY_SIZE, Start(80, 0.76))),
    },
)

_WEBP_OUTPUT = OutputFormat(
    "webp", "image/webp", alpha=True, animated=True, lossless=False, max_side_px=16_383, encoder=_WEBP_ENCODER
)

_GIF_SOURCE = SourceFormat(
    name="gif",
    label="GIF",
    package="gif",
    signatures=(Signature(b"GIF87a"), Signature(b"GIF89a")),
    loader=Loader("VipsForeignLoadNsgif", "gifload_source", "warning", pages=True),
    # The canvas and the indices: 5.5.
    memory=DecoderMemory(plain=6),
    strips=True,
    patched=True,
    may_be_drawing=True,
    embeddable=True,
    lossless=True,
)

_GIF_ENCODER = Encoder(
    saver="gifsave_buffer",
    # 350 ms per megapixel.
    fast=((500_000, {"effort": 3}), (ANY_SIZE, {"effort": 1})),
    # 1900 ms per megapixel at effort 7; effort 10 saves 0.4 % for twice the time.
    slow=((5_000_000, {"effort": 7}), (25_000_000, {"effort": 3}), (ANY_SIZE, {"effort": 1})),
)

_GIF_OUTPUT = OutputFormat(
    "gif", "image/gif", alpha=True, animated=True, lossless=True, max_side_px=65_500, encoder=_GIF_ENCODER
)

_AVIF_SOURCE = SourceFormat(
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

_HEIC_SOURCE = SourceFormat(
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

_AVIF_ENCODER = Encoder(
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

_AVIF_OUTPUT = OutputFormat(
    "avif",
    "image/avif",
    alpha=True,
    animated=False,
    lossless=False,
    max_side_px=16_384,
    encoder=_AVIF_ENCODER,
    max_pixels=40_000_000,
)

_TIFF_SOURCE = SourceFormat(
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

_TIFF_ENCODER = Encoder(
    saver="tiffsave_buffer", fast=((ANY_SIZE, _DEFLATED),), slow=((ANY_SIZE, _DEFLATED | {"level": 9}),)
)

_TIFF_OUTPUT = OutputFormat(
    "tiff", "image/tiff", alpha=True, animated=False, lossless=True, max_side_px=65_535, encoder=_TIFF_ENCODER
)

_SVG_SOURCE = SourceFormat(
    name="svg",
    label="SVG",
    package="svg",
    loader=Loader("VipsForeignLoadSvg", "svgload_source", "error"),
    # It is drawn at the size of the output.
    memory=DecoderMemory(plain=0),
    may_be_drawing=True,
)

SOURCE_FORMATS: dict[str, SourceFormat] = {
    one.name: one
    for one in (
        _JPEG_SOURCE,
        _PNG_SOURCE,
        _WEBP_SOURCE,
        _GIF_SOURCE,
        _AVIF_SOURCE,
        _HEIC_SOURCE,
        _TIFF_SOURCE,
        _SVG_SOURCE,
    )
}

OUTPUT_FORMATS: dict[str, OutputFormat] = {
    one.name: one for one in (_JPEG_OUTPUT, _PNG_OUTPUT, _WEBP_OUTPUT, _AVIF_OUTPUT, _GIF_OUTPUT, _TIFF_OUTPUT)
}

_LABELS = [one.label for one in SOURCE_FORMATS.values()]
SUPPORTED = f"{', '.join(_LABELS[:-1])} and {_LABELS[-1]}"
"""The accepted formats, for messages."""

COMPACT_ALPHA_TILES: EncoderOptions = {"compression": "webp", "Q": 85}
"""Options of libvips' TIFF saver for a pyramid's tiles with alpha, where lossless ones take too many bytes."""

ANIMATION = _WEBP_OUTPUT
"""What an animation becomes where it is stored without loss."""

AVIF_MAX_PIXELS = 10_000_000
"""Up to here ``f=auto`` becomes AVIF for viewers that accept it: its lowest effort needs 0.7 s for as many on one core.
Over four photographs of 3 to 5 MP it took 0.66 to 0.87 of the bytes of a WebP of the same SSIM."""


@dataclass(frozen=True, slots=True)
class TargetFormat:
    """A plan's ``format``: one format, or a class of ``f=auto``, whose formats are alike for the viewer.

    In a class the image decides between opaque stills, large ones, transparent ones and animations. A drawing becomes
    the first of ``drawing``, without loss, where that takes no more bytes than the second: AVIF is compared by the size
    of another format, which is known in a tenth of the time. ``max_pixels`` are the most that are encoded; a class has
    a format for any size.
    """

    still: OutputFormat
    large: OutputFormat
    transparent: OutputFormat
    animation: OutputFormat
    drawing: tuple[OutputFormat, OutputFormat] | None
    max_pixels: int | None = None

    @property
    def _members(self) -> tuple[OutputFormat, ...]:
        return (self.still, self.large, self.transparent, self.animation)

    @property
    def alpha(self) -> bool:
        """Return whether the output can be transparent."""
        return any(form.alpha for form in self._members)

    @property
    def animated(self) -> bool:
        """Return whether the output can be animated."""
        return any(form.animated for form in self._members)

    @property
    def max_side_px(self) -> int:
        """Return the longest side that every member can hold."""
        return min(form.max_side_px for form in self._members)

    def choose(self, *, transparent: bool, frames: int, pixels: int) -> OutputFormat:
        """Return the format of a finished image; ``pixels`` are those of one frame."""
        if frames > 1:
            return self.animation
        if transparent and self.transparent is not self.still:
            return self.transparent
        return self.large if pixels > AVIF_MAX_PIXELS else self.still


def _make_target(form: OutputFormat) -> TargetFormat:
    """Make the target of a plan that names ``form``."""
    drawing = (form, form) if form.encoder.lossless and not form.lossless else None
    return TargetFormat(form, form, form, form, drawing, form.max_pixels)


def _make_class(still: OutputFormat) -> TargetFormat:
    """Make the class whose stills are ``still``, one of the formats that newer viewers take."""
    return TargetFormat(still, _WEBP_OUTPUT, still, _WEBP_OUTPUT, (_WEBP_OUTPUT, _WEBP_OUTPUT))


TARGET_FORMATS: dict[str, TargetFormat] = {
    **{name: _make_target(form) for name, form in OUTPUT_FORMATS.items()},
    "auto-avif": _make_class(_AVIF_OUTPUT),
    "auto-webp": _make_class(_WEBP_OUTPUT),
    "auto-legacy": TargetFormat(_JPEG_OUTPUT, _JPEG_OUTPUT, _PNG_OUTPUT, _GIF_OUTPUT, (_PNG_OUTPUT, _JPEG_OUTPUT)),
}
TARGET_FORMATS["auto"] = TARGET_FORMATS["auto-legacy"]
"""Targets by the ``format`` of a plan for images. One that was not negotiated gets what every viewer can show."""


def is_animated(plan: Plan) -> bool:
    """Return whether ``plan`` renders every frame of an animation."""
    return plan.animate and not (plan.redact or plan.cutout) and plan.page == 0 and TARGET_FORMATS[plan.format].animated
