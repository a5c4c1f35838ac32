"""The image formats: what is accepted, what is served, and which one a class of ``f=auto`` becomes.

To add a codec, write its package beside the others (see :mod:`.image_format`), list its facts here, and name it in
:mod:`darkroom.plan.model`. Steps: docs/howto/codec.md.
"""

from __future__ import annotations

from dataclasses import dataclass

from . import bmff, gif, jpeg, png, svg, tiff, webp
from .image_format import OutputFormat, SourceFormat

__all__ = ["FORMAT_FAMILIES", "OUTPUT_FORMATS", "SOURCE_FORMATS", "SUPPORTED", "OutputFormat", "TargetFormat"]

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
class FormatFamily:
    """A class of ``f=auto``: its formats are alike for the viewer, so the image decides between them.

    A drawing becomes ``lossless`` where that takes no more bytes than ``compared``: AVIF is compared by the size of
    another format, which is known in a tenth of the time.
    """

    still: OutputFormat
    large: OutputFormat
    transparent: OutputFormat
    animated: OutputFormat
    lossless: OutputFormat
    compared: OutputFormat

    @property
    def members(self) -> tuple[OutputFormat, ...]:
        """Return every format that the class may become, apart from drawings."""
        return (self.still, self.large, self.transparent, self.animated)

    def choose(self, *, transparent: bool, frames: int, pixels: int) -> OutputFormat:
        """Return the format of a finished image; ``pixels`` are those of one frame."""
        if frames > 1:
            return self.animated
        if transparent and self.transparent is not self.still:
            return self.transparent
        return self.large if pixels > AVIF_MAX_PIXELS else self.still


def _make_family(still: OutputFormat) -> FormatFamily:
    """Make the class whose stills are ``still``, one of the formats that newer viewers take."""
    return FormatFamily(still, webp.OUTPUT, still, webp.OUTPUT, lossless=webp.OUTPUT, compared=webp.OUTPUT)


FORMAT_FAMILIES: dict[str, FormatFamily] = {
    "auto-avif": _make_family(bmff.OUTPUT),
    "auto-webp": _make_family(webp.OUTPUT),
    "auto-legacy": FormatFamily(
        jpeg.OUTPUT, jpeg.OUTPUT, png.OUTPUT, gif.OUTPUT, lossless=png.OUTPUT, compared=jpeg.OUTPUT
    ),
}
FORMAT_FAMILIES["auto"] = FORMAT_FAMILIES["auto-legacy"]
"""A plan that was not negotiated gets what every viewer can show."""


@dataclass(frozen=True, slots=True)
class TargetFormat:
    """A plan's ``format``: one format or a family, and what any of them can hold."""

    format: OutputFormat | None
    family: FormatFamily | None

    @classmethod
    def from_name(cls, name: str) -> TargetFormat:
        """Return the target of a plan's format, which is no data format."""
        return cls(OUTPUT_FORMATS.get(name), FORMAT_FAMILIES.get(name))

    @property
    def still(self) -> OutputFormat:
        """Return the format of an opaque still."""
        return self._members[0]

    @property
    def _members(self) -> tuple[OutputFormat, ...]:
        if self.format:
            return (self.format,)
        assert self.family is not None
        return self.family.members

    @property
    def drawing(self) -> tuple[OutputFormat, OutputFormat] | None:
        """Return the lossless format that a drawing may become, and the one whose size it must not exceed."""
        if self.family:
            return self.family.lossless, self.family.compared
        form = self.format
        return (form, form) if form and form.encoder.lossless and not form.lossless else None

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

    @property
    def max_pixels(self) -> int | None:
        """Return the most pixels that are encoded; None for a family, which has a format for any size."""
        return self.format.max_pixels if self.format else None

    def choose(self, *, transparent: bool, frames: int, pixels: int) -> OutputFormat:
        """Return the format of a finished image."""
        if self.format:
            return self.format
        assert self.family is not None
        return self.family.choose(transparent=transparent, frames=frames, pixels=pixels)
