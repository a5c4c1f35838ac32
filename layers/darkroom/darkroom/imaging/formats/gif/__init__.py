"""GIF (GIF89a)."""

from ..image_format import ANY_SIZE, DecoderMemory, Encoder, Loader, OutputFormat, Signature, SourceFormat

SOURCE = SourceFormat(
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

ENCODER = Encoder(
    saver="gifsave_buffer",
    # 350 ms per megapixel.
    fast=((500_000, {"effort": 3}), (ANY_SIZE, {"effort": 1})),
    # 1900 ms per megapixel at effort 7; effort 10 saves 0.4 % for twice the time.
    slow=((5_000_000, {"effort": 7}), (25_000_000, {"effort": 3}), (ANY_SIZE, {"effort": 1})),
)

OUTPUT = OutputFormat("gif", "image/gif", alpha=True, animated=True, lossless=True, max_side_px=65_500, encoder=ENCODER)
