"""The formats that come out, and which of them a class of ``f=auto`` becomes."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class OutputFormat:
    """What an output format can hold.

    ``lossless``: quality has no meaning. ``max_side_px``: the format's own limit, or that of its encoder in libvips.
    ``max_pixels``: what its encoder has memory for; AVIF's takes 19 MB a megapixel.
    """

    name: str
    content_type: str
    alpha: bool
    animated: bool
    lossless: bool
    max_side_px: int
    max_pixels: int | None = None


OUTPUT_FORMATS: dict[str, OutputFormat] = {
    form.name: form
    for form in (
        OutputFormat("jpeg", "image/jpeg", alpha=False, animated=False, lossless=False, max_side_px=65_500),
        OutputFormat("png", "image/png", alpha=True, animated=False, lossless=True, max_side_px=65_535),
        OutputFormat("webp", "image/webp", alpha=True, animated=True, lossless=False, max_side_px=16_383),
        OutputFormat(
            "avif",
            "image/avif",
            alpha=True,
            animated=False,
            lossless=False,
            max_side_px=16_384,
            max_pixels=40_000_000,
        ),
        OutputFormat("gif", "image/gif", alpha=True, animated=True, lossless=True, max_side_px=65_500),
        OutputFormat("tiff", "image/tiff", alpha=True, animated=False, lossless=True, max_side_px=65_535),
    )
}

AVIF_MAX_PIXELS = 10_000_000
"""Up to here ``f=auto`` gives AVIF to who takes it: its quickest effort needs 0.7 s for as many on one core. It is
worth that: over four photographs of 3 to 5 MP it took 0.66 to 0.87 of the bytes of a WebP of the same SSIM."""


@dataclass(frozen=True, slots=True)
class FormatFamily:
    """A class of ``f=auto``: its types are alike for the viewer, so the picture decides between them."""

    still: str
    large: str
    transparent: str
    animated: str

    def choose(self, *, transparent: bool, frames: int, pixels: int) -> OutputFormat:
        """The type for a finished picture; ``pixels`` are those of one frame."""
        if frames > 1:
            return OUTPUT_FORMATS[self.animated]
        if transparent and self.transparent != self.still:
            return OUTPUT_FORMATS[self.transparent]
        return OUTPUT_FORMATS[self.large if pixels > AVIF_MAX_PIXELS else self.still]


FORMAT_FAMILIES: dict[str, FormatFamily] = {
    "auto-avif": FormatFamily(still="avif", large="webp", transparent="avif", animated="webp"),
    "auto-webp": FormatFamily(still="webp", large="webp", transparent="webp", animated="webp"),
    "auto-legacy": FormatFamily(still="jpeg", large="jpeg", transparent="png", animated="gif"),
}
FORMAT_FAMILIES["auto"] = FORMAT_FAMILIES["auto-legacy"]
"""A plan that was not negotiated gets what every viewer can show."""


@dataclass(frozen=True, slots=True)
class TargetFormat:
    """A plan's ``format``: one type or a family of them, and what any of them can hold."""

    format: OutputFormat | None
    family: FormatFamily | None

    @classmethod
    def from_name(cls, name: str) -> TargetFormat:
        """The target of a plan's format, which is no data format."""
        return cls(OUTPUT_FORMATS.get(name), FORMAT_FAMILIES.get(name))

    @property
    def still(self) -> OutputFormat:
        """The type of an opaque still."""
        return self._members[0]

    @property
    def _members(self) -> tuple[OutputFormat, ...]:
        if self.format:
            return (self.format,)
        assert self.family is not None
        names = (self.family.still, self.family.large, self.family.transparent, self.family.animated)
        return tuple(OUTPUT_FORMATS[name] for name in names)

    @property
    def alpha(self) -> bool:
        """Whether transparency can come out."""
        return any(form.alpha for form in self._members)

    @property
    def animated(self) -> bool:
        """Whether frames can come out."""
        return any(form.animated for form in self._members)

    @property
    def max_side_px(self) -> int:
        """The longest side that every member can hold."""
        return min(form.max_side_px for form in self._members)

    @property
    def max_pixels(self) -> int | None:
        """The largest picture that is encoded. A family has a member for any."""
        return self.format.max_pixels if self.format else None

    def choose(self, *, transparent: bool, frames: int, pixels: int) -> OutputFormat:
        """The type for a finished picture."""
        if self.format:
            return self.format
        assert self.family is not None
        return self.family.choose(transparent=transparent, frames=frames, pixels=pixels)
