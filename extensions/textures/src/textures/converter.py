"""Convert rendered images to textures: whole blocks, then compression."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

import pyvips

from darkroom.errors import OverLimits
from darkroom.imaging.render.output import RenderedImage
from darkroom.plan.model import Plan
from darkroom.services.serve.answers import MAX_BODY_BYTES

from .container import MEDIA_TYPE
from .encoder import Encoder
from .request import MAX_SIDE_PX, Codec, TextureOptions, align_side

MAX_PIXELS = {Codec.ETC1S: MAX_SIDE_PX**2, Codec.UASTC: 3_300_000}
"""Of the largest level. UASTC takes at most one byte per pixel and a third more for the other levels, so that its files
are below :data:`MAX_BODY_BYTES`."""

_FAST_PNG = {"compression": 1, "filter": pyvips.enums.ForeignPngFilter.NONE, "bitdepth": 8}


@dataclass(frozen=True, slots=True)
class TextureConverter:
    """Converts by ``encoder``; satisfies :class:`darkroom.services.serve.converter.Converter`."""

    encoder: Encoder

    def choose_pixels(self, plan: Plan) -> Plan:
        """Return ``plan`` as PNG."""
        return replace(plan, format="png")

    def convert(self, plan: Plan, image: RenderedImage) -> RenderedImage:
        """Compress ``image``, a PNG. Raises OverLimits for a result that is too large, and the encoder's errors."""
        width, height = align_side(image.width), align_side(image.height)
        options = TextureOptions.of_format(plan.format)
        if max(width, height) > MAX_SIDE_PX or width * height > MAX_PIXELS[options.codec]:
            raise OverLimits(
                f"The texture would have {width} × {height} px. With codec={options.codec}, sides have at most "
                f"{MAX_SIDE_PX} px, and images {MAX_PIXELS[options.codec]} px: set a smaller w or h"
            )
        started = time.perf_counter()
        png = align_blocks(image.body, width, height)
        body = self.encoder.encode(png, options, width, height)
        if len(body) > MAX_BODY_BYTES:
            raise OverLimits(f"The texture has {len(body)} bytes. At most {MAX_BODY_BYTES} are served: set a smaller w")
        timings_ms = {**image.timings_ms, "texture": (time.perf_counter() - started) * 1000}
        return RenderedImage(body, MEDIA_TYPE, width, height, 1, timings_ms)


def align_blocks(png: bytes, width: int, height: int) -> bytes:
    """Return ``png`` with exactly ``width`` × ``height`` px and 8 bits per channel, as a PNG that is fast to write.

    The whole image is kept: up to three rows or columns less are a resize, not a crop.
    """
    image = pyvips.Image.new_from_buffer(png, "")
    if image.interpretation in ("rgb16", "grey16") or image.format != "uchar":
        image = image.colourspace("b-w" if image.bands < 3 else "srgb")
    if (image.width, image.height) != (width, height):
        alpha = image.hasalpha()
        image = image.premultiply() if alpha else image
        image = image.resize(width / image.width, vscale=height / image.height)
        image = (image.unpremultiply() if alpha else image).cast("uchar")
        image = image.crop(0, 0, width, height)
    return bytes(image.pngsave_buffer(**_FAST_PNG))
