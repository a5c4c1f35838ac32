"""The image formats: what is accepted, what is served, and which one a class of ``f=auto`` becomes.

To add a codec, write its package beside the others (see :mod:`.image_format`), list its facts here, and name it in
:mod:`darkroom.plan.model`. Steps: docs/howto/codec.md.
"""

from __future__ import annotations

from dataclasses import dataclass

from . import bmff, gif, jpeg, png, svg, tiff, webp
from .image_format import OutputFormat, SourceFormat

__all__ = ["OUTPUT_FORMATS", "SOURCE_FORMATS", "SUPPORTED", "TARGET_FORMATS", "OutputFormat", "TargetFormat"]

SOURCE_FORMATS: dict[str, SourceFormat] = {
    one.name: one
    for one in (jpeg.SOURCE, png.SOURCE, webp.SOURCE, gif.SOURCE, bmff.AVIF, bmff.HEIC, tiff.SOURCE, svg.SOURCE)
}

OUTPUT_FORMATS: dict[str, OutputFormat] = {
    one.name: one for one in (jpeg.OUTPUT, png.OUTPUT, webp.OUTPUT, bmff.OUTPUT, gif.OUTPUT, tiff.OUTPUT)
}

_LABELS = [one.label for one in SOURCE_FORMATS.values()]
SUPPORTED = f"{', '.join(_LABELS[:-1])} and {_LABELS[-1]}"
"""The accepted formats, for messages."""

COMPACT_ALPHA_TILES = webp.TIFF_TILES
"""Options of a pyramid's tiles with alpha, where lossless ones take too many bytes."""

ANIMATION = webp.OUTPUT
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
    return TargetFormat(still, webp.OUTPUT, still, webp.OUTPUT, (webp.OUTPUT, webp.OUTPUT))


TARGET_FORMATS: dict[str, TargetFormat] = {
    **{name: _make_target(form) for name, form in OUTPUT_FORMATS.items()},
    "auto-avif": _make_class(bmff.OUTPUT),
    "auto-webp": _make_class(webp.OUTPUT),
    "auto-legacy": TargetFormat(jpeg.OUTPUT, jpeg.OUTPUT, png.OUTPUT, gif.OUTPUT, (png.OUTPUT, jpeg.OUTPUT)),
}
TARGET_FORMATS["auto"] = TARGET_FORMATS["auto-legacy"]
"""Targets by the ``format`` of a plan for images. One that was not negotiated gets what every viewer can show."""
