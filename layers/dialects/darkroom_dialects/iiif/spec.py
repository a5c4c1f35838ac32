"""The supported versions, formats, features and sizes of the IIIF Image API."""

from __future__ import annotations

from dataclasses import dataclass
from math import isqrt
from typing import NamedTuple

from darkroom.plan.geometry.placement import Size
from darkroom.plan.options import MAX_SIDE_PX


@dataclass(frozen=True, slots=True)
class Version:
    """A major version of the Image API."""

    number: int

    @property
    def prefix(self) -> str:
        """Return the beginning of its paths."""
        return f"/iiif/{self.number}/"

    @property
    def context(self) -> str:
        """Return the JSON-LD context of its ``info.json``."""
        return f"http://iiif.io/api/image/{self.number}/context.json"

    @property
    def upscales_silently(self) -> bool:
        """Return whether a size can enlarge the region without ``^``, which version 3 introduced."""
        return self.number < 3

    def profile_uri(self, level: str) -> str:
        """Return the address of the profile document of a compliance ``level``, such as ``level2``."""
        return f"http://iiif.io/api/image/{self.number}/{level}.json"


V2 = Version(2)
"""Image API 2.1.1: https://iiif.io/api/image/2.1/"""

V3 = Version(3)
"""Image API 3.0.0: https://iiif.io/api/image/3.0/"""

VERSIONS = (V2, V3)


FORMATS = {"jpg": "jpeg", "png": "png", "webp": "webp", "gif": "gif", "tif": "tiff"}
"""Formats of the specification (section 4.5) by extension, with our names."""

PREFERRED_FORMATS = ("webp", "jpg")
"""The smallest format, and the one that every viewer shows."""

UNSUPPORTED_FORMATS = {"jp2": "there is no JPEG 2000 encoder", "pdf": "PDF pages are not written"}
"""Formats of the specification that are not supported, and why."""

QUALITIES = ("default", "color", "gray", "bitonal")
"""All of section 4.4."""

BITONAL_THRESHOLD = 128
"""The lightness from which a bitonal image is white."""


class Feature(NamedTuple):
    """A feature of section 5.7; ``level`` is the lowest compliance level that requires it, 3 for none."""

    name: str
    syntax: str
    level: int
    note: str = ""


FEATURES = (
    Feature("regionByPx", "`x,y,w,h`", 1, "Clipped to the image."),
    Feature("regionSquare", "`square`", 1, "Centred."),
    Feature("regionByPct", "`pct:x,y,w,h`", 2, "Rounded to whole pixels, half up."),
    Feature("sizeByW", "`w,`", 1),
    Feature("sizeByH", "`,h`", 1),
    Feature("sizeByWh", "`w,h`", 1),
    Feature("sizeByPct", "`pct:n`", 2),
    Feature(
        "sizeByConfinedWh",
        "`!w,h`",
        2,
        "For boxes larger than the region see [Conformance](#conformance).",
    ),
    Feature("sizeUpscaling", "`^max` `^w,` `^,h` `^pct:n` `^w,h` `^!w,h`", 3, "Up to `maxWidth` and `maxArea`."),
    Feature("rotationBy90s", "`90` `180` `270`", 2),
    Feature("rotationArbitrary", "`22.5`", 3, "In hundredths of a degree. Corners are transparent, in JPEG white."),
    Feature("mirroring", "`!n`", 3, "Before the rotation."),
    Feature("baseUriRedirect", "`{id}`", 1, "303 to `info.json`."),
    Feature("cors", "", 1, "`*` by default, see `CorsOrigins`."),
    Feature("jsonldMediaType", "", 1, "`application/json` on request."),
    Feature("canonicalLinkHeader", "", 3),
    Feature("profileLinkHeader", "", 3),
)
"""All features of the specification. All are supported."""

HTTP_FEATURES = ("baseUriRedirect", "canonicalLinkHeader", "cors", "jsonldMediaType", "profileLinkHeader")
"""Features that do not depend on the access mode."""

FEATURES_V2 = (
    *("canonicalLinkHeader", "mirroring", "profileLinkHeader", "regionSquare", "rotationArbitrary", "sizeAboveFull"),
)
"""Features of version 2.1 beyond level 2, by the names in section 5.3 of that version."""


@dataclass(frozen=True, slots=True)
class SizeLimits:
    """Limits of responses: the longest side of all dialects, and the area that the largest encoder has memory for.

    Section 5.2: ``maxWidth``, ``maxHeight`` and ``maxArea``. ``rejects_oversized_box``: whether ``!w,h`` larger than
    the region is an error in version 3, as in the official validator, or returns the region in its own size, as in
    section 4.2.
    """

    max_side_px: int = MAX_SIDE_PX
    max_area_px: int = 40_000_000
    rejects_oversized_box: bool = False

    def allow(self, size: Size) -> bool:
        """Return whether ``size`` is within the limits."""
        return max(size) <= self.max_side_px and size.width * size.height <= self.max_area_px

    def shrink(self, size: Size) -> Size:
        """Return the largest size of this ratio within the limits."""
        within = fit_within(size, Size(self.max_side_px, self.max_side_px))
        if self.allow(within):
            return within
        area = within.width * within.height
        return Size(*(max(1, isqrt(side * side * self.max_area_px // area)) for side in within))


def divide_half_up(numerator: int, denominator: int) -> int:
    """Return the quotient rounded half up."""
    return (2 * numerator + denominator) // (2 * denominator)


def fit_within(size: Size, box: Size) -> Size:
    """Return the largest size in ``box`` with the ratio of ``size``, at least 1 px a side."""
    if box.width * size.height <= box.height * size.width:
        return Size(box.width, min(box.height, max(1, divide_half_up(size.height * box.width, size.width))))
    return Size(min(box.width, max(1, divide_half_up(size.width * box.height, size.height))), box.height)
