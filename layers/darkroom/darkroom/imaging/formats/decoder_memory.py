"""How much memory a decoder holds for an image, by its header.

Measured as the peak resident memory of a process that renders 320 px of 24 megapixels, without the file and the process
itself (pyvips-binary 8.18, malloc settings of the function). ``tests/component/imaging/test_memory.py`` measures again.
A decoder that takes less than listed in some case is no reason to list less: the case may be an easy image.
"""

from __future__ import annotations

from dataclasses import dataclass

from .header import Header


@dataclass(frozen=True, slots=True)
class DecoderMemory:
    """Bytes per pixel. ``alpha`` and ``deep`` (over 8 bits a channel) are added, ``progressive`` replaces ``plain``.

    ``by_depth``: the sum is for 8 bits a channel and grows with them.
    """

    plain: float
    progressive: float = 0.0
    alpha: float = 0.0
    deep: float = 0.0
    by_depth: bool = False

    def per_pixel(self, header: Header) -> float:
        """Bytes for each pixel of one frame."""
        base = self.progressive if header.progressive and self.progressive else self.plain
        total = base + self.alpha * header.has_alpha + self.deep * (header.bits > 8)
        return total * max(1, header.bits / 8) if self.by_depth else total


DECODER_MEMORY: dict[str, DecoderMemory] = {
    # Progressive: all coefficients, two bytes each. 3.1 with subsampled colours; four channels have at most eight.
    "jpeg": DecoderMemory(plain=0.5, progressive=6.5),
    # Interlaced: the whole image and its rows. 4.0 with three channels, 6.0 with four, 13.3 with four of 16 bits.
    "png": DecoderMemory(plain=2.5, progressive=5, alpha=2, by_depth=True),
    # The whole image: 4.3 with alpha without loss.
    "webp": DecoderMemory(plain=4, alpha=2),
    # The canvas and the indices: 5.5.
    "gif": DecoderMemory(plain=6),
    # libheif's planes, the picture of them and libvips' copy: 15.8, 17.2 with alpha, 19.1 with 12 bits, 22.1 with both;
    # 18.9 with full chroma, which the header does not say.
    "avif": DecoderMemory(plain=19, alpha=2, deep=5),
    # pi-heif's picture and a copy: 6.8 for a grid of 12 megapixels.
    "heic": DecoderMemory(plain=10, alpha=2, by_depth=True),
    # A strip may be the whole image. Pyramids are read by tiles.
    "tiff": DecoderMemory(plain=4, alpha=1, by_depth=True),
    # It is drawn at the size of the output.
    "svg": DecoderMemory(plain=0),
}


def estimate_decoder_bytes(header: Header) -> int:
    """The memory that decoding one frame or page takes at most, besides the file."""
    return int(DECODER_MEMORY[header.format].per_pixel(header) * header.width * header.height)
