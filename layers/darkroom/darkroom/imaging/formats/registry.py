"""The formats that come out, and which of them a class of ``f=auto`` becomes."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Form:
    """What an output format can hold.

    ``lossless``: quality has no meaning. ``max_side_px``: the format's own limit, or that of its encoder in libvips.
    ``max_pixels``: what its encoder has memory for; AVIF's takes 19 MB a megapixel.
    """

    name: str
    content_type: str
    transparent: bool
    animated: bool
    lossless: bool
    max_side_px: int
    max_pixels: int | None = None


FORMS: dict[str, Form] = {
    form.name: form
    for form in (
        Form("jpeg", "image/jpeg", transparent=False, animated=False, lossless=False, max_side_px=65_500),
        Form("png", "image/png", transparent=True, animated=False, lossless=True, max_side_px=65_535),
        Form("webp", "image/webp", transparent=True, animated=True, lossless=False, max_side_px=16_383),
        Form(
            "avif",
            "image/avif",
            transparent=True,
            animated=False,
            lossless=False,
            max_side_px=16_384,
            max_pixels=40_000_000,
        ),
        Form("gif", "image/gif", transparent=True, animated=True, lossless=True, max_side_px=65_500),
        Form("tiff", "image/tiff", transparent=True, animated=False, lossless=True, max_side_px=65_535),
    )
}

AVIF_MAX_PIXELS = 10_000_000
"""Up to here ``f=auto`` gives AVIF to who takes it: its quickest effort needs 0.7 s for as many on one core. It is
worth that: over four photographs of 3 to 5 MP it took 0.66 to 0.87 of the bytes of a WebP of the same SSIM."""


@dataclass(frozen=True, slots=True)
class Family:
    """A class of ``f=auto``: its types are alike for the viewer, so the picture decides between them."""

    still: str
    large: str
    transparent: str
    animated: str

    def member(self, *, transparent: bool, frames: int, pixels: int) -> Form:
        """The type for a finished picture; ``pixels`` are those of one frame."""
        if frames > 1:
            return FORMS[self.animated]
        if transparent and self.transparent != self.still:
            return FORMS[self.transparent]
        return FORMS[self.large if pixels > AVIF_MAX_PIXELS else self.still]


FAMILIES: dict[str, Family] = {
    "auto-avif": Family(still="avif", large="webp", transparent="avif", animated="webp"),
    "auto-webp": Family(still="webp", large="webp", transparent="webp", animated="webp"),
    "auto-legacy": Family(still="jpeg", large="jpeg", transparent="png", animated="gif"),
}
FAMILIES["auto"] = FAMILIES["auto-legacy"]
"""A plan that was not negotiated gets what every viewer can show."""


@dataclass(frozen=True, slots=True)
class Target:
    """A plan's ``format``: one type or a family of them, and what any of them can hold."""

    form: Form | None
    family: Family | None

    @classmethod
    def of(cls, name: str) -> Target:
        """The target of a plan's format, which is no data format."""
        return cls(FORMS.get(name), FAMILIES.get(name))

    @property
    def still(self) -> Form:
        """The type of an opaque still."""
        return self._members[0]

    @property
    def _members(self) -> tuple[Form, ...]:
        if self.form:
            return (self.form,)
        assert self.family is not None
        names = (self.family.still, self.family.large, self.family.transparent, self.family.animated)
        return tuple(FORMS[name] for name in names)

    @property
    def transparent(self) -> bool:
        """Whether transparency can come out."""
        return any(form.transparent for form in self._members)

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
        return self.form.max_pixels if self.form else None

    def pick(self, *, transparent: bool, frames: int, pixels: int) -> Form:
        """The type for a finished picture."""
        if self.form:
            return self.form
        assert self.family is not None
        return self.family.member(transparent=transparent, frames=frames, pixels=pixels)
