"""PNG (W3C PNG, third edition), animated ones included."""

from ..image_format import ANY_SIZE, DecoderMemory, Encoder, Loader, OutputFormat, Signature, SourceFormat

SOURCE = SourceFormat(
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

ENCODER = Encoder(
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

OUTPUT = OutputFormat(
    "png", "image/png", alpha=True, animated=False, lossless=True, max_side_px=65_535, encoder=ENCODER
)
