"""Render text by pango: bidirectional, in any script that the fonts have."""

from __future__ import annotations

from html import escape

import pyvips

from ..errors import BadOption
from ..imaging.colour.convert import PEAK_8_BIT, scale_hex_colour
from ..imaging.fonts import use_fonts
from ..plan.geometry.layout import Size
from .language import Measure, Overlay

FAMILIES = "Noto Sans,Noto Sans CJK SC"
"""Fonts of other scripts are found by their characters. Chinese characters without a language are simplified ones."""

USUAL_WIDTH = Measure(96)
REFERENCE_PX = 48
"""Font size at which a text is measured before it is rendered."""

_ALIGNMENTS = {"start": "low", "center": "centre", "end": "high"}


def render_text(overlay: Overlay, image: Size, ratio: float = 1.0) -> pyvips.Image:
    """Render the text of ``overlay`` as 8-bit sRGB with alpha. Raises BadOption if there is nothing to see.

    Lines break at the overlay's width. A text that is larger than ``image`` is made smaller as a whole, so that time
    and memory have the bounds of the image; how much is known from a rendering at a small size.
    """
    use_fonts()
    size_px = max(1.0, _fit_size(overlay, image, ratio) if overlay.fit else overlay.size.resolve(image.width, ratio))
    pad_px = size_px * overlay.pad / 100 if overlay.back else 0.0
    width_px = min(image.width, (overlay.width or USUAL_WIDTH).resolve(image.width, ratio)) - 2 * pad_px
    scale = REFERENCE_PX / size_px
    small = _draw(overlay, REFERENCE_PX, width_px * scale)
    factor = min(
        1.0,
        (image.width * scale) / (small.width + 2 * pad_px * scale),
        (image.height * scale) / (small.height + 2 * pad_px * scale),
    )
    mask = _draw(overlay, size_px * factor, width_px * factor)
    text = _fill(mask, overlay.color)
    if overlay.back:
        text = _add_box(text, overlay.back, round(pad_px * factor))
    return (text * [1, 1, 1, overlay.opacity / 100]).rint().cast("uchar").copy(interpretation="srgb")


def _fit_size(overlay: Overlay, image: Size, ratio: float) -> float:
    """Return the font size at which the text fills its box."""
    small = _draw(overlay, REFERENCE_PX, 0)
    pad_px = 2 * REFERENCE_PX * overlay.pad / 100 if overlay.back else 0
    width, height = overlay.width or USUAL_WIDTH, overlay.height or Measure(100)
    factor: float = min(
        min(image.width, width.resolve(image.width, ratio)) / (small.width + pad_px),
        min(image.height, height.resolve(image.height, ratio)) / (small.height + pad_px),
    )
    return REFERENCE_PX * factor


def _draw(overlay: Overlay, size_px: float, width_px: float) -> pyvips.Image:
    """Return the opacity of the text at a font size. Its lines break at ``width_px``, unless it is to fit."""
    markup = escape(overlay.content, quote=False)
    if overlay.lang:
        markup = f'<span lang="{overlay.lang}">{markup}</span>'
    try:
        return pyvips.Image.text(
            markup,
            font=f"{FAMILIES} {'Bold ' if overlay.bold else ''}{max(1.0, size_px):.2f}px",
            **({} if overlay.fit else {"width": max(1, round(width_px))}),
            align=_ALIGNMENTS[overlay.align],
            wrap="word-char",
            dpi=72,
        )
    except pyvips.Error as error:  # of spaces of Unicode, for example
        raise BadOption("ov: the text has no visible characters", option="ov", detail=str(error)) from error


def _fill(mask: pyvips.Image, colour: str) -> pyvips.Image:
    *rgb, alpha = scale_hex_colour(colour, PEAK_8_BIT, 4)
    return mask.new_from_image(rgb).bandjoin(mask * (alpha / PEAK_8_BIT)).cast("uchar").copy(interpretation="srgb")


def _add_box(text: pyvips.Image, colour: str, pad_px: int) -> pyvips.Image:
    width, height = text.width + 2 * pad_px, text.height + 2 * pad_px
    box = pyvips.Image.black(width, height).new_from_image(scale_hex_colour(colour, PEAK_8_BIT, 4))
    box = box.cast("uchar").copy(interpretation="srgb")
    return box.composite2(text, "over", x=pad_px, y=pad_px)
