"""WebP (RFC 9649)."""

from ..image_format import (
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

SOURCE = SourceFormat(
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

_FLAGS_AT, _ALPHA_FLAG = 20, 0x10

TIFF_TILES: EncoderOptions = {"compression": "webp", "Q": 85}
"""Options of libvips' TIFF saver for tiles of this format."""


def _set_alpha_flag(body: bytes) -> bytes:
    """Mark an animation as transparent.

    libwebp looks for transparency within the rectangles that it stores. Where only their surroundings are transparent,
    it reports none, and viewers paint them black.
    """
    if body[12:16] != b"VP8X":
        return body
    return body[:_FLAGS_AT] + bytes([body[_FLAGS_AT] | _ALPHA_FLAG]) + body[_FLAGS_AT + 1 :]


ENCODER = Encoder(
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

OUTPUT = OutputFormat(
    "webp", "image/webp", alpha=True, animated=True, lossless=False, max_side_px=16_383, encoder=ENCODER
)
